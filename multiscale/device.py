"""The device that a case's potential computes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from multiscale.config import Case, InputError
from nnp.device import DeviceError, chosen_device, placed, rank_within_node
from nnp.potential import Potential


def on_device(case: Case, potential: Potential, comm: Any) -> Potential:
    """The potential on the device that the case names, this rank's card of those of its machine. InputError where there
    is none. Collective, unless comm is None: then as of one process alone."""
    name = case.potential.device
    if name == "cpu":
        return potential
    try:
        return placed(potential, chosen_device(name, 0 if comm is None else rank_within_node(comm)))
    except DeviceError as error:
        raise InputError("potential.device", str(error)) from error


def on_processor(case: Case) -> Case:
    """The case for a look at it, on whatever machine."""
    return replace(case, potential=replace(case.potential, device="cpu"))
