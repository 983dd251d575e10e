"""The part of a plane mesh whose nodes are sites of a lattice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

from meshes.data import boundary_facets, cell_facets, facet_numbers

Array = np.ndarray
Distance = Callable[[Array], Array]
"""Signed distance of points (n, 2) from a region, (n,): negative inside."""


@dataclass(frozen=True)
class LatticePatch:
    """A region meshed with one node on each site of a plane Bravais lattice.

    vectors: (2, 2) lattice vectors as rows, Å; origin: (2,) one site, Å; region: radius of a disc around the
    mesh's centre, Å, or the signed distance of points from any other region.
    """

    vectors: Array
    origin: Array
    region: float | Distance


def as_distance(region: float | Distance, centre: Array) -> Distance:
    """Signed distance from a region, or from the disc (ball) of a given radius around the centre."""
    if callable(region):
        return region
    return lambda points: np.linalg.norm(np.asarray(points) - centre, axis=-1) - region


def lattice_triangles(
    vectors: Array,
    origin: Array,
    inside: Distance,
    outside: Distance | None,
    reach: float,
    along: Array | None,
) -> tuple[Array, Array]:
    """Points (n, 2) and triangles (m, 3) of the lattice with all corners within `inside` and none within
    `outside`.

    reach: how far from the origin any site can be, Å. along: a direction that must be an edge of the
    triangles (ValueError where the lattice has no short vector along it).
    """
    a, b = _edges(np.asarray(vectors, float), along)
    points, count = _sites(a, b, np.asarray(origin, float), inside, reach)
    cells = _grid_triangles(2 * count + 1, short_rises=bool(a @ b < 0))
    eps = 1e-9 * np.linalg.norm(a)
    keep = inside(points) <= eps
    if outside is not None:
        keep &= outside(points) >= -eps
    cells = _simple_pieces(cells[keep[cells].all(1)])
    used, cells = np.unique(cells, return_inverse=True)
    return points[used], cells.reshape(-1, 3)


def longest_edge(vectors: Array, along: Array | None = None) -> float:
    """Of the triangles that `lattice_triangles` makes, Å."""
    a, b = _edges(np.asarray(vectors, float), along)
    diagonal = min(np.linalg.norm(a + b), np.linalg.norm(a - b))
    return float(max(np.linalg.norm(a), np.linalg.norm(b), diagonal))


def _sites(a: Array, b: Array, origin: Array, inside: Distance, reach: float) -> tuple[Array, int]:
    """A grid of sites ((2 count + 1)², 2) around the origin that is large enough to hold the region."""
    limit = int(np.ceil(reach * np.linalg.norm(np.linalg.inv(np.stack([a, b])), axis=0).max())) + 1
    count = min(16, limit)
    while True:
        i, j = (k.reshape(-1, 1) for k in np.mgrid[-count : count + 1, -count : count + 1])
        points = origin + i * a + j * b
        within = inside(points) <= 0
        rim = (np.maximum(np.abs(i), np.abs(j)) == count).ravel()
        if count == limit or (within.any() and not within[rim].any()):
            return points, count
        count = min(2 * count, limit)


def _edges(vectors: Array, along: Array | None) -> tuple[Array, Array]:
    """Right-handed basis with triangles as equilateral as they can be, one edge along a given direction."""
    if along is None:
        a, b = _reduced(vectors)
    else:
        a = _shortest_along(vectors, np.asarray(along, float))
        b = _complete(vectors, a)
    return (a, b) if a[0] * b[1] - a[1] * b[0] > 0 else (a, -b)


def _reduced(vectors: Array) -> tuple[Array, Array]:
    a, b = vectors
    while True:
        if b @ b < (a @ a) * (1 - 1e-12):
            a, b = b, a
        steps = np.round(a @ b / (a @ a) * (1 - 1e-12))
        if steps == 0:
            return a, b
        b = b - steps * a


def _shortest_along(vectors: Array, along: Array) -> Array:
    a, b = _reduced(vectors)
    n = np.arange(-12, 13)
    candidates = (n[:, None, None] * a + n[None, :, None] * b).reshape(-1, 2)
    unit = along / np.linalg.norm(along)
    length = candidates @ unit
    off = np.abs(candidates @ np.array([-unit[1], unit[0]]))
    fits = (off < 1e-6 * np.linalg.norm(a)) & (length > 1e-6 * np.linalg.norm(a))
    if not fits.any():
        raise ValueError("the lattice of the patch has no short vector along the crack")
    return candidates[fits][np.argmin(length[fits])]


def _complete(vectors: Array, a: Array) -> Array:
    """The shortest b that makes (a, b) a basis of the lattice."""
    p, q = _reduced(vectors)
    n = np.arange(-13, 14)
    candidates = (n[:, None, None] * p + n[None, :, None] * q).reshape(-1, 2)
    area = a[0] * candidates[:, 1] - a[1] * candidates[:, 0]
    b = candidates[np.abs(np.abs(area) - abs(np.linalg.det(vectors))) < 1e-6 * abs(np.linalg.det(vectors))]
    return b[np.argmin(np.round(np.linalg.norm(b, axis=1), 9))]


def _grid_triangles(n: int, short_rises: bool) -> Array:
    """Each parallelogram of an n × n grid of sites cut along its shorter diagonal."""
    k = np.arange(n * n).reshape(n, n)
    p, q, r, s = k[:-1, :-1].ravel(), k[1:, :-1].ravel(), k[1:, 1:].ravel(), k[:-1, 1:].ravel()
    halves = ((p, q, r), (p, r, s)) if short_rises else ((p, q, s), (q, r, s))
    return np.concatenate([np.stack(t, 1) for t in halves])


def _simple_pieces(cells: Array) -> Array:
    """The largest piece connected through edges, without the triangles at points where its boundary touches
    itself.
    """
    while len(cells):
        cells = largest_piece(cells)
        degree = np.bincount(boundary_facets(cells).ravel())
        pinched = np.flatnonzero(degree > 2)
        if len(pinched) == 0:
            return cells
        cells = cells[~np.isin(cells, pinched).any(1)]
    raise ValueError(
        "the lattice patch holds no triangle: make it larger than its hole by a few lattice spacings"
    )


def largest_piece(cells: Array) -> Array:
    """The largest set of cells that hang together through facets."""
    label = pieces(cell_facets(cells))
    return cells[label == np.argmax(np.bincount(label))]


def pieces(sides: Array) -> Array:
    """A label (m,) for each of m cells, equal where they hang together through sides (m, k, points)."""
    (number,) = facet_numbers(sides)
    order = np.argsort(number.ravel(), kind="stable")
    same = np.flatnonzero(np.diff(number.ravel()[order]) == 0)
    a, b = order[same] // sides.shape[1], order[same + 1] // sides.shape[1]
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(len(sides), len(sides)))
    return connected_components(graph, directed=False)[1]


def boundary_loops(cells: Array) -> list[Array]:
    """Closed loops of boundary points of positively oriented triangles, each in order with the material on
    its left.
    """
    corners = cells[:, [[1, 2], [2, 0], [0, 1]]]
    (number,) = facet_numbers(corners)
    edges = corners[np.bincount(number.ravel())[number] == 1]
    n = int(cells.max()) + 1
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n)).tocsr()
    label = connected_components(graph, directed=False)[1]
    starts = np.unique(edges[:, 0][np.sort(np.unique(label[edges[:, 0]], return_index=True)[1])])
    return [breadth_first_order(graph, s, return_predecessors=False).astype(np.int64) for s in starts]
