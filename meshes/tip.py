"""A tip over a block: two meshes in one, apart from each other all along the gap between their surfaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from meshes.block import graded_block
from meshes.data import MeshData, boundary_facets, make_mesh

Array = np.ndarray


def block_and_tip(
    size: Sequence[float],
    radius: float,
    fine: Sequence[float] | Array,
    h: Sequence[float] | Array,
    growth: float = 1.25,
    hole: Callable[[Array], Array] | None = None,
    h_max: float | None = None,
) -> MeshData:
    """Triangles in a block |x| ≤ size[0]/2, −size[1] ≤ y ≤ 0, and in a tip x²/(2 radius) ≤ y ≤ size[1] over it, Å.

    Each is a meshes.block.graded_block with its fine part, spacing, growth and hole; that of the tip is turned over
    and its columns are shortened from below. The nodes of the tip's surface lie on the parabola.

    Tags: "lower_surface" and "upper_surface" (outside the hole), "outer" (bottom of the block and top of the tip;
    the sides are free) and "inner" (the hole's rim). ValueError where the shapes do not fit into each other.
    """
    height = float(size[1])
    if (0.5 * size[0]) ** 2 / (2.0 * radius) >= 0.9 * height:
        raise ValueError(
            "the gap under the tip reaches its top: make the body higher or narrower, or the radius larger"
        )

    def lifted(points: Array) -> Array:
        x, up = points[:, 0], -points[:, 1] / height
        low = profile(x, radius)
        return np.stack([x, low + up * (height - low)], axis=1)

    under = None if hole is None else lambda points: hole(lifted(points))
    block = graded_block(size, fine, h, growth, hole, h_max)
    over = graded_block(size, fine, h, growth, under, h_max)
    n = len(block.points)
    points = np.concatenate([block.points, lifted(over.points)])
    mesh = make_mesh(points, np.concatenate([block.cells, over.cells + n]))
    surfaces = {"lower_surface": block.tags["surface"], "upper_surface": over.tags["surface"] + n}
    facets = boundary_facets(mesh.cells)
    held = (np.abs(np.abs(mesh.points[facets][..., 1]) - height) < 1e-9 * height).all(axis=1)
    tags = {**surfaces, "outer": facets[held]}
    rims = [m.tags["inner"] + k for m, k in ((block, 0), (over, n)) if "inner" in m.tags]
    return make_mesh(mesh.points, mesh.cells, {**tags, **({"inner": np.concatenate(rims)} if rims else {})})


def profile(x: Array, radius: float) -> Array:
    """Height of the tip's surface, x²/(2R), Å."""
    return x**2 / (2.0 * radius)
