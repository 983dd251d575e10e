"""A mesh given on one rank, spread over all of them, with its tagged facets as nodes of a space."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI

from coupling.partition import bisected
from meshes.data import MeshData, cell_facets, facet_numbers
from multiscale.continuum import compat

Array = np.ndarray


def spread(comm: Any, data: MeshData | None, ranks: int | None = None) -> tuple[Any, dict[str, Array]]:
    """The mesh over all ranks, or over the last ones of them, and its tags on every rank. `data` counts on rank 0 only.
    Collective."""
    given = data if comm.rank == 0 else None
    dim, tags = comm.bcast(given and (given.dim, dict(given.tags)))
    points, cells = np.empty((0, dim)), np.empty((0, dim + 1), np.int64)
    if given is not None:
        points, cells = given.points, given.cells
    if ranks is None or ranks == comm.size:
        return compat.create_mesh(comm, points, cells), tags
    middle = points[cells].mean(axis=1) if len(cells) else np.empty((0, dim))
    owner = comm.size - ranks + bisected(comm, middle, np.ones(len(cells)), ranks)
    return compat.create_mesh(comm, points, cells, goals(cells, owner)), tags


def goals(cells: Array, owner: Array) -> tuple[Array, Array]:
    """Where cells (n, dim + 1), the whole mesh or none, go: their owners (n,), and to those of the cells across their
    facets as copies. All of them one after the other, and the offsets (n + 1,) of the cells."""
    n, cell = len(cells), np.repeat(np.arange(len(cells)), cells.shape[1])
    number = facet_numbers(cell_facets(cells))[0].ravel()
    order = np.argsort(number, kind="stable")
    same = np.flatnonzero(number[order][1:] == number[order][:-1])
    a, b = cell[order[same]], cell[order[same + 1]]
    copies = np.stack([np.concatenate([a, b]), owner[np.concatenate([b, a])]], axis=1)
    copies = np.unique(copies[copies[:, 1] != owner[copies[:, 0]]], axis=0)
    rows = np.concatenate([np.arange(n), copies[:, 0]])
    data = np.concatenate([owner, copies[:, 1]])[np.argsort(rows, kind="stable")]
    return data, np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])


def owned_cells(mesh: Any) -> Array:
    return np.arange(mesh.topology.index_map(mesh.topology.dim).size_local, dtype=np.int32)


def facet_nodes(space: Any, degree: int, facets: Array) -> Array:
    """Global nodes of facets (k, dim) given as points of the original mesh: (k, dim) of the corners in the
    same order, then with degree 2 one on each edge (the edge of corners 0-1; in 3D 0-1, 0-2, 1-2). Same on
    all ranks. Collective.
    """
    mesh = space.mesh
    cells = owned_cells(mesh)
    given = np.asarray(mesh.geometry.input_global_indices, np.int64)[compat.geometry_dofmap(mesh)[cells]]
    of_cell = cell_facets(given)
    number, wanted = facet_numbers(of_cell, facets)
    order = np.argsort(number.ravel(), kind="stable")
    at = np.searchsorted(number.ravel()[order], wanted)
    at = np.minimum(at, max(len(order) - 1, 0))
    here = np.flatnonzero(number.ravel()[order][at] == wanted) if len(order) else np.empty(0, np.int64)
    cell = order[at[here]] // number.shape[1]
    corner = (given[cell][:, None, :] == facets[here][:, :, None]).argmax(2)
    nodes = _nodes_of_facet(space, degree, cell, corner)
    out = np.full((len(facets), nodes.shape[1]), -1)
    out[here] = nodes
    mesh.comm.Allreduce(MPI.IN_PLACE, out, MPI.MAX)
    return out


def _nodes_of_facet(space: Any, degree: int, cell: Array, corner: Array) -> Array:
    local = compat.dofmap(space)[cell]
    columns = [corner]
    if degree == 2:
        edge_of = _edge_numbers(space.mesh.topology.dim)
        pairs = [(i, j) for i in range(corner.shape[1]) for j in range(i + 1, corner.shape[1])]
        columns += [edge_of[corner[:, i], corner[:, j]][:, None] for i, j in pairs]
    chosen = np.take_along_axis(local, np.concatenate(columns, axis=1), axis=1)
    to_global = space.dofmap.index_map.local_to_global
    return np.asarray(to_global(chosen.ravel().astype(np.int32)), np.int64).reshape(chosen.shape)


def _edge_numbers(dim: int) -> Array:
    """Column of the quadratic node between two corners: edges are numbered by their opposite corners, last
    first.
    """
    corners = range(dim + 1)
    out = np.zeros((dim + 1, dim + 1), np.int64)
    edges = [(i, j) for i in corners for j in corners if i < j]
    for k, (i, j) in enumerate(reversed(edges)):
        out[i, j] = out[j, i] = dim + 1 + k
    return out
