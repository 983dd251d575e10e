"""The polynomial law of Park, Paulino and Roesler, with equal energies of opening and sliding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from coupling.cohesive.derived import Derived
from coupling.cohesive.law import Response
from coupling.cohesive.table import Table, nearest

Array = np.ndarray


@dataclass(frozen=True)
class Falling:
    """f(x) = (1 − x)^a (1 + a x/m)^m from 1 at x = 0, where it is flat, to 0 at x = 1 and beyond, with
    m = a (a − 1) λ²/(1 − a λ²): −f is steepest at x = λ. a > 2, 0 < λ < a^−½."""

    a: float
    slope: float

    @property
    def m(self) -> float:
        return self.a * (self.a - 1.0) * self.slope**2 / (1.0 - self.a * self.slope**2)

    @property
    def bend(self) -> float:
        """−f″(0)."""
        return self.a * (1.0 + self.a / self.m)

    def __call__(self, x: Array) -> tuple[Array, Array, Array]:
        """f, f′, f″ at x ≥ 0."""
        a, m = self.a, self.m
        u, v = np.maximum(1.0 - x, 0.0), 1.0 + a * x / m
        f = u**a * v**m
        inner = u ** (a - 2.0) * v ** (m - 2.0)
        c = a * (1.0 + a / m)
        # f′ = −c x u^(a−1) v^(m−1); f″ by the product rule
        second = -c * inner * (u * v - (a - 1.0) * x * v + (m - 1.0) * (a / m) * x * u)
        return f, -c * x * inner * u * v, second


@dataclass(frozen=True)
class PPR:
    """Ψ = work [1 − f(δ_n/final) g(|t|/slip)],  f = (1 − x)^α (1 + αx/m)^m, g alike with β and n (Park, Paulino &
    Roesler 2009, doi:10.1016/j.jmps.2008.10.003, with φ_n = φ_t).

    work: eV/Å²; final, slip: openings at which nothing is left, Å; normal: α and the opening of the peak over
    the final one (λ_n); shear: β and λ_t. With unequal energies the published law cuts its tractions off where
    they would change sign, and is no longer a potential; so here they are equal. In compression f goes on as
    1 − ½ f″ x², and surfaces that have slid repel as work/3 · f″ |x|³/λ_n (1 − g). Not periodic in sliding.
    """

    work: float
    final: float
    slip: float
    normal: Falling
    shear: Falling

    @classmethod
    def fit(cls, table: Table) -> PPR:
        """The work is the table's; final opening, α, λ_n by least squares of the traction of pure opening; β and
        λ_t by those of the energy in tension, with the mean stiffness of sliding at rest."""
        final, normal = _fit_opening(table)
        at_rest = Derived(table)(np.zeros((1, 3))).stiffness[0]
        stiffness = 0.5 * (at_rest[1, 1] + at_rest[2, 2])
        δ, energy, weight = nearest(table)

        def law(beta: float, share: float) -> PPR:
            shear = Falling(float(beta), float(share / np.sqrt(beta)))
            return cls(table.work, final, float(np.sqrt(table.work * shear.bend / stiffness)), normal, shear)

        def misfit(x: Array) -> Array:
            return np.asarray(weight * (law(*x)(δ).energy - energy))

        return law(*least_squares(misfit, [3.0, 0.5], bounds=([2.05, 0.05], [12.0, 0.95])).x)

    @property
    def reach(self) -> float:
        return self.final

    @property
    def peak(self) -> float:
        """Largest traction of pure opening, eV/Å³."""
        return float(-self.work / self.final * self.normal(np.array([self.normal.slope]))[1][0])

    def __call__(self, opening: Array) -> Response:
        δ = np.asarray(opening, float).reshape(-1, 3)
        f, df, ddf = self._normal(δ[:, 0] / self.final)
        ρ = np.linalg.norm(δ[:, 1:], axis=1) / self.slip
        g, dg, ddg = self.shear(ρ)
        extra, dextra, ddextra = self._contact(δ[:, 0] / self.final)
        # Ψ = W [1 − f g + c (1 − g)] with c the repulsion of surfaces that have slid
        return Response(
            self.work * (1.0 - f * g + extra * (1.0 - g)),
            self.work * self._slopes(δ, ρ, -df * g + dextra * (1.0 - g), -(f + extra) * dg),
            self.work
            * self._bends(δ, ρ, -ddf * g + ddextra * (1.0 - g), -(df + dextra) * dg, -(f + extra), dg, ddg),
        )

    def _normal(self, x: Array) -> tuple[Array, Array, Array]:
        f, df, ddf = self.normal(np.maximum(x, 0.0))
        u, b = np.minimum(x, 0.0), self.normal.bend
        return f - 0.5 * b * u**2, df - b * u, ddf  # f″(0) = −b already

    def _contact(self, x: Array) -> tuple[Array, Array, Array]:
        """½ b u² + b |u|³/(3 λ) of the compression u: f g + c g stays f g − …, and c (1 − g) is left."""
        u, b = np.minimum(x, 0.0), self.normal.bend / self.normal.slope
        return b * np.abs(u) ** 3 / 3.0, -b * u**2, -2.0 * b * u

    def _slopes(self, δ: Array, ρ: Array, normal: Array, radial: Array) -> Array:
        out = np.empty((len(δ), 3))
        out[:, 0] = normal / self.final
        out[:, 1:] = (radial / self.slip)[:, None] * self._direction(δ, ρ)
        return out

    def _bends(
        self, δ: Array, ρ: Array, normal: Array, mixed: Array, factor: Array, dg: Array, ddg: Array
    ) -> Array:
        """mixed: of opening and |t|; factor times g is the part that depends on |t|."""
        way = self._direction(δ, ρ)
        out = np.empty((len(δ), 3, 3))
        out[:, 0, 0] = normal / self.final**2
        out[:, 0, 1:] = out[:, 1:, 0] = (mixed / self.final / self.slip)[:, None] * way
        round_ = np.divide(dg, ρ, out=np.full_like(dg, -self.shear.bend), where=ρ > 1e-9)
        along = way[:, :, None] * way[:, None, :]
        bend = ddg[:, None, None] * along + round_[:, None, None] * (np.eye(2) - along)
        out[:, 1:, 1:] = (factor / self.slip**2)[:, None, None] * bend
        return out

    def _direction(self, δ: Array, ρ: Array) -> Array:
        """Unit vectors of the sliding; any where nothing slid."""
        length = (ρ * self.slip)[:, None]
        out = np.zeros((len(δ), 2))
        out[:, 0] = 1.0
        return np.divide(δ[:, 1:], length, out=out, where=length > 0.0)


def _fit_opening(table: Table) -> tuple[float, Falling]:
    x, T = table.tension()
    weight = np.sqrt(np.gradient(x))

    def law(p: Array) -> tuple[float, Falling]:
        final, a, share = (float(v) for v in p)
        return final, Falling(a, share / np.sqrt(a))

    def misfit(p: Array) -> Array:
        final, f = law(p)
        return np.asarray(weight * (-table.work / final * f(x / final)[1] - T))

    start = [2.0 * x[-1], 4.0, 0.5]
    best = least_squares(misfit, start, bounds=([0.2 * x[-1], 2.05, 0.02], [20.0 * x[-1], 30.0, 0.98]))
    return law(best.x)
