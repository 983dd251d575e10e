"""What moves the atoms where the potential is a committee: settled once the model file is known."""

from __future__ import annotations

from dataclasses import replace

from multiscale.config.case import Case
from multiscale.config.errors import InputError


def with_committee(case: Case) -> Case:
    """The case with potential.committee written out where the potential is a committee. InputError where it is
    given for another; an unreadable model file is left to who builds the potential."""
    from nnp.families import is_committee
    from nnp.storage import ModelFileError

    config = case.potential
    many = config.type == "committee"
    if config.type == "nnp" and config.model is not None:
        try:
            many = is_committee(config.model)
        except ModelFileError:
            return case
    if many:
        return replace(case, potential=replace(config, committee=config.committee or "spread"))
    if config.committee is not None:
        what = f"model {config.model} is" if config.type == "nnp" else f"type {config.type} is"
        raise InputError(
            "potential.committee", f"must be left out: {what} a single potential, got {config.committee}"
        )
    return case
