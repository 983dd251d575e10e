"""Checks of depths and openings to go through."""

from __future__ import annotations

from multiscale.config.errors import InputError
from multiscale.config.loads import LengthRange
from multiscale.config.quantities import to_text


def check_lengths(values: LengthRange, where: str) -> None:
    """Raise InputError where depths or openings are in no order."""
    start, end = values.start, values.end
    if end <= start and values.steps > 1:
        raise InputError(
            f"{where}.to",
            f"must be more than from = {to_text(start, 'length')}, got {to_text(end, 'length')}",
        )
    if values.steps == 1 and start != end:
        raise InputError(f"{where}.steps", "must be at least 2 to go from one value to another, got 1")
    if values.back_to is not None and not values.back:
        raise InputError(f"{where}.return_to", "needs return: true")
    if values.back_to is not None and values.back_to >= end:
        raise InputError(
            f"{where}.return_to",
            f"must lie below to = {to_text(end, 'length')}, got {to_text(values.back_to, 'length')}",
        )


def nm(length: float) -> str:
    return f"{length / 10.0:.6g} nm"
