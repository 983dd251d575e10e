"""The mesh of the bulk that a case asks for, and what is held of its boundary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coupling.assemble import OUTER, Held
from coupling.regions import Mask, Shape
from meshes.ball import graded_ball
from meshes.data import MeshData
from meshes.disc import Band, Slit, graded_disc, graded_plate
from meshes.importing import read_mesh
from meshes.lattice import LatticePatch, longest_edge
from multiscale.block import block_mesh, projected_lattice
from multiscale.config import Case, InputError
from multiscale.config.loads import OpeningLoad
from multiscale.loads.opening import GRIPS
from multiscale.tip import tip_mesh
from nnp.crystal import Crystal

Array = np.ndarray


def make_mesh_data(
    case: Case, crystal: Crystal, mask: Mask | None, tip: tuple[float, float] | None = None
) -> MeshData:
    """The mesh of the bulk: read from a file, or graded around the core with a node on each lattice site of the
    blend zone (one size h where that is given; with that size from the tip or the centre outwards without a mask).
    tip: where its slit ends, if not at the case's crack tip."""
    config, geometry = case.continuum.mesh, case.geometry
    if config.file is not None:
        return _imported(case, config.file)
    if geometry.shape == "block" and mask is not None:
        return block_mesh(case, crystal, mask)
    if geometry.shape == "tip" and mask is not None:
        return tip_mesh(case, crystal, mask)
    vectors = projected_lattice(crystal)
    spacing = float(np.linalg.norm(vectors, axis=1).max())
    along = None if geometry.crack is None else np.array([1.0, 0.0])
    hole = None
    if mask is not None:  # the hole's rim may stray outwards by an edge
        hole = widened(mask.core, -longest_edge(vectors, along))
    sizes: dict[str, Any] = {"growth": config.growth, "h_max": config.h_max}
    try:
        if geometry.shape == "ball":
            return graded_ball(
                geometry.outer, hole=hole, h=config.h or spacing, centre=geometry.middle, **sizes
            )
        through = case.interface.law != "none"
        crack = None if geometry.crack is None else Slit(tip or geometry.crack.tip, through)
        patch = None
        if config.h is None and mask is not None:
            patch = LatticePatch(vectors, node_origin(case), widened(mask.core, mask.blend + spacing))
        sizes |= {"h": config.h if mask is not None else config.h or spacing, "hole": hole, "patch": patch,
                  "crack": crack, "centre": geometry.middle[:2], "band": _band(case, config.h or spacing)}  # fmt: skip
        if geometry.shape == "plate":
            return graded_plate(geometry.extent, **sizes)
        return graded_disc(geometry.outer, **sizes)
    except ValueError as error:
        raise InputError("continuum.mesh", str(error)) from error


def _band(case: Case, h: float) -> Band | None:
    """Where the crack plane is meshed finely ahead of the tip."""
    mesh = case.continuum.mesh
    if mesh.interface_length is None:
        return None
    return Band(mesh.interface_h or h, mesh.interface_length)


def _imported(case: Case, file: str) -> MeshData:
    """A mesh file that has the boundaries which the case needs."""
    try:
        mesh = read_mesh(file)
    except ValueError as error:
        raise InputError("continuum.mesh.file", str(error)) from error
    dim = case.geometry.dim
    needed = [tag for tag, _ in held(case)]
    if case.geometry.crack is not None:
        needed += ["crack_upper", "crack_lower"]
    if case.interface.law != "none":
        needed += ["interface_upper", "interface_lower"]
    missing = [tag for tag in needed if tag not in mesh.tags]
    if mesh.dim != dim:
        message = f"holds a mesh in {mesh.dim} dimensions, a {case.geometry.shape} needs {dim}"
        raise InputError("continuum.mesh.file", message)
    if missing:
        have = ", ".join(sorted(mesh.tags)) or "none"
        message = (
            f"lacks the boundary {' and '.join(missing)} as a named group of facets; it has {have} "
            "(physical groups of gmsh, groups of MED, sets of Abaqus and Exodus count)"
        )
        raise InputError("continuum.mesh.file", message)
    _check_size(case, mesh)
    return mesh


def _check_size(case: Case, mesh: MeshData) -> None:
    """A mesh in other units than Å is not of the size that the case says."""
    if case.geometry.shape in ("disc", "ball"):
        centre = np.asarray(case.geometry.middle)[: mesh.dim]
        have, want = np.linalg.norm(mesh.points - centre, axis=1).max(), case.geometry.outer
        if not 0.5 < have / want < 2.0:
            text = f"reaches {have / 10:.4g} nm from the centre, geometry.radius is {want / 10:.4g} nm"
            raise InputError("continuum.mesh.file", f"its outer boundary {text}; coordinates are in Å")


def widened(shape: Shape, margin: float) -> Callable[[Array], Array]:
    return lambda points: shape.distance(np.asarray(points)) - margin


def node_origin(case: Case) -> Array:
    """A lattice node on the crack plane, so that a row of nodes lies along the crack."""
    crack = case.geometry.crack
    return np.zeros(2) if crack is None else np.array([0.0, crack.tip[1]])


def held(case: Case) -> Held:
    """What the load holds of the mesh's boundary."""
    return GRIPS[case.load.grips] if isinstance(case.load, OpeningLoad) else OUTER
