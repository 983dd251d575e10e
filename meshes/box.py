"""Structured meshes of rectangles and boxes, for specimens and tests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from meshes.data import MeshData, boundary_facets, make_mesh

Array = np.ndarray


def box_mesh(low: Sequence[float], high: Sequence[float], n: Sequence[int]) -> MeshData:
    """The box [low, high] cut into n equal bricks along each axis, each brick into dim! congruent-volume
    simplices.

    Two or three axes. Tags: "outer" (the whole boundary) and each side: "left", "right" (first axis),
    "bottom", "top" (second), "back", "front" (third).
    """
    if not len(low) == len(high) == len(n) or len(low) not in (2, 3):
        raise ValueError("a box needs two or three lower bounds, upper bounds and counts")
    if min(n) < 1 or any(b <= a for a, b in zip(low, high)):
        raise ValueError(
            "a box needs at least one element along each axis and upper bounds above the lower ones"
        )
    axes = [np.linspace(a, b, k + 1) for a, b, k in zip(low, high, n)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(n))
    mesh = make_mesh(points, kuhn_simplices(n))
    outer = boundary_facets(mesh.cells)
    tags = {"outer": outer}
    names = (("left", "right"), ("bottom", "top"), ("back", "front"))
    for axis, pair in enumerate(names[: len(n)]):
        for name, value in zip(pair, (low[axis], high[axis])):
            tags[name] = outer[(points[outer, axis] == value).all(1)]
    return make_mesh(points, mesh.cells, tags)


def kuhn_simplices(n: Sequence[int]) -> Array:
    """Kuhn's simplices of a grid of n bricks, (n.prod() · dim!, dim + 1) indices of its (n + 1).prod()
    points.

    Each simplex is a path along the brick's edges from its lowest to its highest corner, one axis after
    another; translated bricks agree on their common faces.
    """
    shape = tuple(int(k) + 1 for k in n)
    corner = np.stack(np.meshgrid(*[np.arange(k) for k in n], indexing="ij"), -1).reshape(-1, 1, 1, len(n))
    unit = np.eye(len(n), dtype=int)
    paths = [
        np.cumsum(np.concatenate([0 * unit[:1], unit[list(p)]]), axis=0) for p in permutations(range(len(n)))
    ]
    at = corner + np.stack(paths)
    return np.ravel_multi_index(tuple(np.moveaxis(at, -1, 0)), shape).reshape(-1, len(n) + 1)
