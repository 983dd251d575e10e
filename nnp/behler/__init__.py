"""Behler–Parrinello potentials: symmetry functions of an atom's neighbourhood, one network per element."""
