"""How much of each finite element the weighted atoms already fill.

The continuum keeps v_T = |T| − Σ_i w_i |Voronoi(i) ∩ T|, so that atoms and elements together fill the crystal
exactly and a uniform strain has the right energy (a quadrature of 1 − w does not achieve that).
"""

from __future__ import annotations

from math import factorial

import numpy as np
from scipy.spatial import Voronoi, cKDTree

from nnp.crystal import Crystal

Array = np.ndarray


def clip(simplices: Array, owner: Array, normal: Array, offset: Array) -> tuple[Array, Array]:
    """Parts of simplices in the half-spaces normal·x ≤ offset, as simplices.

    simplices (n, d + 1, d), owner (n,) a label that the parts inherit, normal (n, d), offset (n,); d is 2 or 3.
    A simplex with k vertices inside gives one part (k = 1 or all) or the triangulation of the rest.
    """
    side = np.einsum("nvd,nd->nv", simplices, normal) - offset[:, None]
    order = np.argsort(side, axis=1)  # the vertices inside come first
    side = np.take_along_axis(side, order, 1)
    x = np.take_along_axis(simplices, order[:, :, None], 1)
    inside = (side < 0.0).sum(axis=1)
    d = simplices.shape[2]
    parts = [(x[inside == d + 1], owner[inside == d + 1])]
    for k in range(1, d + 1):
        chosen = inside == k
        if chosen.any():
            parts += [(p, owner[chosen]) for p in _split(x[chosen], side[chosen], k)]
    return np.concatenate([p for p, _ in parts]), np.concatenate([o for _, o in parts])


def _split(x: Array, side: Array, k: int) -> list[Array]:
    """Simplices of the part inside, when the first k vertices are inside and the others are not."""
    d = x.shape[2]

    def cut(a: int, b: int) -> Array:
        t = side[:, a] / (side[:, a] - side[:, b])
        return x[:, a] + t[:, None] * (x[:, b] - x[:, a])

    if k == 1:
        return [np.stack([x[:, 0], *(cut(0, b) for b in range(1, d + 1))], axis=1)]
    if d == 2:
        p, q = cut(0, 2), cut(1, 2)
        return [np.stack([x[:, 0], x[:, 1], q], axis=1), np.stack([x[:, 0], p, q], axis=1)]
    if k == 3:
        lower, upper = [x[:, 0], x[:, 1], x[:, 2]], [cut(0, 3), cut(1, 3), cut(2, 3)]
    else:
        lower, upper = [x[:, 0], cut(0, 2), cut(0, 3)], [x[:, 1], cut(1, 2), cut(1, 3)]
    return [  # a prism between two triangles is three tetrahedra
        np.stack([lower[0], lower[1], lower[2], upper[2]], axis=1),
        np.stack([lower[0], lower[1], upper[1], upper[2]], axis=1),
        np.stack([lower[0], upper[0], upper[1], upper[2]], axis=1),
    ]


def measure(simplices: Array) -> Array:
    """Area or volume, (n,)."""
    edges = simplices[:, 1:] - simplices[:, :1]
    return np.abs(np.linalg.det(edges)) / factorial(simplices.shape[2])


def site_neighbours(crystal: Crystal, dim: int) -> list[Array]:
    """For each basis atom the vectors (m, dim) to the sites whose bisectors bound its Voronoi cell.

    In two dimensions sites are columns of atoms along z; columns of one period at the same place are one.
    """
    reach = 3.0 * crystal.volume ** (1.0 / 3.0) if dim == 3 else 1.5 * crystal.a
    p, q, lattice = crystal.environment(reach, strain=0.0)
    vectors = lattice + crystal.basis[q] - crystal.basis[p]
    found = []
    for k in range(len(crystal.basis)):
        d = vectors[p == k][:, :dim]
        d = d[np.linalg.norm(d, axis=1) > 1e-6 * crystal.a]
        d = d[np.unique(np.round(d, 6), axis=0, return_index=True)[1]]
        ridges = Voronoi(np.vstack([np.zeros(dim), d])).ridge_points
        mine = ridges[(ridges == 0).any(axis=1)].max(axis=1)
        found.append(d[mine - 1])
    return found


