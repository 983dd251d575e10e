"""Checks of an indenter and the block under it."""

from __future__ import annotations

from multiscale.config.case import Case
from multiscale.config.errors import InputError
from multiscale.config.lengths import check_lengths
from multiscale.config.loads import IndentLoad


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
    if load.contact.law == "adhesive" and load.contact.work is None:
        raise InputError("load.contact.work", "is missing; law adhesive needs a work of adhesion")
    check_lengths(load.depth, "load.depth")
    if case.solver.path == "arc-length":
        raise InputError("solver.path", "must be load; an indenter is moved from depth to depth")
