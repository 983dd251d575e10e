"""The section of the case file that names atoms from a file, and what it goes together with."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from multiscale.config.errors import InputError
from multiscale.config.spec import item

if typing.TYPE_CHECKING:
    from multiscale.config.case import Case


@dataclass(frozen=True)
class AtomsConfig:
    file: str = item("a file of atoms in any format that ASE reads, laid out as the crystal is; "
                     "`multiscale atoms` writes one to start from")  # fmt: skip
    frame: int = item("which of its frames, counted from 0; −1: the last", -1)
    shift: tuple[float, float, float] = item(
        "added to its positions, [x, y, z]", (0.0, 0.0, 0.0), dimension="length"
    )


SHAPES = ("disc", "ball", "plate", "block")


def check_atoms(case: Case) -> None:
    """InputError where atoms from a file do not go with the rest of the case."""
    if case.atoms is None:
        return
    if case.coupling.scheme == "continuum":
        raise InputError("atoms", "must be left out with scheme continuum, which has no atoms")
    if case.geometry.shape not in SHAPES:
        message = f"must be one of {', '.join(SHAPES)} with atoms from a file, got {case.geometry.shape}"
        raise InputError("geometry.shape", message)
    if case.regions is not None and case.regions.core.adaptive and case.coupling.scheme != "atomistic":
        raise InputError(
            "regions.core.adaptive", "must be false with atoms from a file, whose place is fixed"
        )
    if case.interface.law != "none" and (case.interface.chi < 1.0 or case.interface.fade is not None):
        raise InputError(
            "interface.chi",
            "must be 1, without fade, with atoms from a file: sides are those of the perfect crystal",
        )
