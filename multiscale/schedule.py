"""The order of the load's values: the way up, the turn, the way back."""

from __future__ import annotations

from dataclasses import dataclass

from multiscale.loads import Load


@dataclass
class Schedule:
    """Which value of the load comes next.

    index: of the current value, negative below the first one; turned: whether it is on the way back, which
    begins at the last value or when the crack has grown by `load.advance`.
    """

    load: Load
    index: int = -1
    turned: bool = False

    @property
    def total(self) -> int:
        """Number of steps, if the crack does not turn the way early."""
        n, floor = len(self.load.values), self.load.floor
        if floor is None:
            return n
        down = 0
        while self._value(n - 2 - down) >= floor - self._tolerance:
            down += 1
        return n + down

    def next(self, grown: bool = False) -> float | None:
        """Advance to the next value, None at the end. grown: the crack has grown as far as is wanted."""
        if not self.turned and self.index >= 0 and (grown or self.index == len(self.load.values) - 1):
            self.turned = True
        if self.turned and self.load.floor is None:
            return None
        self.index += -1 if self.turned else 1
        value = self._value(self.index)
        below = self.turned and self.load.floor is not None and value < self.load.floor - self._tolerance
        return None if below else value

    def _value(self, index: int) -> float:
        """The load's values, continued below the first in the same steps."""
        values = self.load.values
        return values[index] if index >= 0 else values[0] + index * self._size

    @property
    def _size(self) -> float:
        values = self.load.values
        return (values[-1] - values[0]) / max(len(values) - 1, 1) or 1.0

    @property
    def _tolerance(self) -> float:
        return 1e-6 * abs(self._size)
