"""The part of a solid mesh whose nodes are sites of a lattice."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.box import kuhn_simplices
from meshes.data import boundary_facets
from meshes.lattice import Distance, largest_piece

Array = np.ndarray


def lattice_tetrahedra(
    vectors: Array, origin: Array, inside: Distance, outside: Distance | None, reach: float
) -> tuple[Array, Array]:
    """Points (n, 3) and tetrahedra (m, 4) of the lattice, all corners within `inside`, none within `outside`.

    vectors: (3, 3) primitive vectors as rows, Å; reach: how far from the origin any site can be, Å.
    ValueError where nothing is left.
    """
    basis = obtuse_basis(np.asarray(vectors, float))
    count = np.ceil(reach * np.linalg.norm(np.linalg.inv(basis), axis=0)).astype(int) + 1
    axes = [np.arange(-k, k + 1) for k in count]
    points = origin + np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) @ basis
    keep = inside(points) <= 0
    if outside is not None:
        keep &= outside(points) >= -1e-9 * reach
    cells = kuhn_simplices(2 * count)
    cells = _manifold(cells[keep[cells].all(1)])
    used, cells = np.unique(cells, return_inverse=True)
    return points[used], cells.reshape(-1, 4)


def obtuse_basis(vectors: Array) -> Array:
    """Three of four lattice vectors with sum zero, no two of which form an acute angle (Selling 1874).

    Kuhn's simplices of this basis are a Delaunay triangulation of the lattice.
    """
    v = np.concatenate([vectors, -vectors.sum(0, keepdims=True)])
    for _ in range(100):
        product = v @ v.T - np.diag(np.sum(v**2, axis=1))
        i, j = np.unravel_index(np.argmax(product), (4, 4))
        if product[i, j] <= 1e-9 * np.abs(np.linalg.det(vectors)) ** (2 / 3):
            return v[:3] if np.linalg.det(v[:3]) > 0 else v[[1, 0, 2]]
        others = [k for k in range(4) if k not in (i, j)]
        v[others] += v[i]
        v[i] = -v[i]
    raise ValueError("the lattice vectors of the patch are not independent")


def _manifold(cells: Array) -> Array:
    """The largest piece, without the cells at points where its boundary touches itself."""
    while len(cells):
        cells = largest_piece(cells)
        pinched = _pinched_points(boundary_facets(cells))
        if len(pinched) == 0:
            return cells
        cells = cells[~np.isin(cells, pinched).any(1)]
    raise ValueError("the lattice patch holds no tetrahedron: make it larger than its hole by a few spacings")


def _pinched_points(facets: Array) -> Array:
    """Points around which the boundary facets (k, 3) form no single closed fan."""
    edges = np.sort(facets[:, [[0, 1], [1, 2], [2, 0]]], axis=2)
    flat, number, count = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True, return_counts=True)
    number = number.reshape(-1)
    bad = flat[count > 2].ravel()
    # Corners (facet, point) are joined across each edge at the point; one fan means one group of corners.
    order = np.argsort(number, kind="stable")
    same = np.flatnonzero(number[order][1:] == number[order][:-1])
    a, b = (_edge_corners(facets, order[k]) for k in (same, same + 1))
    graph = coo_matrix((np.ones(a.size), (a.ravel(), b.ravel())), shape=(facets.size,) * 2)
    group = connected_components(graph, directed=False)[1]
    fans = np.unique(np.stack([facets.ravel(), group], 1), axis=0)[:, 0]
    points, n = np.unique(fans, return_counts=True)
    return np.union1d(bad, points[n > 1])


def _edge_corners(facets: Array, edge: Array) -> Array:
    """Corners (3 · facet + local) at both ends of edges (3 · facet + local), sorted by point."""
    facet, local = np.divmod(edge, 3)
    corner = 3 * facet[:, None] + np.stack([local, (local + 1) % 3], axis=1)
    by_point = np.argsort(facets.ravel()[corner], axis=1)
    return np.take_along_axis(corner, by_point, axis=1)
