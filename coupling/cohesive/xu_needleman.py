"""The exponential law of Xu and Needleman."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from coupling.cohesive.binding import TAIL, binding
from coupling.cohesive.derived import Derived
from coupling.cohesive.law import Response
from coupling.cohesive.table import Table, nearest
from coupling.cohesive.uber import fit_length

Array = np.ndarray


@dataclass(frozen=True)
class XuNeedleman:
    """φ = φ_n + φ_n e^−z {[1 − r + z] (1 − q)/(r − 1) − [q + z (r − q)/(r − 1)] exp(−|t|²/δ_t²)},  z = δ_n/length
    (Xu & Needleman 1993, doi:10.1088/0965-0393/1/2/001; 1994, doi:10.1016/0022-5096(94)90003-5).

    work: φ_n, eV/Å²; length: δ_n, Å; slip: δ_t, Å; q: energy of sliding over that of opening; r: opening, in
    units of length, after complete shear without normal traction. The same in all directions of sliding, and
    not periodic: for slips of less than a lattice period. With q = 1 surfaces that have slid do not repel.
    """

    work: float
    length: float
    slip: float
    q: float = 1.0
    r: float = 0.0

    @classmethod
    def fit(cls, table: Table) -> XuNeedleman:
        """Work and length as of the universal curve; the slip from the mean stiffness of sliding at rest; q and r
        by least squares of the energy in tension, of slidings nearer to rest than to its copies."""
        length = fit_length(table)
        stiffness = Derived(table)(np.zeros((1, 3))).stiffness[0]
        shear = 0.5 * (stiffness[1, 1] + stiffness[2, 2])
        δ, energy, weight = nearest(table)

        def law(q: float, r: float) -> XuNeedleman:
            return cls(table.work, length, float(np.sqrt(2.0 * q * table.work / shear)), float(q), float(r))

        def misfit(x: Array) -> Array:
            return np.asarray(weight * (law(*x)(δ).energy - energy))

        return law(*least_squares(misfit, [0.5, 0.0], bounds=([0.01, -2.0], [10.0, 0.9])).x)

    @property
    def reach(self) -> float:
        return TAIL * self.length

    @property
    def peak(self) -> float:
        """Largest traction of pure opening, eV/Å³."""
        return float(self.work / (np.e * self.length))

    def __call__(self, opening: Array) -> Response:
        lift = (self.r - self.q) / (self.r - 1.0)
        return binding(opening, self.work, self.length, self._bell(self.q), self._bell(lift))

    def _bell(self, height: float):  # type: ignore[no-untyped-def]
        """height · φ_n (1 − exp(−|t|²/δ_t²))."""

        def landscape(t: Array) -> tuple[Array, Array, Array]:
            scale = 2.0 / self.slip**2
            bell = height * self.work * np.exp(-0.5 * scale * (t**2).sum(1))
            bend = scale * (np.eye(2) - scale * t[:, :, None] * t[:, None, :]) * bell[:, None, None]
            return height * self.work - bell, scale * t * bell[:, None], bend

        return landscape
