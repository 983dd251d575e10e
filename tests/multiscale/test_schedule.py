"""Up, turn, back: the order of the load's values."""

from dataclasses import dataclass

import pytest

from multiscale.schedule import Schedule


@dataclass(frozen=True)
class Ramp:
    floor: float | None
    values: tuple[float, ...] = (0.9, 1.0, 1.1)
    name: str = "K"
    dimension: str = ""
    advance: float | None = None


def _all(load, grown_at=None):
    schedule, seen = Schedule(load), []
    while (value := schedule.next(grown=bool(seen) and seen[-1] == grown_at)) is not None:
        seen.append(value)
    return seen


@pytest.mark.parametrize(
    ("floor", "grown_at", "expected"),
    [
        (None, None, [0.9, 1.0, 1.1]),
        (None, 1.0, [0.9, 1.0]),
        (0.9, None, [0.9, 1.0, 1.1, 1.0, 0.9]),
        (0.9, 1.0, [0.9, 1.0, 0.9]),
        (0.7, None, [0.9, 1.0, 1.1, 1.0, 0.9, 0.8, 0.7]),
        (0.75, 0.9, [0.9, 0.8]),
    ],
)
def test_order_of_values(floor, grown_at, expected) -> None:
    assert _all(Ramp(floor), grown_at) == pytest.approx(expected)
    if grown_at is None:
        assert Schedule(Ramp(floor)).total == len(expected)
