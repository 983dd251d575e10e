"""Checks of the atomistic core: its shape, its place in the domain, the width of the blend around it."""

from __future__ import annotations

import math
import typing

from multiscale.config.case import Case, GeometryConfig, RegionsConfig, ShapeConfig
from multiscale.config.errors import InputError
from multiscale.config.lengths import nm

BLEND_SPACINGS = 3.0
"""Narrowest blend, in nearest-neighbour distances."""

# Nearest-neighbour distance over lattice constant.
_SPACING = {"sc": 1.0, "fcc": 0.5**0.5, "bcc": 0.75**0.5, "diamond": 3**0.5 / 4, "zincblende": 3**0.5 / 4,
            "rocksalt": 0.5, "triangular": 1.0}  # fmt: skip


def lattice_spacing(structure: str, a: float) -> float:
    """Nearest-neighbour distance of a structure with lattice constant a, Å."""
    return _SPACING[structure] * a


def check_blend(case: Case, a: float) -> None:
    """Raise InputError when the blend is narrower than three lattice spacings, at lattice constant a, Å."""
    if case.regions is None or case.coupling.scheme == "atomistic":
        return
    spacing = lattice_spacing(case.crystal.structure, a)
    for key in ("radius", "size"):
        extent = getattr(case.regions.core, key)
        if extent is not None and min((extent,) if key == "radius" else extent) < spacing:
            came = nm(extent) if key == "radius" else f"[{', '.join(nm(s) for s in extent)}]"
            raise InputError(
                f"regions.core.{key}", f"must be at least one lattice spacing = {nm(spacing)}, got {came}"
            )
    if case.regions.blend < BLEND_SPACINGS * spacing * (1 - 1e-9):
        raise InputError(
            "regions.blend",
            f"must be at least {BLEND_SPACINGS:g} lattice spacings = {BLEND_SPACINGS * spacing / 10:.4g} nm, "
            f"got {nm(case.regions.blend)}",
        )


def core_center(regions: RegionsConfig, geometry: GeometryConfig) -> tuple[float, ...]:
    """Position of the core's centre, as many components as the domain has dimensions."""
    dim, given = geometry.dim, regions.core.center
    if given == "origin":
        return (0.0,) * dim
    if given == "tip":
        if geometry.crack is None:
            raise InputError("regions.core.center", "is tip, but geometry.crack is not given")
        return (*geometry.crack.tip, 0.0)[:dim]
    if len(given) != dim:
        message = f"must have {dim} entries for a {geometry.shape}, got {len(given)}"
        raise InputError("regions.core.center", message)
    return typing.cast("tuple[float, ...]", given)


def _check_core(core: ShapeConfig, dim: int) -> None:
    wrong = {2: "ball", 3: "disc"}[dim]
    if core.shape == wrong:
        right = {2: "disc", 3: "ball"}[dim]
        raise InputError("regions.core.shape", f"must be {right} or box in a {dim}D domain, got {wrong}")
    needed, other = ("size", "radius") if core.shape == "box" else ("radius", "size")
    if getattr(core, needed) is None:
        raise InputError(f"regions.core.{needed}", f"is missing; a {core.shape} needs it")
    if getattr(core, other) is not None:
        raise InputError(f"regions.core.{other}", f"does not belong to a {core.shape}, which has a {needed}")
    if core.size is not None and len(core.size) != dim:
        raise InputError("regions.core.size", f"must have {dim} entries, got {len(core.size)}")


def check_regions(case: Case) -> None:
    regions, geometry = case.regions, case.geometry
    if regions is None:
        if case.coupling.scheme not in ("atomistic", "continuum"):
            raise InputError(
                "regions", "is missing; only coupling.scheme atomistic or continuum does without"
            )
        return
    if case.coupling.scheme == "continuum":
        raise InputError("regions", "must be null with coupling.scheme continuum, which has no atoms")
    _check_core(regions.core, geometry.dim)
    center = core_center(regions, geometry)
    reach = regions.core.radius if regions.core.size is None else math.hypot(*regions.core.size) / 2
    assert reach is not None
    needed = math.dist(center, geometry.middle) + reach + regions.blend
    if case.coupling.scheme == "atomistic":
        return
    if geometry.shape == "block":
        _check_under_surface(case)
    elif geometry.shape == "plate":
        room = min(0.5 * s - abs(c - m) for c, m, s in zip(center, geometry.middle, geometry.extent))
        if reach + regions.blend >= room:
            message = f"core and blend reach {nm(reach + regions.blend)}, the plate {nm(room)}"
            raise InputError("regions", message)
    elif needed >= geometry.outer:
        raise InputError(
            "regions",
            f"core and blend reach {nm(round(needed, 6))} from the centre of the domain, whose "
            f"geometry.radius is {nm(geometry.outer)}",
        )
    if case.crystal.a is not None:
        check_blend(case, case.crystal.a)
    if regions.core.adaptive:
        _check_adaptive(case)
    elif regions.core.tolerance is not None:
        raise InputError("regions.core.tolerance", "needs adaptive: true")


def _check_adaptive(case: Case) -> None:
    where = "regions.core.adaptive"
    assert case.regions is not None
    if case.geometry.crack is None and case.regions.core.tolerance is None:
        raise InputError(where, "needs a crack to follow (geometry.crack) or regions.core.tolerance")
    if case.continuum.mesh.file is not None:
        raise InputError(
            where, "must be false with continuum.mesh.file: a mesh from a file cannot be made anew"
        )
    if case.interface.law != "none":
        raise InputError(
            where, f"must be false with interface.law {case.interface.law}, whose surface stays behind"
        )
    if case.solver.path != "load":
        raise InputError(where, f"must be false with solver.path {case.solver.path}; it goes with path load")


def _check_under_surface(case: Case) -> None:
    """The core of a block reaches the surface, and core and blend leave room for elements."""
    assert case.regions is not None
    core, blend = case.regions.core, case.regions.blend
    center = core_center(case.regions, case.geometry)
    half = [0.5 * s for s in core.size] if core.size is not None else [core.radius or 0.0] * len(center)
    if not center[1] - half[1] < 0.0 <= center[1] + half[1]:
        raise InputError("regions.core", "must reach the surface y = 0 of the block")
    for axis, (c, h, size) in enumerate(zip(center, half, case.geometry.extent)):
        needed, room = (h + blend - c, size) if axis == 1 else (abs(c) + h + blend, 0.5 * size)
        if needed >= room:
            raise InputError(
                "regions",
                f"core and blend reach {nm(round(needed, 6))} along {'xyz'[axis]}, where the block ends at "
                f"{nm(room)}",
            )
