"""Checks of an indenter and the block under it."""

from __future__ import annotations

from multiscale.config.case import Case, IndentLoad
from multiscale.config.errors import InputError
from multiscale.config.quantities import to_text


def check_indent(case: Case, load: IndentLoad) -> None:
    """Raise InputError where the indenter does not fit the block, or its depths are in no order."""
    if case.geometry.shape != "block":
        raise InputError(
            "geometry.shape", f"must be block; load.type indent needs a surface, got {case.geometry.shape}"
        )
    dim, depth = case.geometry.dim, load.depth
    fitting = "sphere" if dim == 3 else "cylinder"
    if load.shape != fitting:
        raise InputError("load.shape", f"must be {fitting} in a {dim}D block, got {load.shape}")
    if load.centre is not None and len(load.centre) != dim - 1:
        raise InputError(
            "load.center", f"must have {dim - 1} entries in a {dim}D block, got {len(load.centre)}"
        )
    if load.contact.law == "adhesive" and load.contact.work is None:
        raise InputError("load.contact.work", "is missing; law adhesive needs a work of adhesion")
    if depth.end <= depth.start and depth.steps > 1:
        raise InputError(
            "load.depth.to", f"must be deeper than from = {_nm(depth.start)}, got {_nm(depth.end)}"
        )
    if depth.steps == 1 and depth.start != depth.end:
        raise InputError("load.depth.steps", "must be at least 2 to go from one value to another, got 1")
    if depth.back_to is not None and not depth.back:
        raise InputError("load.depth.return_to", "needs return: true")
    if depth.back_to is not None and depth.back_to >= depth.end:
        raise InputError(
            "load.depth.return_to", f"must lie above to = {_nm(depth.end)}, got {_nm(depth.back_to)}"
        )
    if case.solver.path == "arc-length":
        raise InputError("solver.path", "must be load; an indenter is moved from depth to depth")


def _nm(length: float) -> str:
    return to_text(length, "length")
