"""The asymptotic field of a straight crack in the anisotropic bulk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coupling.model import Field, Model
from coupling.term import Term
from nnp.stroh import displacement, stroh

MODES = ("I", "II", "III")


@dataclass(frozen=True)
class KField:
    """u = K · û(x): the field of one mode around the tip, in the Stroh formalism (nnp.stroh).

    material gives `elastic` C (3, 3, 3, 3), eV/Å³, `griffith` K_G, eV/Å^2.5, and `tip`, Å.
    """

    config: Any
    material: Any
    geometry: Any
    name: str = "K"
    dimension: str = "stress intensity"

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(self._scale * k for k in self.config.K.upward())

    @property
    def _scale(self) -> float:
        return self.material.griffith if self.config.K.relative else 1.0

    @property
    def floor(self) -> float | None:
        return self._scale * self.config.K.floor if self.config.K.back else None

    @property
    def advance(self) -> float | None:
        return self.config.stop.advance

    def field(self, value: float) -> Field:
        solution = stroh(self.material.elastic)
        intensity = np.where(np.arange(3) == MODES.index(self.config.mode), value, 0.0)
        tip = self.material.tip

        def u(x: np.ndarray) -> np.ndarray:
            return displacement(solution, x[:, 0] - tip[0], x[:, 1] - tip[1], intensity)

        return u

    def terms(self, model: Model) -> tuple[Term, ...]:
        return ()
