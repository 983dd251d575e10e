"""The one mesh object: points, simplices and tagged facets, as plain arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

Array = np.ndarray


@dataclass(frozen=True)
class MeshData:
    """A conforming mesh of triangles (dim = 2) or tetrahedra (dim = 3).

    points: (n, dim) Å; cells: (m, dim + 1) point indices, positively oriented; tags: name -> (k, dim) facets
    as point indices. `make_mesh` builds one from unchecked arrays.
    """

    points: Array
    cells: Array
    tags: Mapping[str, Array] = field(default_factory=dict)

    @property
    def dim(self) -> int:
        return self.points.shape[1]

    def volumes(self) -> Array:
        """Area or volume of each cell, (m,)."""
        return signed_volumes(self.points, self.cells)

    def quality(self) -> Array:
        """Radius ratio dim · inradius / circumradius of each cell, (m,): 1 for a regular simplex, 0 for a
        flat one.
        """
        return self.dim * _inradius(self.points, self.cells) / _circumradius(self.points, self.cells)


def make_mesh(points: Array, cells: Array, tags: Mapping[str, Array] | None = None) -> MeshData:
    """Checked mesh: unused points dropped, cells oriented positively.

    Raises ValueError where the arrays are no conforming simplex mesh: wrong shapes, indices out of range, no
    cells, flat cells, three cells at one facet, a point inside a boundary facet, a tag that is no facet.
    """
    points, cells = np.asarray(points, float), np.asarray(cells, np.int64)
    tags = {k: np.asarray(f, np.int64).reshape(-1, cells.shape[-1] - 1) for k, f in (tags or {}).items()}
    _check_shapes(points, cells)
    points, cells, tags = _drop_unused(points, cells, tags)
    cells = _oriented(points, cells)
    mesh = MeshData(points, cells, tags)
    _check_conforming(mesh)
    return mesh


def signed_volumes(points: Array, cells: Array) -> Array:
    v = points[cells]
    return np.linalg.det(v[:, 1:] - v[:, :1]) / math.factorial(points.shape[1])


def cell_facets(cells: Array) -> Array:
    """Facets of each cell, (m, dim + 1, dim): facet i is opposite vertex i, points in the cell's order."""
    k = cells.shape[1]
    return np.stack([np.delete(cells, i, axis=1) for i in range(k)], axis=1)


