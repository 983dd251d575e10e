"""Where a plane cuts tetrahedra."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def slice_tetrahedra(points: Array, cells: Array, z: float = 0.0) -> tuple[Array, Array]:
    """Polygons (k, 4, 2) in which the plane at height z cuts tetrahedra (m, 4), and the cell (k,) of each.

    A triangle is given as a quadrilateral with its last corner twice.
    """
    height = points[:, 2] - z
    height = np.where(height == 0.0, 1e-12, height)  # a corner in the plane counts as above it
    above = height[cells] > 0.0
    count = above.sum(axis=1)
    one, two = np.nonzero((count == 1) | (count == 3))[0], np.nonzero(count == 2)[0]
    return (
        np.concatenate(
            [
                _triangles(points, height, cells[one], above[one]),
                _quads(points, height, cells[two], above[two]),
            ]
        ),
        np.concatenate([one, two]),
    )


def _triangles(points: Array, height: Array, cells: Array, above: Array) -> Array:
    lonely = np.where(above.sum(axis=1, keepdims=True) == 1, above, ~above)
    order = np.argsort(~lonely, axis=1, kind="stable")  # the corner alone on its side first
    c = np.take_along_axis(cells, order, axis=1)
    edges = [_cut(points, height, c[:, 0], c[:, k]) for k in (1, 2, 3, 3)]
    return np.stack(edges, axis=1)


def _quads(points: Array, height: Array, cells: Array, above: Array) -> Array:
    c = np.take_along_axis(cells, np.argsort(~above, axis=1, kind="stable"), axis=1)
    edges = [_cut(points, height, c[:, p], c[:, q]) for p, q in ((0, 2), (0, 3), (1, 3), (1, 2))]
    return np.stack(edges, axis=1)


def _cut(points: Array, height: Array, p: Array, q: Array) -> Array:
    """Where the edges from p to q meet the plane, (k, 2)."""
    t = (height[p] / (height[p] - height[q]))[:, None]
    return (1.0 - t) * points[p, :2] + t * points[q, :2]
