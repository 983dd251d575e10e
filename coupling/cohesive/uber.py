"""The universal binding curve with sliding: openings as in Rose et al., coupled to shear as by Beltz and Rice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import minimize_scalar

from coupling.cohesive.binding import TAIL, binding
from coupling.cohesive.decay import decay
from coupling.cohesive.derived import Derived
from coupling.cohesive.law import Response
from coupling.cohesive.table import Table
from coupling.cohesive.waves import Waves, barrier, shortest

Array = np.ndarray
_WAVES = 6
"""Plane waves, of the least wave numbers, in the fitted energy of sliding."""


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

    @classmethod
    def fit(cls, table: Table) -> Uber:
        """The work is the table's, so that the area is exact; the length has the least squares of the traction of
        pure opening; A and B, with the stiffness of sliding at rest, those of the energy in tension."""
        length = fit_length(table)
        return cls(table.work, length, *_fit_waves(table, length))

    @property
    def reach(self) -> float:
        return TAIL * self.length

    @property
    def peak(self) -> float:
        """Largest traction of pure opening, eV/Å³."""
        return float(self.work / (np.e * self.length))

    def __call__(self, opening: Array) -> Response:
        return binding(opening, self.work, self.length, self.contact, self.lift)


def fit_length(table: Table) -> float:
    """Length (Å) of the universal curve of the table's work that is nearest to its traction of pure opening."""
    x, T = table.tension()
    width = np.gradient(x)

    def misfit(length: float) -> float:
        z = x / length
        return float(width @ (table.work / length * z * np.exp(-z) - T) ** 2)

    guess = table.work / (np.e * table.peak)
    return float(minimize_scalar(misfit, bounds=(0.3 * guess, 3.0 * guess), method="bounded").x)


def _fit_waves(table: Table, length: float) -> tuple[Waves, Waves]:
    """A and B by linear least squares of what the energy of opening leaves, rows of high energy held down."""
    k = shortest(table.cell, _WAVES)
    δ, energy, _ = table.points()
    δ, energy = δ[δ[:, 0] >= 0.0], energy[δ[:, 0] >= 0.0]
    f, g = (each[0] for each in decay(δ[:, 0] / length))
    phase = δ[:, 1:] @ k.T
    wave = np.concatenate([1.0 - np.cos(phase), np.sin(phase)], 1)
    rows = np.concatenate([wave * f[:, None], wave * g[:, None]], 1)
    left = energy - table.work * (1.0 - f - g)
    weight = np.minimum(1.0, table.work / np.maximum(np.abs(energy), 1e-300))
    C, d = _conditions(k, Derived(table)(np.zeros((1, 3))).stiffness[0], length)
    start, free = np.linalg.pinv(C) @ d, null_space(C)
    found = np.linalg.lstsq(rows @ free * weight[:, None], (left - rows @ start) * weight, rcond=None)[0]
    A, B = np.split(start + free @ found, 2)
    return Waves(k, *np.split(A, 2)), Waves(k, *np.split(B, 2))


def _conditions(k: Array, D: Array, length: float) -> tuple[Array, Array]:
    """Rows and right sides on (A's cosines, A's sines, B's …): no traction at rest, and its stiffness D."""
    none = np.zeros_like(k[:, 0])
    slope = [np.concatenate([none, k[:, i], none, none]) for i in (0, 1)]
    coupling = [np.concatenate([none, -k[:, i], none, k[:, i]]) / length for i in (0, 1)]
    bend = [np.concatenate([k[:, i] * k[:, j], none, none, none]) for i, j in ((0, 0), (0, 1), (1, 1))]
    right = [0.0, 0.0, D[0, 1], D[0, 2], D[1, 1], D[1, 2], D[2, 2]]
    return np.array([*slope, *coupling, *bend]), np.array(right)