def facet_numbers(*facet_arrays: Array) -> list[Array]:
    """One number per facet, equal where two facets (..., dim) have the same points in whatever order."""
    d = facet_arrays[0].shape[-1]
    flat = np.sort(np.concatenate([f.reshape(-1, d) for f in facet_arrays]), axis=1)
    number = np.unique(flat, axis=0, return_inverse=True)[1].reshape(-1)
    stops = np.cumsum([f.size // d for f in facet_arrays])[:-1]
    return [n.reshape(f.shape[:-1]) for n, f in zip(np.split(number, stops), facet_arrays)]


def boundary_facets(cells: Array) -> Array:
    """Facets that belong to one cell only, (k, dim)."""
    facets = cell_facets(cells)
    (number,) = facet_numbers(facets)
    count = np.bincount(number.ravel())
    return facets[count[number] == 1]


def _check_shapes(points: Array, cells: Array) -> None:
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        raise ValueError("the points of a mesh are given as (n, 2) or (n, 3) coordinates")
    if cells.ndim != 2 or cells.shape[1] != points.shape[1] + 1:
        raise ValueError("a plane mesh consists of triangles, a solid one of tetrahedra")
    if len(cells) == 0:
        raise ValueError("the mesh has no cells")
    if not np.isfinite(points).all():
        raise ValueError("the mesh has points whose coordinates are not finite")
    if cells.min() < 0 or cells.max() >= len(points):
        raise ValueError("a cell of the mesh names a point that does not exist")


def _drop_unused(
    points: Array, cells: Array, tags: dict[str, Array]
) -> tuple[Array, Array, dict[str, Array]]:
    used = np.unique(cells)
    new = np.full(len(points) + 1, -1)
    new[used] = np.arange(len(used))
    for name, facets in tags.items():
        if facets.size and (facets.min() < 0 or facets.max() >= len(points) or (new[facets] < 0).any()):
            raise ValueError(f"the tag '{name}' names points that no cell of the mesh uses")
    return points[used], new[cells], {name: new[f] for name, f in tags.items()}


def _oriented(points: Array, cells: Array) -> Array:
    volume = signed_volumes(points, cells)
    v = points[cells]
    size = np.linalg.norm(v[:, 1:] - v[:, :1], axis=2).max(1) ** points.shape[1]
    flat = np.abs(volume) <= 1e-10 * size
    if flat.any():
        raise ValueError(f"the mesh has flat cells: {flat.sum()} of {len(cells)}")
    swapped = cells.copy()
    swapped[volume < 0, :2] = cells[volume < 0, 1::-1]
    return swapped


def _check_conforming(mesh: MeshData) -> None:
    facets = cell_facets(mesh.cells)
    number, *tagged = facet_numbers(facets, *mesh.tags.values())
    count = np.bincount(number.ravel(), minlength=max((t.max(initial=0) for t in tagged), default=0) + 1)
    if count.max() > 2:
        raise ValueError("more than two cells of the mesh share one facet")
    folded = _folded(facets, number)
    if folded:
        raise ValueError(f"cells lie over each other, at {folded} of the facets between them")
    for name, t in zip(mesh.tags, tagged):
        if (count[t] == 0).any():
            raise ValueError(f"the tag '{name}' holds facets that belong to no cell of the mesh")
    _check_no_hanging_point(mesh.points, facets[count[number] == 1])


def _folded(facets: Array, number: Array) -> int:
    """How many facets of two cells have both on the same side: positive cells go round a facet in opposite senses."""
    d = facets.shape[-1]
    pairs = [(i, j) for j in range(d) for i in range(j)]
    sense = np.prod([np.sign(facets[..., j] - facets[..., i]) for i, j in pairs], axis=0)
    sense = sense * (-1) ** np.arange(d + 1)
    flat = number.ravel()
    shared = np.bincount(flat) == 2
    return int((shared & (np.bincount(flat, sense.ravel()) != 0)).sum())


def _check_no_hanging_point(points: Array, boundary: Array) -> None:
    """A point inside a boundary facet means that two cells meet there without sharing the facet."""
    v = points[boundary]
    middle = v.mean(axis=1)
    reach = np.linalg.norm(v - middle[:, None], axis=2).max(1)
    near = cKDTree(points).query_ball_point(middle, 0.999999 * reach)
    count = np.asarray([len(n) for n in near])
    facet = np.repeat(np.arange(len(boundary)), count)
    point = np.concatenate([np.asarray(n, np.int64) for n in near]) if len(near) else facet
    edges = v[facet, 1:] - v[facet, :1]
    offset = points[point] - v[facet, 0]
    weights = np.einsum("nkd,nd->nk", np.linalg.pinv(np.swapaxes(edges, 1, 2)), offset)
    off_plane = np.linalg.norm(offset - np.einsum("nk,nkd->nd", weights, edges), axis=1)
    inside = (
        (weights.min(1, initial=1.0) > 1e-9) & (weights.sum(1) < 1 - 1e-9) & (off_plane < 1e-9 * reach[facet])
    )
    if inside.any():
        raise ValueError(f"the mesh is not conforming: points inside facets of other cells: {inside.sum()}")


def _circumradius(points: Array, cells: Array) -> Array:
    v = points[cells]
    edges = v[:, 1:] - v[:, :1]
    centre = np.linalg.solve(2 * edges, np.sum(edges**2, axis=2)[..., None])[..., 0]
    return np.linalg.norm(centre, axis=1)


def _inradius(points: Array, cells: Array) -> Array:
    d = points.shape[1]
    v = points[cell_facets(cells)]
    edges = v[:, :, 1:] - v[:, :, :1]
    gram = edges @ np.swapaxes(edges, -1, -2)
    surface = np.sqrt(np.abs(np.linalg.det(gram))).sum(1) / math.factorial(d - 1)
    return d * np.abs(signed_volumes(points, cells)) / surface
