"""Ranges of the numbers in settings, so that nonsense is refused before anything is made of it."""

from __future__ import annotations

from typing import Any

REACH = (0.1, 50.0)
"""Of a cutoff, Å."""
COUNT = (1, 10_000)
SEED = (0, 2**53)


class OutOfRange(ValueError):
    """A value that is too small or too large; key: its name; reason: the message without it."""

    def __init__(self, key: str, reason: str):
        super().__init__(f"{key} {reason}")
        self.key, self.reason = key, reason


def within(settings: Any, **ranges: tuple[float, float]) -> None:
    """OutOfRange for the first attribute, or entry of a tuple or of a mapping's values, outside its range."""
    for key, (low, high) in ranges.items():
        value = getattr(settings, key)
        many = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
        )
        named = [(f"{key}.{k}" if isinstance(value, dict) else f"{key}[{k}]", v) for k, v in many]
        for name, number in named if isinstance(value, dict | tuple) else [(key, value)]:
            if not low <= number <= high:
                raise OutOfRange(name, f"must lie between {low:g} and {high:g}, not {number}")
