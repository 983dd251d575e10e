"""One gmsh model at a time, quiet, and closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gmsh
import numpy as np

Array = np.ndarray


@contextmanager
def gmsh_model() -> Iterator[None]:
    """An empty gmsh model in which element sizes come from the background field alone."""
    opened = not gmsh.isInitialized()
    if opened:
        gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.option.setNumber("General.NumThreads", 1)  # the same mesh whatever the machine
    for name in ("ExtendFromBoundary", "FromPoints", "FromCurvature"):
        gmsh.option.setNumber(f"Mesh.MeshSize{name}", 0)
    gmsh.model.add("mesh")
    try:
        yield
    finally:
        gmsh.model.remove()
        if opened:
            gmsh.finalize()


def size_field(
    points: list[int], h: float, growth: float, h_max: float, fine: tuple[list[int], float] | None = None
) -> None:
    """Element size h + (growth − 1) · distance from the nearest of the geometric points, at most h_max; or from
    those of `fine` with their own h where that is less."""
    fields = [_threshold(points, h, growth, h_max)]
    if fine is not None and fine[0]:
        fields.append(_threshold(*fine, growth, h_max))
    least = gmsh.model.mesh.field.add("Min")
    gmsh.model.mesh.field.setNumbers(least, "FieldsList", fields)
    gmsh.model.mesh.field.setAsBackgroundMesh(least)


def _threshold(points: list[int], h: float, growth: float, h_max: float) -> int:
    distance = gmsh.model.mesh.field.add("Distance")
    gmsh.model.mesh.field.setNumbers(distance, "PointsList", points)
    size = gmsh.model.mesh.field.add("Threshold")
    reach = max(h_max - h, 0.0) / max(growth - 1.0, 1e-6)
    options = {
        "InField": distance,
        "SizeMin": h,
        "SizeMax": max(h, h_max),
        "DistMin": 0.0,
        "DistMax": max(reach, h),
    }
    for name, value in options.items():
        gmsh.model.mesh.field.setNumber(size, name, value)
    return int(size)


def mesh_arrays(dim: int) -> tuple[Array, Array]:
    """Points (n, dim) and simplices (m, dim + 1) of the generated mesh."""
    tags, x, _ = gmsh.model.mesh.getNodes()
    kind = {2: 2, 3: 4}[dim]  # gmsh's numbers of the triangle and the tetrahedron
    nodes = gmsh.model.mesh.getElementsByType(kind)[1]
    number = np.full(int(tags.max()) + 1, -1)
    number[tags.astype(np.int64)] = np.arange(len(tags))
    return x.reshape(-1, 3)[:, :dim].copy(), number[nodes.astype(np.int64)].reshape(-1, dim + 1)
