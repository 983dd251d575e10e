"""How wrong a state is where elements carry it, and how uncertain where atoms do: pure numbers of the kind of a strain.

In the bulk two things are measured, by cell. A local law neglects how much the strain changes from one atom to the
next; together with the size of the elements that is what estimates for blended and consistent couplings are made of
(Y. S. Wang, H. Wang, arXiv:2211.14143, and references there). And the farther the response is from linear, the nearer
is the crystal to breaking its bonds, which no law of the bulk describes.

    η_T = a |∇E| + |S − C : E| / ‖C‖

E is the Green–Lagrange strain, S the second Piola–Kirchhoff stress, C the moduli at rest, a the lattice constant. In
the core the spread of a committee's forces f takes its place: η_i = f / (‖C‖ Ω^⅔), Ω the volume of a site.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from coupling.cut import Cut

Array = np.ndarray


def bulk_indicator(a: float, gradient: Array, strain: Array, stress: Array, moduli: Array) -> Array:
    """η of cells (n,). a: Å; gradient: |∇E| (n,), 1/Å; strain E, stress S (n, 3, 3), eV/Å³; moduli (3, 3, 3, 3)."""
    return a * gradient + nonlinearity(strain, stress, moduli)


def nonlinearity(strain: Array, stress: Array, moduli: Array) -> Array:
    """|S − C : E| / ‖C‖, (n,)."""
    rest = stress - np.einsum("ijkl,nkl->nij", moduli, strain)
    return np.linalg.norm(rest, axis=(1, 2)) / stiffest(moduli)


def force_indicator(spread: Array, moduli: Array, site_volume: float) -> Array:
    """η of atoms (n,) whose forces a committee knows to within `spread` (n,), eV/Å."""
    return spread / (stiffest(moduli) * site_volume ** (2.0 / 3.0))


def stiffest(moduli: Array) -> float:
    """‖C‖: the largest stress for a strain of norm one, eV/Å³."""
    return float(np.linalg.norm(moduli.reshape(9, 9), 2))


def strain_gradient(
    points: Array, strain: Array, at: Array, cut: Cut | None = None, neighbours: int = 10
) -> Array:
    """|∇E| (n,), 1/Å, of the cells `at` (n,): by least squares from the strains (m, 3, 3) at the centres of the nearest
    cells, points (m, 2 or 3), Å, none of them across the cut."""
    if len(at) == 0:
        return np.zeros(0)
    _, index = cKDTree(points).query(points[at], k=min(neighbours, len(points)))
    r = points[index] - points[at][:, None]
    difference = (strain[index] - strain[at][:, None]).reshape(len(at), index.shape[1], 9)
    scale = np.linalg.norm(r, axis=2).max(axis=1, initial=1e-300)[:, None, None]
    seen = np.ones(index.shape) if cut is None else _seen(points[at], points[index], cut)
    slope = np.linalg.pinv(seen[..., None] * r / scale, rcond=1e-8) @ (seen[..., None] * difference)
    return np.linalg.norm(slope / scale, axis=(1, 2))


def _seen(x: Array, others: Array, cut: Cut) -> Array:
    """1 where the way from points x (n, d) to others (n, k, d) does not cross the cut, else 0."""
    start = np.broadcast_to(x[:, None], others.shape).reshape(-1, x.shape[1])
    crossed = cut.crosses(start, others.reshape(-1, x.shape[1]))
    return (~crossed).astype(float).reshape(others.shape[:2])
