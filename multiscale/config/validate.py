"""Checks that need more than one value of the case."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from ase.data import atomic_numbers

from multiscale.config.case import Case, GeometryConfig
from multiscale.config.core import check_regions
from multiscale.config.crystal import CrystalConfig, Orientation
from multiscale.config.errors import InputError
from multiscale.config.external import check_external
from multiscale.config.given import check_atoms
from multiscale.config.indenting import check_indent
from multiscale.config.interfacing import check_interface
from multiscale.config.lengths import check_lengths, nm
from multiscale.config.loads import IndentLoad, KFieldLoad, KRange, OpeningLoad, StrainLoad
from multiscale.config.reading import near
from multiscale.config.spec import key_of, spec_of
from multiscale.config.tipping import check_tip, check_tip_geometry

# Atoms in the basis.
_BASIS = {"diamond": 2, "zincblende": 2, "rocksalt": 2}


def check_case(case: Case) -> None:
    """Raise InputError where values that are each allowed do not go together."""
    _check_crystal(case.crystal)
    _check_potential(case)
    check_external(case)
    check_atoms(case)
    _check_geometry(case.geometry, case.crystal)
    check_regions(case)
    _check_load(case)
    if case.interface.upper is not None:
        _check_crystal(case.interface.upper, "interface.upper")
    check_interface(case)
    _check_path(case)
    mesh = case.continuum.mesh
    if mesh.h is not None and mesh.h_max is not None and mesh.h_max < mesh.h:
        raise InputError("continuum.mesh.h_max", f"must be at least h = {nm(mesh.h)}, got {nm(mesh.h_max)}")


def _check_path(case: Case) -> None:
    """An arc needs two values of the load to start from, and a first step that is none too long."""
    arc, load = case.solver.arc, case.load
    if case.solver.path != "arc-length":
        return
    if arc.first > arc.largest:
        message = f"must be at most largest = {nm(arc.largest)}, got {nm(arc.first)}"
        raise InputError("solver.arc.first", message)
    for key in ("K", "opening"):
        values = getattr(load, key, None)
        if values is not None and values.steps < 2:
            message = f"must be at least 2 with solver.path arc-length, got {values.steps}"
            raise InputError(f"load.{key}.steps", message)


def check_names(case: Any, path: str = "") -> None:
    """Raise InputError where a word is in no registry. Imports what the registries import."""
    for field in dataclasses.fields(case):
        value, spec = getattr(case, field.name), spec_of(field)
        where = f"{path}.{key_of(field)}" if path else key_of(field)
        if dataclasses.is_dataclass(value):
            check_names(value, where)
        elif callable(spec.choices) and value not in (allowed := spec.choices()):
            raise InputError(where, f"must be one of {', '.join(allowed)}, got {value}{near(value, allowed)}")


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
        tip = ", ".join(nm(x) for x in geometry.crack.tip)
        message = f"must lie inside the domain of radius {nm(geometry.outer)}, got [{tip}]"
        raise InputError("geometry.crack.tip", message)


def _check_plate(geometry: GeometryConfig, tip: tuple[float, float]) -> None:
    for axis, (x, middle, size) in enumerate(zip(tip, geometry.middle, geometry.extent)):
        if abs(x - middle) >= 0.5 * size:
            message = f"must lie inside the plate, whose {'xy'[axis]} goes up to {nm(middle + 0.5 * size)}"
            raise InputError("geometry.crack.tip", f"{message}, got {nm(x)}")


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
