"""Checks of a tip and its load."""

from __future__ import annotations

import math

from multiscale.config.case import Case, GeometryConfig
from multiscale.config.errors import InputError
from multiscale.config.loads import MOST_STEPS
from multiscale.config.quantities import to_text
from multiscale.config.tip import TipLoad


def check_tip_geometry(geometry: GeometryConfig) -> None:
    """Raise InputError where shape tip and its keys do not go together."""
    if geometry.shape != "tip":
        if geometry.tip is not None:
            raise InputError(
                "geometry.tip", f"does not belong to a {geometry.shape}; set geometry.shape: tip"
            )
        return
    if geometry.tip is None:
        raise InputError("geometry.tip", "is missing; shape tip needs it, with its radius")


def check_tip(case: Case) -> None:
    """Raise InputError where a tip has another load, its load another shape, or the path no length."""
    load, shape = case.load, case.geometry.shape
    if not isinstance(load, TipLoad):
        if shape == "tip":
            raise InputError("load.type", f"must be tip with geometry.shape tip, got {load.type}")
        return
    if shape != "tip":
        raise InputError("geometry.shape", f"must be tip; load.type tip moves one, got {shape}")
    if case.solver.path == "arc-length":
        raise InputError("solver.path", "must be load; a tip is moved from place to place")
    if case.coupling.scheme == "continuum":
        raise InputError("coupling.scheme", "must have atoms where tip and block touch, got continuum")
    if case.continuum.mesh.file is not None:
        raise InputError("continuum.mesh.file", "must be left out with geometry.shape tip")
    if case.regions is not None and case.regions.core.adaptive:
        raise InputError("regions.core.adaptive", "must be false with geometry.shape tip")
    interface = case.interface
    if interface.chi != 1.0 or interface.fade is not None or interface.irreversible:
        key = "irreversible" if interface.irreversible else "chi" if interface.chi != 1.0 else "fade"
        raise InputError(f"interface.{key}", "is for crack planes, not for geometry.shape tip")
    if interface.upper is not None:
        raise InputError(
            "interface.upper", "must be left out with geometry.shape tip: both bodies are of one crystal"
        )
    if len(load.path) < 2:
        raise InputError("load.path", f"must have at least 2 corners, got {len(load.path)}")
    for n, (a, b) in enumerate(zip(load.path, load.path[1:]), 1):
        if math.dist(a, b) == 0.0:
            place = ", ".join(to_text(v, "length") for v in b)
            raise InputError(f"load.path[{n}]", f"must differ from the corner before it, [{place}]")
    least = sum(math.dist(a, b) for a, b in zip(load.path, load.path[1:])) / MOST_STEPS
    if load.step < least:
        message = f"must be at least a {MOST_STEPS:.0e}th of the path, {to_text(least, 'length')}"
        raise InputError("load.step", f"{message}, got {to_text(load.step, 'length')}")
