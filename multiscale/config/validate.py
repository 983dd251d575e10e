"""Checks that need more than one value of the case."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Sequence
from typing import Any

from ase.data import atomic_numbers

from multiscale.config.case import Case, GeometryConfig, RegionsConfig, ShapeConfig
from multiscale.config.crystal import CrystalConfig, Orientation
from multiscale.config.errors import InputError
from multiscale.config.external import check_external
from multiscale.config.given import check_atoms
from multiscale.config.indenting import check_indent
from multiscale.config.interfacing import check_interface
from multiscale.config.lengths import check_lengths
from multiscale.config.loads import IndentLoad, KFieldLoad, KRange, OpeningLoad, StrainLoad
from multiscale.config.reading import near
from multiscale.config.spec import key_of, spec_of
from multiscale.config.tipping import check_tip, check_tip_geometry

BLEND_SPACINGS = 3.0
"""Narrowest blend, in nearest-neighbour distances."""

# Nearest-neighbour distance over lattice constant, and atoms in the basis.
_SPACING = {"sc": 1.0, "fcc": 0.5**0.5, "bcc": 0.75**0.5, "diamond": 3**0.5 / 4, "zincblende": 3**0.5 / 4,
            "rocksalt": 0.5, "triangular": 1.0}  # fmt: skip
_BASIS = {"diamond": 2, "zincblende": 2, "rocksalt": 2}


def lattice_spacing(structure: str, a: float) -> float:
    """Nearest-neighbour distance of a structure with lattice constant a, Å."""
    return _SPACING[structure] * a


def check_case(case: Case) -> None:
    """Raise InputError where values that are each allowed do not go together."""
    _check_crystal(case.crystal)
    _check_potential(case)
    check_external(case)
    check_atoms(case)
    _check_geometry(case.geometry, case.crystal)
    _check_regions(case)
    _check_load(case)
    if case.interface.upper is not None:
        _check_crystal(case.interface.upper, "interface.upper")
    check_interface(case)
    _check_path(case)
    mesh = case.continuum.mesh
    if mesh.h is not None and mesh.h_max is not None and mesh.h_max < mesh.h:
        raise InputError("continuum.mesh.h_max", f"must be at least h = {_nm(mesh.h)}, got {_nm(mesh.h_max)}")


def _check_path(case: Case) -> None:
    """An arc needs two values of the load to start from, and a first step that is none too long."""
    arc, load = case.solver.arc, case.load
    if case.solver.path != "arc-length":
        return
    if arc.first > arc.largest:
        message = f"must be at most largest = {_nm(arc.largest)}, got {_nm(arc.first)}"
        raise InputError("solver.arc.first", message)
    for key in ("K", "opening"):
        values = getattr(load, key, None)
        if values is not None and values.steps < 2:
            message = f"must be at least 2 with solver.path arc-length, got {values.steps}"
            raise InputError(f"load.{key}.steps", message)


def check_blend(case: Case, a: float) -> None:
    """Raise InputError when the blend is narrower than three lattice spacings, at lattice constant a, Å."""
    if case.regions is None or case.coupling.scheme == "atomistic":
        return
    spacing = lattice_spacing(case.crystal.structure, a)
    for key in ("radius", "size"):
        extent = getattr(case.regions.core, key)
        if extent is not None and min((extent,) if key == "radius" else extent) < spacing:
            came = _nm(extent) if key == "radius" else f"[{', '.join(_nm(s) for s in extent)}]"
            raise InputError(
                f"regions.core.{key}", f"must be at least one lattice spacing = {_nm(spacing)}, got {came}"
            )
    if case.regions.blend < BLEND_SPACINGS * spacing * (1 - 1e-9):
        raise InputError(
            "regions.blend",
            f"must be at least {BLEND_SPACINGS:g} lattice spacings = {BLEND_SPACINGS * spacing / 10:.4g} nm, "
            f"got {_nm(case.regions.blend)}",
        )


def check_names(case: Any, path: str = "") -> None:
    """Raise InputError where a word is in no registry. Imports what the registries import."""
    for field in dataclasses.fields(case):
        value, spec = getattr(case, field.name), spec_of(field)
        where = f"{path}.{key_of(field)}" if path else key_of(field)
        if dataclasses.is_dataclass(value):
            check_names(value, where)
        elif callable(spec.choices) and value not in (allowed := spec.choices()):
            raise InputError(where, f"must be one of {', '.join(allowed)}, got {value}{near(value, allowed)}")


def _nm(length: float) -> str:
    return f"{length / 10.0:.6g} nm"


def _check_crystal(crystal: CrystalConfig, path: str = "crystal") -> None:
    symbols = (crystal.symbol,) if isinstance(crystal.symbol, str) else crystal.symbol
    for symbol in symbols:
        if symbol not in atomic_numbers or symbol == "X":
            raise InputError(f"{path}.symbol", f"'{symbol}' is no chemical element")
    basis = _BASIS.get(crystal.structure, 1)
    if not isinstance(crystal.symbol, str) and len(symbols) != basis:
        raise InputError(
            f"{path}.symbol", f"{crystal.structure} has {basis} atoms in its basis, got {len(symbols)}"
        )
    if crystal.orientation is not None:
        _check_orientation(crystal.orientation, f"{path}.orientation")


def _check_orientation(o: Orientation, path: str) -> None:
    axes = {"x": o.x, "y": o.y, "z": o.z}
    for name, v in axes.items():
        if not any(v):
            raise InputError(f"{path}.{name}", "must be a direction, got [0, 0, 0]")
    for p, q in ("xy", "yz", "xz"):
        if _dot(axes[p], axes[q]):
            text = f"{p} {list(axes[p])} and {q} {list(axes[q])} must be orthogonal"
            raise InputError(path, text)
    (a, b, c), (d, e, f), (g, h, i) = o.x, o.y, o.z
    if a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) < 0:
        raise InputError(path, "x, y, z are left-handed; change the sign of one")


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(p * q for p, q in zip(a, b))


def _check_potential(case: Case) -> None:
    if case.potential.type == "nnp" and case.potential.model is None:
        raise InputError("potential.model", "is missing; type nnp needs a shipped model's name or a path")


def _check_geometry(geometry: GeometryConfig, crystal: CrystalConfig) -> None:
    _check_extent(geometry)
    dim = geometry.dim
    if len(geometry.middle) != dim:
        message = f"must have {dim} entries for a {geometry.shape}, got {len(geometry.middle)}"
        raise InputError("geometry.center", message)
    if geometry.shape != "disc" and crystal.structure == "triangular":
        message = f"must be disc, since the triangular crystal is flat, got {geometry.shape}"
        raise InputError("geometry.shape", message)
    if geometry.crack is None:
        return
    if geometry.shape in ("block", "tip"):
        raise InputError("geometry.crack", f"does not go together with a {geometry.shape}")
    if geometry.shape == "plate":
        return _check_plate(geometry, geometry.crack.tip)
    if math.dist(geometry.crack.tip, geometry.middle[:2]) >= geometry.outer:
        tip = ", ".join(_nm(x) for x in geometry.crack.tip)
        message = f"must lie inside the domain of radius {_nm(geometry.outer)}, got [{tip}]"
        raise InputError("geometry.crack.tip", message)


def _check_plate(geometry: GeometryConfig, tip: tuple[float, float]) -> None:
    for axis, (x, middle, size) in enumerate(zip(tip, geometry.middle, geometry.extent)):
        if abs(x - middle) >= 0.5 * size:
            message = f"must lie inside the plate, whose {'xy'[axis]} goes up to {_nm(middle + 0.5 * size)}"
            raise InputError("geometry.crack.tip", f"{message}, got {_nm(x)}")


_SIZES = {
    "block": "[width, depth] or [width, depth, width along z]",
    "plate": "[width, height]",
    "tip": "[width, height] of each body",
}


def _check_extent(geometry: GeometryConfig) -> None:
    """A disc or ball may have a radius, a block has two or three sizes and its place, a plate and a tip two sizes."""
    shape, sizes = geometry.shape, _SIZES.get(geometry.shape)
    if sizes is not None and geometry.size is None:
        raise InputError("geometry.size", f"is missing; {sizes}")
    foreign: dict[str, object] = {"size": geometry.size} if sizes is None else {"radius": geometry.radius}
    if shape in ("block", "tip"):
        foreign["center"] = geometry.centre
    for key, value in foreign.items():
        if value is not None:
            raise InputError(f"geometry.{key}", f"does not belong to a {shape}")
    allowed = {"block": (2, 3), "plate": (2,), "tip": (2,)}.get(shape)
    if allowed is not None and len(geometry.extent) not in allowed:
        text = " or ".join(map(str, allowed))
        raise InputError("geometry.size", f"must have {text} entries, got {len(geometry.extent)}")
    check_tip_geometry(geometry)


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


def _check_regions(case: Case) -> None:
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
            message = f"core and blend reach {_nm(reach + regions.blend)}, the plate {_nm(room)}"
            raise InputError("regions", message)
    elif needed >= geometry.outer:
        raise InputError(
            "regions",
            f"core and blend reach {_nm(round(needed, 6))} from the centre of the domain, whose "
            f"geometry.radius is {_nm(geometry.outer)}",
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
                f"core and blend reach {_nm(round(needed, 6))} along {'xyz'[axis]}, where the block ends at "
                f"{_nm(room)}",
            )


def _check_load(case: Case) -> None:
    load = case.load
    check_tip(case)
    if isinstance(load, IndentLoad):
        check_indent(case, load)
    if isinstance(load, KFieldLoad):
        if case.geometry.crack is None:
            raise InputError("geometry.crack", "is missing; load.type k-field needs a crack")
        _check_range(load.K, load.mode)
    if isinstance(load, OpeningLoad):
        _check_opening(case, load)
    if isinstance(load, StrainLoad):
        _check_gradient(load)


def _check_range(k: KRange, mode: str) -> None:
    if k.start == k.end and k.steps > 1:
        raise InputError("load.K.steps", f"must be 1 when from and to are equal, got {k.steps}")
    if k.start != k.end and k.steps == 1:
        raise InputError("load.K.steps", "must be at least 2 to go from one value to another, got 1")
    if k.back_to is not None and not k.back:
        raise InputError("load.K.return_to", "needs return: true")
    if k.back_to is not None and (k.back_to - k.end) * (k.end - k.start) >= 0:
        raise InputError("load.K.return_to", f"must lie before the last value, {k.end:g}, got {k.back_to:g}")
    for key, value in (("from", k.start), ("to", k.end), ("return_to", k.floor)):
        if mode == "I" and value < 0:
            raise InputError(
                f"load.K.{key}", f"must not be negative in mode I, which would close the crack, got {value:g}"
            )


def _check_gradient(load: StrainLoad) -> None:
    (a, b, c), (d, e, f), (g, h, i) = load.gradient
    a, e, i = 1 + a, 1 + e, 1 + i
    if a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) <= 0:
        raise InputError("load.gradient", "must leave a positive volume: det(1 + gradient) > 0")


def _check_opening(case: Case, load: OpeningLoad) -> None:
    if case.geometry.shape != "plate":
        raise InputError("geometry.shape", f"must be plate with load.type opening, got {case.geometry.shape}")
    if case.geometry.crack is None:
        raise InputError("geometry.crack", "is missing; load.type opening needs a crack")
    if case.coupling.scheme == "atomistic":
        raise InputError(
            "coupling.scheme", "must not be atomistic with load.type opening, which holds a mesh"
        )
    check_lengths(load.opening, "load.opening")
