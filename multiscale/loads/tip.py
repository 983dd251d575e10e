"""The upper edge of a tip is moved along a path, the lower edge of the block under it is held."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from coupling.model import Field, Model
from coupling.term import Term

Array = np.ndarray

_ON = 1e-6
"""Å above y = 0 up to which a node lies on the block's surface."""


@dataclass(frozen=True)
class Tip:
    """The parameter is the length of the way that the tip's upper edge has gone, Å: from where the tip touches the
    block straight to the start of its path, the first load step, and on along it. Everything above y = 0 belongs to
    the tip."""

    config: Any
    material: Any
    geometry: Any
    name: str = "travel"
    dimension: str = "length"
    floor: float | None = None
    advance: float | None = None

    @cached_property
    def _corners(self) -> tuple[Array, Array]:
        """Corners (n + 1, 2) of the path, the origin before them, and the way to each, (n + 1,), Å."""
        corners = np.vstack([np.zeros(2), np.asarray(self.config.path, float)])
        legs = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        return corners, np.concatenate([[0.0], np.cumsum(legs)])

    @property
    def values(self) -> tuple[float, ...]:
        """In equal steps on each leg."""
        way = self._corners[1]
        parts = [way[1:2]]
        for start, end in pairwise(way[1:]):
            n = int(np.ceil((end - start) / self.config.step - 1e-9))
            parts.append(start + (end - start) * np.arange(1, n + 1) / n)
        return tuple(np.concatenate(parts).tolist())

    def position(self, value: float) -> Array:
        """Displacement (2,) of the upper edge, Å."""
        corners, way = self._corners
        return np.array([np.interp(value, way, corners[:, k]) for k in range(2)])

    def field(self, value: float) -> Field:
        moved = np.append(self.position(value), 0.0)
        return lambda x: np.where(x[:, 1:2] > _ON, moved, 0.0)

    def terms(self, model: Model) -> tuple[Term, ...]:
        return ()
