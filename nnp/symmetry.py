"""Point groups of crystals."""

from __future__ import annotations

import numpy as np

from nnp.crystal import Array, Crystal

_TOLERANCE = 1e-6


def point_group(crystal: Crystal) -> Array:
    """Rotations, proper and improper, that map a crystal onto itself up to a translation: (g, 3, 3) orthogonal
    matrices in the laboratory frame, the identity among them. The flat crystal counts as a stack of planes a
    apart, so reflections through its plane belong to it."""
    cell = crystal.cell
    lengths = np.linalg.norm(cell, axis=1)
    n = np.arange(-2, 3)
    lattice = np.stack(np.meshgrid(n, n, n, indexing="ij"), -1).reshape(-1, 3) @ cell
    size = np.linalg.norm(lattice, axis=1)
    shells = [lattice[np.abs(size - length) < _TOLERANCE * length] for length in lengths]
    i, j, k = (m.ravel() for m in np.meshgrid(*(np.arange(len(s)) for s in shells), indexing="ij"))
    images = np.stack([shells[0][i], shells[1][j], shells[2][k]], axis=1)  # of the cell's three vectors
    Q = np.swapaxes(np.linalg.inv(cell) @ images, 1, 2)
    Q = Q[np.abs(Q @ np.swapaxes(Q, 1, 2) - np.eye(3)).max(axis=(1, 2)) < _TOLERANCE]
    return Q[[_maps_basis(crystal, q) for q in Q]]


def _maps_basis(crystal: Crystal, Q: Array) -> bool:
    """Whether the rotated basis is the basis, moved by one translation."""
    image = crystal.basis @ Q.T
    inverse = np.linalg.inv(crystal.cell)
    for origin in crystal.basis[crystal.numbers == crystal.numbers[0]]:
        moved = image + (origin - image[0])
        steps = (moved[:, None] - crystal.basis) @ inverse
        same = np.abs(steps - np.round(steps)).max(axis=2) < _TOLERANCE
        if (same & (crystal.numbers[:, None] == crystal.numbers)).any(axis=1).all():
            return True
    return False
