"""A plate pulled apart across its crack plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coupling.assemble import Held
from coupling.model import Field, Model
from coupling.term import Term

GRIPS: dict[str, Held] = {
    "edges": (("top", (0, 1, 2)), ("bottom", (0, 1, 2))),
    "ends": (("left", (1,)), ("right", (0, 1, 2))),
}
"""What is held of the plate's sides, and which components of it."""


@dataclass(frozen=True)
class Opening:
    """The parameter is the distance by which the grips have moved apart, Å.

    grips "edges": u_y = ± half of it on the upper and lower edges, between them in proportion to the height; "ends":
    u_y = ± half of it on the left ends of the two arms. Ahead of the tip nothing moves, behind it the arms bend as
    beams do, u_y ∝ (1 − ξ)² (2 + ξ) with ξ from the ends to the tip: where the solver starts from.
    """

    config: Any
    material: Any
    geometry: Any
    name: str = "opening"
    dimension: str = "length"

    @property
    def values(self) -> tuple[float, ...]:
        return self.config.opening.upward()

    @property
    def floor(self) -> float | None:
        return self.config.opening.floor if self.config.opening.back else None

    @property
    def advance(self) -> float | None:
        return self.config.stop.advance

    def field(self, value: float) -> Field:
        tip, plate = self.material.tip, self.geometry

        def u(x: np.ndarray) -> np.ndarray:
            out, y = np.zeros_like(x), x[:, 1] - tip[1]
            if self.config.grips == "edges":
                out[:, 1] = value * (x[:, 1] - plate.middle[1]) / plate.extent[1]
            else:
                left = plate.middle[0] - 0.5 * plate.extent[0]
                ξ = np.clip((x[:, 0] - left) / (tip[0] - left), 0.0, 1.0)
                out[:, 1] = 0.25 * value * np.sign(y) * (1.0 - ξ) ** 2 * (2.0 + ξ)
            return out

        return u

    def terms(self, model: Model) -> tuple[Term, ...]:
        return ()
