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


def graded_hexagon(radius: float, hole: int, resolved: int, size: Callable[[float], float]) -> MeshData:
    """Triangles between two hexagons with a corner on the x axis, centre at the origin, lattice spacing 1.

    radius, hole: distance of the corners of the outer and the inner boundary; resolved: up to here ring r has r
    edges of length 1 a side, all nodes on lattice sites; size: element size h(r) beyond. Tags: "outer", "inner".

    ValueError where not 0 < hole < resolved < radius.
    """
    if not 0 < hole < resolved < radius:
        raise ValueError(f"a hexagon needs 0 < hole < resolved < radius, not {hole}, {resolved}, {radius}")
    lattice = np.arange(hole, resolved + 1)
    coarse = _coarse_radii(float(resolved), radius, size)
    radii = np.concatenate([lattice, coarse])
    edges = [*lattice, *(max(1, round(r / size(r))) for r in coarse)]
    first = np.concatenate([[0], np.cumsum(6 * np.asarray(edges))])
    points = np.concatenate([_ring(r, n) for r, n in zip(radii, edges)])
    cells = [_strip(n, m, i, j) for (n, m), (i, j) in zip(pairwise(edges), pairwise(first[:-1]))]
    tags = {"outer": _loop(first[-2], edges[-1]), "inner": _loop(0, edges[0])}
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


def _ring(radius: float, n: int) -> Array:
    """Points of a hexagon, n edges a side, counterclockwise from the x axis, (6 n, 2)."""
    angle = np.pi / 3.0 * np.arange(7)
    corner = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    t = np.arange(n)[:, None] / n
    return np.concatenate([(1.0 - t) * a + t * b for a, b in pairwise(corner)])


def _loop(first: int, n: int) -> Array:
    k = np.arange(6 * n)
    return first + np.stack([k, (k + 1) % (6 * n)], 1)


def _strip(n: int, m: int, inner: int, outer: int) -> Array:
    """Triangles between a ring of n and one of m edges a side, whose points start at `inner` and `outer`: the edges
    of both, sorted by their middles, each joined to the point that the other ring has reached."""
    middle = np.concatenate([(np.arange(n) + 0.5) / n, (np.arange(m) + 0.5) / m])
    outside = np.repeat([False, True], [n, m])
    outside = outside[np.lexsort((~outside, np.round(middle, 12)))]
    j, i = np.cumsum(outside) - outside, np.cumsum(~outside) - ~outside
    side = 6 * np.ones(len(i), int)
    cells = []
    for k in range(6):
        p, q = inner + (k * n + i) % (side * n), outer + (k * m + j) % (side * m)
        p_next, q_next = inner + (k * n + i + 1) % (side * n), outer + (k * m + j + 1) % (side * m)
        cells.append(np.stack([p, np.where(outside, q, p_next), np.where(outside, q_next, q)], 1))
    return np.concatenate(cells)
