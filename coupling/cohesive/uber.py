"""The universal binding curve with sliding: openings as in Rose et al., coupled to shear as by Beltz and Rice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coupling.cohesive.decay import decay
from coupling.cohesive.law import Response
from coupling.cohesive.waves import Waves, barrier

Array = np.ndarray
TAIL = 16.7
"""z at which (1 + z) e^−z is 10⁻⁶."""


@dataclass(frozen=True)
class Uber:
    """Γ = work [1 − (1 + z) e^−z] + [A(t) + z B(t)] e^−z,  z = δ_n/length, t the sliding (Rose, Ferrante & Smith
    1981, doi:10.1103/PhysRevLett.47.675; with A, B ∝ sin² it is the tension–shear potential of Sun, Beltz & Rice
    1993, Mater. Sci. Eng. A 170, 67).

    work: eV/Å²; length: Å, the opening of the peak, work/(e length); contact: A(t), the energy of rigid
    sliding; lift: B(t), how it changes with opening; both eV/Å², A without slope at t = 0. Periodic in t as A
    and B are; without them there is no resistance to sliding.
    """

    work: float
    length: float
    contact: Waves = field(default_factory=Waves)
    lift: Waves = field(default_factory=Waves)

    @classmethod
    def of(cls, work: float, peak: float, unstable: float, cell: Array) -> Uber:
        """From the work of adhesion (eV/Å²), peak traction (eV/Å³), energy half way along either lattice vector
        (eV/Å²) and those vectors (2, 2), Å, rows. The barrier fades with opening as the bonds do."""
        waves = barrier(cell, unstable)
        return cls(work, work / (np.e * peak), waves, waves)

    @property
    def reach(self) -> float:
        return TAIL * self.length

    @property
    def peak(self) -> float:
        """Largest traction of pure opening, eV/Å³."""
        return float(self.work / (np.e * self.length))

    def __call__(self, opening: Array) -> Response:
        δ = np.asarray(opening, float).reshape(-1, 3)
        f, g = decay(δ[:, 0] / self.length)  # e^−z and z e^−z, with derivatives
        A, dA, ddA = self.contact(δ[:, 1:])
        B, dB, ddB = self.lift(δ[:, 1:])
        a, b = A - self.work, B - self.work
        scale = 1.0 / self.length
        traction, stiffness = np.empty((len(δ), 3)), np.empty((len(δ), 3, 3))
        traction[:, 0] = (a * f[1] + b * g[1]) * scale
        traction[:, 1:] = dA * f[0, :, None] + dB * g[0, :, None]
        stiffness[:, 0, 0] = (a * f[2] + b * g[2]) * scale**2
        stiffness[:, 0, 1:] = (dA * f[1, :, None] + dB * g[1, :, None]) * scale
        stiffness[:, 1:, 0] = stiffness[:, 0, 1:]
        stiffness[:, 1:, 1:] = ddA * f[0, :, None, None] + ddB * g[0, :, None, None]
        return Response(self.work + a * f[0] + b * g[0], traction, stiffness)
