"""Cuts a mesh open along interior facets: the nodes on them are doubled, the ones on the rim of the cut are
not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.data import MeshData, cell_facets, facet_numbers

Array = np.ndarray


def split_along(
    mesh: MeshData, facets: Array, up: Array, names: tuple[str, str] = ("upper", "lower")
) -> MeshData:
    """The mesh with a slit along interior facets (k, dim), given as point indices.

    A node on the slit gets one copy for each group of its cells that stays connected through facets which are
    not cut; so the tip of a slit, or the front in 3D, stays one node, and a slit may branch or reach the
    boundary. The two faces are tagged: names[0] bounds the material on the side that `up` (dim,) points to,
    names[1] the other side; row k of both tags is the same facet with its points in the same order.

    Raises ValueError where a facet is not between two cells.
    """
    facets = np.asarray(facets, np.int64).reshape(-1, mesh.dim)
    of_cell = cell_facets(mesh.cells)
    number, cut = facet_numbers(of_cell, facets)
    count = np.bincount(number.ravel(), minlength=cut.max(initial=0) + 1)
    if (count[cut] != 2).any():
        raise ValueError("a slit can only be cut along facets between two cells")
    corner = _corners(mesh.cells, of_cell, number, cut)
    points = np.concatenate([mesh.points, mesh.points[_copies(mesh.cells, corner, len(mesh.points))]])
    tags = {k: _renumber(f, mesh.cells, corner, _cell_at(of_cell, f)) for k, f in mesh.tags.items()}
    first, second = _both_cells(number, cut)
    centre = mesh.points[mesh.cells].mean(1)
    is_up = (centre[first] - mesh.points[facets].mean(1)) @ np.asarray(up, float) > 0
    for name, cell in zip(names, (np.where(is_up, first, second), np.where(is_up, second, first))):
        tags[name] = _renumber(facets, mesh.cells, corner, cell)
    return replace(mesh, points=points, cells=corner, tags=tags)


def _corners(cells: Array, of_cell: Array, number: Array, cut: Array) -> Array:
    """New point index of each corner of each cell, (m, dim + 1)."""
    m, k = cells.shape
    # Two corners at one point are joined where their cells share an uncut facet that holds the point.
    order = np.argsort(number.ravel(), kind="stable")
    sorted_number = number.ravel()[order]
    same = np.flatnonzero((sorted_number[1:] == sorted_number[:-1]) & ~np.isin(sorted_number[1:], cut))
    a, b = _facet_corners(cells, order[same], k), _facet_corners(cells, order[same + 1], k)
    graph = coo_matrix((np.ones(a.size), (a.ravel(), b.ravel())), shape=(m * k, m * k))
    group = connected_components(graph, directed=False)[1]
    # Points off the cut keep their number even if the mesh hangs together at them by that point only.
    on_cut = np.zeros(cells.max() + 1, bool)
    on_cut[of_cell[np.isin(number, cut)]] = True
    group = np.where(on_cut[cells.ravel()], group, -1)
    return _number_groups(cells.ravel(), group).reshape(m, k)


def _facet_corners(cells: Array, facet: Array, k: int) -> Array:
    """Corners (cell · k + local index) of facets (cell · k + opposite vertex), sorted by their point, (n,
    dim).
    """
    cell, opposite = np.divmod(facet, k)
    local = np.stack([np.delete(np.arange(k), i) for i in range(k)])[opposite]
    corner = cell[:, None] * k + local
    by_point = np.argsort(cells.ravel()[corner], axis=1)
    return np.take_along_axis(corner, by_point, axis=1)


def _number_groups(point: Array, group: Array) -> Array:
    """The first group at each point keeps its number, the others get new ones in order of appearance."""
    pairs, first, inverse = np.unique(
        np.stack([point, group], 1), axis=0, return_index=True, return_inverse=True
    )
    order = np.lexsort((first, pairs[:, 0]))
    keeps = np.ones(len(pairs), bool)
    keeps[order[1:]] = pairs[order[1:], 0] != pairs[order[:-1], 0]
    new = pairs[:, 0].copy()
    added = order[~keeps[order]]
    new[added] = point.max() + 1 + np.arange(len(added))
    return new[inverse.reshape(-1)]


def _copies(cells: Array, corner: Array, n: int) -> Array:
    """The old point of each added one."""
    added = corner.ravel() >= n
    old = np.empty(corner.max() + 1 - n, np.int64) if corner.max() >= n else np.empty(0, np.int64)
    old[corner.ravel()[added] - n] = cells.ravel()[added]
    return old


def _both_cells(number: Array, cut: Array) -> tuple[Array, Array]:
    order = np.argsort(number.ravel(), kind="stable")
    start = np.searchsorted(number.ravel()[order], cut)
    k = number.shape[1]
    return order[start] // k, order[start + 1] // k


def _cell_at(of_cell: Array, facets: Array) -> Array:
    """One cell that has each facet."""
    number, wanted = facet_numbers(of_cell, facets)
    order = np.argsort(number.ravel(), kind="stable")
    return order[np.searchsorted(number.ravel()[order], wanted)] // number.shape[1]


def _renumber(facets: Array, cells: Array, corner: Array, cell: Array) -> Array:
    """Facets as seen from one of their cells after the cut."""
    at = cells[cell][:, None, :] == facets[:, :, None]
    return np.take_along_axis(corner[cell], at.argmax(2), axis=1)
