"""A homogeneous displacement gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coupling.model import Field, Model
from coupling.term import Term


@dataclass(frozen=True)
class Strain:
    """u = λ G·x with λ from 0 to 1 in equal steps."""

    config: Any
    material: Any
    geometry: Any
    name: str = "fraction"
    dimension: str = ""
    floor: float | None = None
    advance: float | None = None

    @property
    def values(self) -> tuple[float, ...]:
        n = self.config.steps
        return tuple(k / n for k in range(1, n + 1))

    def field(self, value: float) -> Field:
        gradient = value * np.asarray(self.config.gradient, float)
        return lambda x: x @ gradient.T

    def terms(self, model: Model) -> tuple[Term, ...]:
        return ()
