"""A block under a free surface, meshed finely around an atomistic core and ever more coarsely outwards.

A regular grid under the middle of the surface is wrapped in shells: its skin, blown up about the middle of the surface
until it is the boundary of the block. Elements keep their shape on the way out and grow with the distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from meshes.box import kuhn_simplices
from meshes.data import MeshData, boundary_facets, make_mesh

Array = np.ndarray


def graded_block(
    size: Sequence[float] | Array,
    fine: Sequence[float] | Array,
    h: Sequence[float] | Array,
    growth: float = 1.25,
    hole: Callable[[Array], Array] | None = None,
    h_max: float | None = None,
) -> MeshData:
    """Triangles or tetrahedra in |x| ≤ size[0]/2, −size[1] ≤ y ≤ 0 (and |z| ≤ size[2]/2), Å.

    fine: half widths (depth along y) that the regular grid covers at least; h: its spacing along each axis, nodes at
    multiples of it; hole: signed distance of points (n, dim) from the atomistic core, negative inside: cells of the
    grid with all corners in it are left out. growth: ratio of the thicknesses of neighbouring shells, at most h_max.

    Tags: "surface" (y = 0), "outer" (the sides and the bottom) and "inner" (the hole's rim). ValueError where the
    shapes do not fit into each other.
    """
    extent, spacing = np.asarray(size, float), np.asarray(h, float)
    _check(extent, np.asarray(fine, float), spacing, growth)
    count = np.ceil(np.asarray(fine, float) / spacing - 1e-9).astype(int)
    half = np.where(np.arange(len(extent)) == 1, extent, 0.5 * extent)
    if (count * spacing >= half).any():
        raise ValueError(
            "the finely meshed part under the surface reaches the sides or the bottom of the block"
        )
    points, cells = _grid(count, spacing)
    skin = _skin(points, cells, count * spacing)
    layers = _layers(half / (count * spacing), half - count * spacing, spacing, growth, h_max)
    if hole is not None:
        cells = cells[(hole(points)[cells] > 1e-9).any(axis=1)]
    points, cells = _wrap(points, cells, skin, layers)
    mesh = make_mesh(points, cells)
    return make_mesh(mesh.points, mesh.cells, _tags(mesh, half))


def _check(size: Array, fine: Array, h: Array, growth: float) -> None:
    if not len(size) == len(fine) == len(h) or len(size) not in (2, 3):
        raise ValueError("a block needs two or three sizes, and as many spacings")
    if min(size.min(), fine.min(), h.min()) <= 0:
        raise ValueError("the sizes and spacings of a block must be positive")
    if not 1 < growth < 3:
        raise ValueError(
            f"growth is the ratio of neighbouring element sizes, above 1 and below 3, not {growth}"
        )


def _grid(count: Array, h: Array) -> tuple[Array, Array]:
    """Nodes and simplices of the regular grid: 2 · count cells along x and z, count along y below the surface."""
    axes = [h[k] * np.arange(-n, (0 if k == 1 else n) + 1) for k, n in enumerate(count)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(count))
    return points, kuhn_simplices([len(a) - 1 for a in axes])


def _skin(points: Array, cells: Array, half: Array) -> Array:
    """Facets of the grid on its sides and its bottom."""
    facets = boundary_facets(cells)
    return facets[~(np.abs(points[facets][..., 1]) < 1e-9 * half[1]).all(axis=1)]


def _layers(ratio: Array, gap: Array, h: Array, growth: float, h_max: float | None) -> Array:
    """Factors (k, dim) by which the skin is blown up, from 1 to `ratio`, in shells that thicken by `growth`."""
    along = int(np.argmax(gap))
    thickness = [float(h[along])]
    while sum(thickness) < gap[along]:
        thickness.append(min(thickness[-1] * growth, h_max or np.inf))
    t = np.cumsum(thickness) / sum(thickness)
    return 1.0 + np.concatenate([[0.0], t])[:, None] * (ratio - 1.0)


def _wrap(points: Array, cells: Array, skin: Array, layers: Array) -> tuple[Array, Array]:
    """The grid and its shells. A prism between two shells is cut along the diagonals that start at the lower node
    numbers, so that neighbours agree."""
    used, local = np.unique(skin, return_inverse=True)
    sides = np.sort(local.reshape(skin.shape), axis=1)
    n, d = len(used), skin.shape[1]
    shells = (points[used] * layers[1:, None]).reshape(-1, points.shape[1])
    number = np.concatenate([used, len(points) + np.arange(len(shells))]).reshape(len(layers), n)
    parts = [cells]
    for inner, outer in pairwise(number):
        parts += [np.concatenate([inner[sides[:, : k + 1]], outer[sides[:, k:]]], axis=1) for k in range(d)]
    return np.concatenate([points, shells]), np.concatenate(parts)


def _tags(mesh: MeshData, half: Array) -> dict[str, Array]:
    facets = boundary_facets(mesh.cells)
    x = mesh.points[facets]
    small = 1e-9 * half.max()
    top = (np.abs(x[..., 1]) < small).all(axis=1)
    reach = np.where(np.arange(len(half)) == 1, -x, np.abs(x))
    outer = (np.abs(reach - half) < small).all(axis=1).any(axis=1)
    tags = {"surface": facets[top], "outer": facets[outer]}
    rest = ~top & ~outer
    return {**tags, "inner": facets[rest]} if rest.any() else tags
