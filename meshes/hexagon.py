"""A plane mesh of hexagonal rings: sites of the triangular lattice inside, coarser and coarser outwards.

The mesh of the blending benchmarks (Luskin, Ortner & Van Koten, Comput. Methods Appl. Mech. Eng. 253, 160, 2013,
doi:10.1016/j.cma.2012.09.007): where the lattice is resolved every site is a node; beyond, ring after ring with an
element size h(r) that is chosen for the decay of the solution.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from meshes.data import MeshData, make_mesh

Array = np.ndarray

LONG = np.array([0, 1, 0, 0, 1, 0])
"""The sides, counterclockwise from the x axis, that a lengthened hexagon has longer."""


def graded_hexagon(
    radius: float, hole: int, resolved: int, size: Callable[[float], float], length: int = 0
) -> MeshData:
    """Triangles between two hexagons with a corner on the x axis, centre at the origin, lattice spacing 1.

    radius, hole: distance of the corners of the outer and the inner boundary; resolved: up to here ring r has r
    edges of length 1 a side, all nodes on lattice sites; size: element size h(r) beyond; length: the halves of every
    ring on the left and on the right are moved apart by this even number of spacings along x. Tags: "outer", "inner".

    ValueError where not 0 < hole < resolved < radius, or the length is odd or negative.
    """
    if not 0 < hole < resolved < radius:
        raise ValueError(f"a hexagon needs 0 < hole < resolved < radius, not {hole}, {resolved}, {radius}")
    if length < 0 or length % 2:
        raise ValueError(f"a hexagon is lengthened by an even number of spacings, not by {length}")
    lattice = np.arange(hole, resolved + 1)
    coarse = _coarse_radii(float(resolved), radius, size)
    radii = np.concatenate([lattice, coarse])
    h = np.array([*np.ones(len(lattice)), *(size(r) for r in coarse)])
    sides = radii[:, None] + length * LONG
    edges = np.maximum(1, np.rint(sides / h[:, None])).astype(int)
    first = np.concatenate([[0], np.cumsum(edges.sum(axis=1))])
    points = np.concatenate([_ring(r, length, n) for r, n in zip(radii, edges)])
    cells = [_strip(n, m, i, j) for (n, m), (i, j) in zip(pairwise(edges), pairwise(first[:-1]))]
    tags = {"outer": _loop(first[-2], edges[-1].sum()), "inner": _loop(0, edges[0].sum())}
    return make_mesh(points, np.concatenate(cells), tags)


def _coarse_radii(start: float, end: float, size: Callable[[float], float]) -> Array:
    """Radii from start (left out) to end, about h apart, stretched a little so that the last is the end."""
    radii = [start]
    while radii[-1] < end:
        radii.append(radii[-1] + size(radii[-1]))
    if len(radii) > 2 and end - radii[-2] < 0.5 * (radii[-1] - radii[-2]):
        radii.pop()
    r = np.asarray(radii)
    return start + (r[1:] - start) * (end - start) / (r[-1] - start)


def _ring(radius: float, length: float, edges: Array) -> Array:
    """Points of a hexagon, so many edges (6,) on each side, counterclockwise from the x axis, (sum, 2)."""
    angle = np.pi / 3.0 * np.arange(7)
    corner = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    corner[:, 0] += 0.5 * length * np.array([1, 1, -1, -1, -1, 1, 1])
    steps = [np.arange(n)[:, None] / n for n in edges]
    return np.concatenate([(1.0 - t) * a + t * b for t, (a, b) in zip(steps, pairwise(corner))])


def _loop(first: int, n: int) -> Array:
    k = np.arange(n)
    return first + np.stack([k, (k + 1) % n], 1)


def _strip(n: Array, m: Array, inner: int, outer: int) -> Array:
    """Triangles between a ring of n (6,) and one of m (6,) edges on the sides, whose points start at `inner` and
    `outer`: the edges of both on a side, sorted by their middles, each joined to the point that the other ring has
    reached."""
    cells = []
    for k in range(6):
        middle = np.concatenate([(np.arange(n[k]) + 0.5) / n[k], (np.arange(m[k]) + 0.5) / m[k]])
        outside = np.repeat([False, True], [n[k], m[k]])
        outside = outside[np.lexsort((~outside, np.round(middle, 12)))]
        j, i = np.cumsum(outside) - outside, np.cumsum(~outside) - ~outside
        i, j = i + n[:k].sum(), j + m[:k].sum()
        p, q = inner + i % n.sum(), outer + j % m.sum()
        p_next, q_next = inner + (i + 1) % n.sum(), outer + (j + 1) % m.sum()
        cells.append(np.stack([p, np.where(outside, q, p_next), np.where(outside, q_next, q)], 1))
    return np.concatenate(cells)