def cell_fraction(
    cells: Array, crystal: Crystal, points: Array, sublattice: Array, weights: Array, thickness: float = 1.0
) -> Array:
    """v_T / |T| of each cell, (m,).

    cells (m, d + 1, d) vertices, Å; points (n, 3), sublattice (n,), weights (n,) of all atoms with non-zero
    weight near the cells (copies across a period along z included once); thickness: the period along z in
    two dimensions, Å.
    """
    dim = cells.shape[2]
    columns, sub, w = _columns(points, sublattice, weights, dim, crystal)
    taken = np.zeros(len(cells))
    for k, d in enumerate(site_neighbours(crystal, dim)):
        mine = sub == k
        if mine.any():
            share = crystal.site_volume / thickness if dim == 2 else crystal.site_volume
            taken += _overlap(cells, columns[mine], w[mine], d, share)
    return 1.0 - taken / measure(cells)


def overlap_reach(cells: Array, crystal: Crystal) -> tuple[Array, Array]:
    """Of cells (m, d + 1, d) the centres (m, d), and how far from there the sites are at most whose Voronoi cells meet
    them, (m,) Å."""
    centre = cells.mean(axis=1)
    radius = np.linalg.norm(cells - centre[:, None], axis=2).max(axis=1)
    longest = max(np.linalg.norm(d, axis=1).max() for d in site_neighbours(crystal, cells.shape[2]))
    return centre, radius + longest  # a Voronoi cell lies within that distance of its site


def _columns(
    points: Array, sublattice: Array, weights: Array, dim: int, crystal: Crystal
) -> tuple[Array, Array, Array]:
    """Sites to take Voronoi cells of; in two dimensions atoms above each other are merged, weights added."""
    x = points[:, :dim]
    if dim == 3:
        return x, sublattice, weights
    _, first, inverse = np.unique(
        np.round(x / (1e-4 * crystal.a)).astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    total = np.bincount(inverse.ravel(), weights=weights)
    return x[first], sublattice[first], total


def _overlap(cells: Array, points: Array, weights: Array, neighbours: Array, share: float) -> Array:
    """Σ_i w_i |Voronoi(i) ∩ T| of each cell, scaled so that each whole Voronoi cell measures `share`."""
    centre = cells.mean(axis=1)
    radius = np.linalg.norm(cells - centre[:, None], axis=2).max(axis=1)
    reach = np.linalg.norm(neighbours, axis=1).max()  # a Voronoi cell lies within this distance of its site
    hits = cKDTree(points).query_ball_point(centre, radius + reach)
    cell = np.repeat(np.arange(len(cells)), [len(h) for h in hits])
    site = np.concatenate([np.asarray(h, int) for h in hits]) if len(cell) else np.zeros(0, int)
    if len(cell) == 0:
        return np.zeros(len(cells))
    parts, pair = cells[cell], np.arange(len(cell))
    for d in neighbours:
        offset = points[site[pair]] @ d + 0.5 * d @ d
        parts, pair = clip(parts, pair, np.broadcast_to(d, (len(pair), len(d))), offset)
    volume = measure(parts) * weights[site[pair]] * (share / _cell_measure(neighbours))
    return np.bincount(cell[pair], weights=volume, minlength=len(cells))


def _cell_measure(neighbours: Array) -> float:
    """Area or volume of the Voronoi cell itself, by clipping a simplex that holds it."""
    dim = neighbours.shape[1]
    big = 4.0 * dim * np.linalg.norm(neighbours, axis=1).max()
    simplex = np.vstack([np.zeros(dim), np.eye(dim)]) * 2.0 * dim * big - big
    parts, owner = simplex[None], np.zeros(1, int)
    for d in neighbours:
        n = len(parts)
        parts, owner = clip(parts, owner, np.broadcast_to(d, (n, dim)), np.full(n, 0.5 * d @ d))
    return float(measure(parts).sum())
