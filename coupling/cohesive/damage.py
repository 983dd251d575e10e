"""Debonding that does not heal: a history on top of any cohesive law.

A bond that has passed its peak traction is broken. κ is the largest normal opening so far; where it lies beyond the
opening κ₀ of the peak, smaller openings unload linearly to the origin, at any sliding t:

    F(δ_n, t) = Γ(κ, t) − ½ κ T_n(κ, t) (1 − (δ_n/κ)²)            0 ≤ δ_n < κ
    F(δ_n, t) = Γ(κ, t) − ½ κ T_n(κ, t) + Γ(δ_n, 0)               δ_n < 0, the repulsion of closed faces
    F = Γ                                                        δ_n ≥ κ, or κ ≤ κ₀

At fixed κ this is a potential with continuous traction. It is what is stored and what is lost; lost is
D(κ) = Γ(κ, 0) − ½ κ T_n(κ, 0), which grows with κ as long as the secant T_n/κ falls. Sliding alone breaks nothing: in
a crystal the next registry holds as the first did.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coupling.cohesive.law import CohesiveLaw, Response

Array = np.ndarray

STEP = 1e-4
"""Å, of the central difference that gives ∂³Γ/∂δ_n∂t²."""


@dataclass
class Irreversible:
    """law: of first opening; largest: κ (m,) Å of every point, which `commit` alone changes."""

    law: CohesiveLaw
    largest: Array
    peak: float = field(init=False)

    def __post_init__(self) -> None:
        self.peak = peak_opening(self.law)

    @property
    def reach(self) -> float:
        return self.law.reach

    @property
    def work(self) -> float:
        return self.law.work

    def commit(self, opening: Array) -> None:
        """Openings (m, 3) in equilibrium: what they break stays broken."""
        self.largest = np.maximum(self.largest, opening[:, 0])

    @property
    def dissipated(self) -> Array:
        """D (m,) eV/Å², what has been lost for good."""
        at = self.law(_normal(self.largest))
        lost = at.energy - 0.5 * self.largest * at.traction[:, 0]
        return np.where(self.largest > self.peak, np.maximum(lost, 0.0), 0.0)

    @property
    def damage(self) -> Array:
        """D over the work of adhesion, (m,): 0 where nothing is broken, 1 where nothing holds."""
        return self.dissipated / self.work

    def __call__(self, opening: Array) -> Response:
        δ = np.asarray(opening, float).reshape(-1, 3)
        first = self.law(δ)
        broken = np.flatnonzero((self.largest > self.peak) & (δ[:, 0] < self.largest))
        if len(broken) == 0:
            return first
        energy, traction, stiffness = first.energy.copy(), first.traction.copy(), first.stiffness.copy()
        again = self._unloaded(δ[broken], self.largest[broken])
        energy[broken], traction[broken], stiffness[broken] = again.energy, again.traction, again.stiffness
        return Response(energy, traction, stiffness)

    def _unloaded(self, δ: Array, κ: Array) -> Response:
        at, third = self._at_largest(δ, κ)
        s = np.maximum(δ[:, 0], 0.0) / κ
        lost = 0.5 * κ * (1.0 - s**2)
        closed = self.law(_normal(np.minimum(δ[:, 0], 0.0)))
        traction, stiffness = np.empty((len(δ), 3)), np.empty((len(δ), 3, 3))
        traction[:, 0] = at.traction[:, 0] * s + closed.traction[:, 0]
        traction[:, 1:] = at.traction[:, 1:] - lost[:, None] * at.stiffness[:, 0, 1:]
        stiffness[:, 0, 0] = np.where(δ[:, 0] < 0.0, closed.stiffness[:, 0, 0], at.traction[:, 0] / κ)
        stiffness[:, 0, 1:] = stiffness[:, 1:, 0] = s[:, None] * at.stiffness[:, 0, 1:]
        stiffness[:, 1:, 1:] = at.stiffness[:, 1:, 1:] - lost[:, None, None] * third
        return Response(at.energy - lost * at.traction[:, 0] + closed.energy, traction, stiffness)

    def _at_largest(self, δ: Array, κ: Array) -> tuple[Response, Array]:
        """The law at (κ, t), and ∂D_tt/∂δ_n there."""
        far = δ.copy()
        far[:, 0] = κ
        step = np.array([STEP, 0.0, 0.0])
        more, less = self.law(far + step), self.law(far - step)
        return self.law(far), (more.stiffness - less.stiffness)[:, 1:, 1:] / (2.0 * STEP)


def peak_opening(law: CohesiveLaw, samples: int = 20_001) -> float:
    """Normal opening at which the traction of pure opening is largest, Å."""
    opening = np.linspace(0.0, law.reach, samples)
    return float(opening[np.argmax(law(_normal(opening)).traction[:, 0])])


def _normal(opening: Array) -> Array:
    """δ = (δ_n, 0, 0)."""
    return np.stack([opening, np.zeros_like(opening), np.zeros_like(opening)], axis=1)
