"""How well the spread of a committee tells its errors, and the factor that makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import trapezoid
from scipy.stats import norm, t

from nnp.committee import Calibration, Committee
from nnp.data import Frame
from nnp.evaluate import Evaluation, evaluate
from nnp.neighbors import find_pairs
from nnp.potential import check_species

Array = np.ndarray
ONE = float(2.0 * norm.cdf(1.0) - 1.0)  # 68.3 %
LEVELS = (ONE, 0.95)
FEWEST = 5
"""Observations below which a quantity is not calibrated."""
NOTHING = 1e-6  # eV/Å, eV/atom: an error and a spread both below are zero by symmetry and tell nothing


@dataclass(frozen=True)
class Residuals:
    """Errors (n,) and the standard deviations over the members (n,) beside them, of one quantity."""

    error: Array
    spread: Array

    def telling(self) -> Residuals:
        """Without what is zero by symmetry."""
        keep = (np.abs(self.error) > NOTHING) | (self.spread > NOTHING)
        return Residuals(self.error[keep], np.maximum(self.spread[keep], NOTHING))


@dataclass(frozen=True)
class Reliability:
    """One quantity before and after calibration.

    factor: on the standard deviation, for a 68.3 % interval; levels (k,): wanted coverage; before, after (k,):
    observed coverage, first of the standard deviation taken for a Gaussian's, then of the calibrated
    Student intervals; rmse: of the errors.
    """

    factor: float
    levels: Array
    before: Array
    after: Array
    rmse: float

    def area(self, observed: Array) -> float:
        """Miscalibration area ∫ |observed − wanted| dp over 0 < p < 1 (0: perfect, 0.5: useless)."""
        return float(trapezoid(np.abs(observed - self.levels), self.levels))

    def summary(self) -> dict[str, Any]:
        """Plain numbers for people and files."""

        def one(observed: Array) -> dict[str, float]:
            found = np.interp(LEVELS, self.levels, observed)
            return {"68 %": float(found[0]), "95 %": float(found[1]), "area": self.area(observed)}

        return {
            "rmse": self.rmse,
            "factor": self.factor,
            "before": one(self.before),
            "after": one(self.after),
        }


def student_scale(residuals: Residuals, members: int, iterations: int = 200) -> float:
    """α of largest likelihood for errors e_i = α s_i τ_i, τ Student's t with members − 1 degrees of freedom.

    A standard deviation over few members is itself uncertain: if errors and members scatter alike, e/s is not
    normal but Student's t (W. S. Gosset 1908, doi:10.1093/biomet/6.1.1). A Gaussian scale, mean (e/s)², would
    hang on the few cases where four members agree by chance. Maximised by the fixed point
    α² = (ν + 1) ⟨z²/(ν + z²/α²)⟩, z = e/s, which raises the likelihood in every step.
    """
    z2, nu = np.square(residuals.error / residuals.spread), members - 1
    a2 = float(np.median(z2)) + 1e-12
    for _ in range(iterations):
        a2 = (nu + 1) * float(np.mean(z2 / (nu + z2 / a2)))
    return a2**0.5


def reliability(
    fitted: Residuals, members: int, checked: Residuals | None = None, points: int = 199
) -> Reliability:
    """The factor from `fitted`, coverages on `checked` (the same if None). ValueError for no data."""
    fitted = fitted.telling()
    checked = fitted if checked is None else checked.telling()
    if len(fitted.error) == 0 or len(checked.error) == 0:
        raise ValueError("no errors to calibrate on")
    alpha = student_scale(fitted, members)
    levels = np.union1d(np.arange(1, points + 1) / (points + 1), LEVELS)
    z = np.sort(np.abs(checked.error / checked.spread))

    def covered(half_widths: Array) -> Array:
        return np.searchsorted(z, half_widths, side="right") / len(z)

    quantile = t.ppf(0.5 + 0.5 * levels, members - 1)
    return Reliability(
        factor=alpha * float(t.ppf(0.5 + 0.5 * ONE, members - 1)),
        levels=levels,
        before=covered(norm.ppf(0.5 + 0.5 * levels)),
        after=covered(alpha * quantile),
        rmse=float(np.sqrt(np.mean(checked.error**2))),
    )


QUANTITIES = ("energy", "forces", "first_energy", "first_forces")


def residuals(committee: Committee, frames: Sequence[Frame]) -> dict[str, Residuals]:
    """Errors and raw spreads of the energy per atom (eV) and the force components (eV/Å) on labelled frames:
    of the mean, and (first_…) of the first member. UnknownSpeciesError for an element that is not known."""
    found: dict[str, list[tuple[Array, Array]]] = {name: [] for name in QUANTITIES}
    for frame in frames:
        check_species(committee, frame.state.numbers)
        pairs, n = find_pairs(frame.state, committee.cutoff), len(frame.state)
        each = [evaluate(p, frame.state, pairs) for p in committee.members]
        energy, forces = np.array([e.energy / n for e in each]), np.stack([_forces(e) for e in each])
        ds, df = np.array([energy.std(ddof=1)]), forces.std(0, ddof=1)
        for name, e, f in (("", energy.mean(), forces.mean(0)), ("first_", energy[0], forces[0])):
            found[f"{name}energy"].append((np.array([e - frame.energy / n]), ds))
            if frame.forces is not None:
                found[f"{name}forces"].append((f - frame.forces.ravel(), df))
    none = (np.empty(0), np.empty(0))
    return {
        name: Residuals(*(np.concatenate(part) for part in zip(none, *rows))) for name, rows in found.items()
    }


def _forces(found: Evaluation) -> Array:
    return found.forces.double().numpy().ravel()


def calibrate(
    committee: Committee, frames: Sequence[Frame], check: Sequence[Frame] | None = None
) -> tuple[Calibration, dict[str, Reliability]]:
    """Factors from labelled frames that no member was trained on, and the coverages on `check` (the same
    frames if None), for those of QUANTITIES that are observed often enough; the factor of others is 1. The
    committee itself is left as it is. ValueError for no frames."""
    if not frames or (check is not None and not check):
        raise ValueError("a calibration needs labelled frames that were held out of the training")
    members = len(committee.members)
    fitted = residuals(committee, frames)
    checked = fitted if check is None else residuals(committee, check)
    known = [n for n in QUANTITIES if len(fitted[n].error) >= FEWEST and len(checked[n].error) > 0]
    report = {name: reliability(fitted[name], members, checked[name]) for name in known}
    wide = float(t.ppf(0.975, members - 1) / t.ppf(0.5 + 0.5 * ONE, members - 1))
    return Calibration(**{name: r.factor for name, r in report.items()}, wide=wide), report
