"""Checks of an indenter and the block under it."""

from __future__ import annotations

from multiscale.config.case import Case
from multiscale.config.errors import InputError
from multiscale.config.lengths import check_lengths
from multiscale.config.loads import IndentLoad
from multiscale.config.quantities import to_text


def check_indent(case: Case, load: IndentLoad) -> None:
    """Raise InputError where the indenter does not fit the block, or its depths are in no order."""
    if case.geometry.shape != "block":
        raise InputError(
            "geometry.shape", f"must be block; load.type indent needs a surface, got {case.geometry.shape}"
        )
    dim = case.geometry.dim
    fitting = "sphere" if dim == 3 else "cylinder"
    if load.shape != fitting:
        raise InputError("load.shape", f"must be {fitting} in a {dim}D block, got {load.shape}")
    if load.centre is not None and len(load.centre) != dim - 1:
        raise InputError(
            "load.center", f"must have {dim - 1} entries in a {dim}D block, got {len(load.centre)}"
        )
    _check_place(case, load)
    if load.contact.law == "adhesive" and load.contact.work is None:
        raise InputError("load.contact.work", "is missing; law adhesive needs a work of adhesion")
    check_lengths(load.depth, "load.depth")
    if case.solver.path == "arc-length":
        raise InputError("solver.path", "must be load; an indenter is moved from depth to depth")


def _check_place(case: Case, load: IndentLoad) -> None:
    """The indenter touches the block, and does not go through it."""
    width, depth, *along = case.geometry.extent
    for n, (place, size) in enumerate(zip(load.centre or (), (width, *along))):
        if abs(place) >= 0.5 * size:
            end, came = to_text(0.5 * size, "length"), to_text(place, "length")
            raise InputError(f"load.center[{n}]", f"must lie over the block, which ends at {end}, got {came}")
    if load.depth.end >= depth:
        most, came = to_text(depth, "length"), to_text(load.depth.end, "length")
        raise InputError("load.depth.to", f"must be less than the depth of the block, {most}, got {came}")
