"""A law whose open faces relax: the atoms of a free surface find a lower energy than rigid bodies leave them with.

    Γ'(δ) = Γ − (W − W') h(Γ/W)

with W the work between rigid bodies, W' that of relaxed surfaces, and h the C² step from 0 at 0 to 1 at 1. The closed
surface keeps its stiffness; the energy of relaxation is gained as the bonds let go, most half way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coupling.cohesive.law import CohesiveLaw, Response

Array = np.ndarray


@dataclass(frozen=True)
class Relaxed:
    """law: of rigid bodies; work: W' that is left, eV/Å². ValueError where it is not between half of the law's and
    all of it: the traction must stay a pull."""

    law: CohesiveLaw
    work: float

    def __post_init__(self) -> None:
        if not 0.5 * self.law.work < self.work <= 1.001 * self.law.work:
            raise ValueError(
                f"relaxed surfaces of {self.work:.4g} eV/Å² do not belong to a law of {self.law.work:.4g} eV/Å²"
            )

    @property
    def reach(self) -> float:
        return self.law.reach

    def __call__(self, opening: Array) -> Response:
        at, whole = self.law(opening), self.law.work
        gained = whole - self.work
        e = np.clip(at.energy / whole, 0.0, 1.0)
        step = e**3 * (10.0 - 15.0 * e + 6.0 * e**2)
        slope = 1.0 - gained / whole * 30.0 * (e * (1.0 - e)) ** 2
        bend = -gained / whole**2 * 60.0 * e * (1.0 - e) * (1.0 - 2.0 * e)
        outer = at.traction[:, :, None] * at.traction[:, None, :]
        return Response(
            at.energy - gained * step,
            slope[:, None] * at.traction,
            slope[:, None, None] * at.stiffness + bend[:, None, None] * outer,
        )
