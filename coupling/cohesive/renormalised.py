"""Several planes in series as one cohesive law, for meshes that cannot resolve the cohesive zone of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from coupling.cohesive.law import CohesiveLaw, Response

Array = np.ndarray
_POINTS = 4001


@dataclass(frozen=True)
class Series:
    """N planes that share a traction, at the least energy for their total opening: opening (k,) Å, energy (k,)
    eV/Å², traction (k,) eV/Å³; critical: the opening at which one plane breaks and the others close, Å; peak: the
    traction just before, eV/Å³."""

    opening: Array
    energy: Array
    traction: Array
    critical: float
    peak: float


def in_series(law: CohesiveLaw, planes: int) -> Series:
    """Least energy Σ Γ(x_i) of N planes with Σ x_i given, in pure opening (Nguyen & Ortiz 2002,
    doi:10.1016/S0022-5096(01)00133-8): all open alike, until it is cheaper that one opens and the others relax.
    For a law of stiffness k at rest the peak tends to (2 k work/N)^½."""
    curve, top = _opened(law)
    top_traction = float(curve(top, 1))
    if planes == 1:
        x = np.linspace(0.0, law.reach, _POINTS)
        return Series(x, curve(x), curve(x, 1), top, top_traction)
    x = np.linspace(0.0, top, _POINTS)
    y = _falling(curve, top, law.reach, curve(x, 1))
    total, broken = y + (planes - 1) * x, curve(y) + (planes - 1) * curve(x)
    stable = slice(0, int(np.argmin(total)) + 1)  # beyond, the opening would have to go back
    total, broken = total[stable][::-1], broken[stable][::-1]
    critical = _crossing(curve, planes, top, total, broken)
    before = np.linspace(0.0, critical, _POINTS)
    after = total > critical
    opening = np.concatenate([before, [critical], total[after]])
    end = float(np.interp(critical, total, broken))
    energy = np.concatenate([planes * curve(before / planes), [end], broken[after]])
    pull = np.append(
        curve(before / planes, 1), np.interp(opening[len(before) :], total, curve(x[stable][::-1], 1))
    )
    return Series(opening, energy, pull, critical, float(curve(critical / planes, 1)))


def _opened(law: CohesiveLaw) -> tuple[CubicSpline, float]:
    """Γ of pure opening as a spline, and the opening of the largest traction."""
    x = np.linspace(0.0, 1.0, _POINTS) ** 2 * law.reach  # more of them where the bonds break
    δ = np.zeros((len(x), 3))
    δ[:, 0] = x
    found = law(δ)
    curve = CubicSpline(x, found.energy, bc_type=((1, 0.0), (1, float(found.traction[-1, 0]))))
    k = int(np.argmax(found.traction[:, 0]))
    low, high = x[max(k - 1, 0)], x[min(k + 1, len(x) - 1)]
    slopes = curve(np.array([low, high]), 2)
    top = float(brentq(lambda v: curve(v, 2), low, high)) if slopes[0] > 0.0 > slopes[1] else float(x[k])
    return curve, top


def _falling(curve: CubicSpline, top: float, end: float, traction: Array) -> Array:
    """Openings beyond the peak at which the traction is that."""
    y = np.linspace(top, end, 5 * _POINTS)
    T = np.minimum.accumulate(curve(y, 1))
    return np.interp(-traction, -T, y)


def _crossing(curve: CubicSpline, planes: int, top: float, total: Array, broken: Array) -> float:
    """Total opening at which one broken plane costs as much as all planes alike; all at the peak if sooner."""

    def gain(opening: float) -> float:
        return float(planes * curve(opening / planes) - np.interp(opening, total, broken))

    low, high = float(total[0]), planes * top
    if low >= high or gain(high) <= 0.0:
        return high
    return float(brentq(gain, low, high)) if gain(low) < 0.0 else low


@dataclass(frozen=True)
class Stretched:
    """Γ(δ_n/factor, δ_t): the same work with openings longer and normal tractions lower by `factor`."""

    law: CohesiveLaw
    factor: float

    @property
    def reach(self) -> float:
        return self.factor * self.law.reach

    @property
    def work(self) -> float:
        return self.law.work

    def __call__(self, opening: Array) -> Response:
        δ = np.array(opening, float).reshape(-1, 3)
        δ[:, 0] /= self.factor
        found = self.law(δ)
        scale = np.array([1.0 / self.factor, 1.0, 1.0])
        return Response(found.energy, found.traction * scale, found.stiffness * np.outer(scale, scale))


def renormalised(law: CohesiveLaw, planes: int) -> CohesiveLaw:
    """The law with its work and the peak of N planes in series, for a mesh whose cohesive surface stands for N
    planes; `law` itself for one. Sliding stays that of one plane."""
    if planes == 1:
        return law
    return Stretched(law, in_series(law, 1).peak / in_series(law, planes).peak)
