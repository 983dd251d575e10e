"""Message-passing potentials: features of atoms that learn, layer after layer, of atoms farther away."""
