"""The law that a potential itself gives: a smooth function through the table of rigid openings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline, make_interp_spline

from coupling.cohesive.law import Response
from coupling.cohesive.periodic import fit_values, tones
from coupling.cohesive.quintic import quintic
from coupling.cohesive.table import Table

Array = np.ndarray
_PARTS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
"""Orders of the derivatives in the two sliding directions that a response needs."""
_DEEPER = 0.1
"""Å below the deepest compression at which the cubic term outweighs any attraction."""


@dataclass(frozen=True)
class Derived:
    """Γ(δ) = Σ_ab c_ab(δ_n) f_a(s_1) f_b(s_2), with f sines and cosines of the fractions s of the plane's periods
    and c quintic splines in the opening: energies and tractions of the table are met exactly on its points.

    Periodic in sliding, three times continuously differentiable; constant beyond the last opening; below the
    deepest compression it goes on as the parabola with the same value, slope and curvature, and a cubic term that
    repels at any sliding.
    """

    table: Table

    @classmethod
    def fit(cls, table: Table) -> Derived:
        return cls(table)

    @property
    def reach(self) -> float:
        return float(self.table.openings[-1])

    @property
    def work(self) -> float:
        return self.table.work

    @cached_property
    def _coefficients(self) -> Array:
        """(k + 1, 6, a, b): the parabola below, the intervals, the constant above; powers of δ_n less the
        opening that an interval starts with (the parabola: ends with)."""
        table = self.table
        x, energy, T = table.openings, table.energy, table.traction
        # The slopes in the opening slide too: ∂T_n/∂t = ∂T_t/∂δ_n, taken from a spline through T_t.
        twist = make_interp_spline(x, T[..., 1:], k=min(5, len(x) - 1)).derivative()(x)
        both = fit_values(
            table.cell, np.concatenate([energy, T[..., 0]]), np.concatenate([T[..., 1:], twist])
        )
        value, slope = np.split(both, 2)
        value[-1] = slope[-1] = 0.0
        value[-1, 0, 0] = table.work
        inner = quintic(x, value.reshape(len(x), -1), slope.reshape(len(x), -1))
        below, above = np.zeros_like(inner[:1]), np.zeros_like(inner[:1])
        below[0, :3] = inner[0, :3]
        below[0, 3, 0] = -_stiffening(inner[0, 2].reshape(value.shape[1:]), self._rest_stiffness)
        above[0, 0, 0] = table.work
        return np.concatenate([below, inner, above]).reshape(len(x) + 1, 6, *value.shape[1:])

    @property
    def _rest_stiffness(self) -> float:
        """∂T_n/∂δ_n of pure opening at rest, from the table, eV/Å⁴."""
        return float(CubicSpline(self.table.openings, self.table.pull)(0.0, 1))

    def __call__(self, opening: Array) -> Response:
        δ = np.asarray(opening, float).reshape(-1, 3)
        x = self.table.openings
        interval = np.searchsorted(x, δ[:, 0], side="right")
        local = δ[:, 0] - x[np.maximum(interval - 1, 0)]
        inverse = np.linalg.inv(self.table.cell)
        s = np.mod(δ[:, 1:] @ inverse, 1.0)
        parts = np.empty((len(δ), 3, len(_PARTS)))
        order = np.argsort(interval, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(interval[order])) + 1):
            if len(rows):
                parts[rows] = _evaluate(self._coefficients[interval[rows[0]]], local[rows], s[rows])
        return _response(parts, inverse)


def _stiffening(half: Array, rest: float) -> float:
    """K of the −K x³ that is added below the deepest compression, x < 0 from there: 0.1 Å further every sliding
    is pushed back more strongly with every step, even where the potential, half of whose curvature is given (a, b)
    by tones, was not. rest: stiffness of the closed plane, eV/Å⁴."""
    a, b = half.shape
    s = np.arange(2 * max(a, b)) / (2.0 * max(a, b))
    least = 2.0 * float((tones(s, a)[:, 0] @ half @ tones(s, b)[:, 0].T).min())
    return (rest + max(0.0, -2.0 * least)) / (6.0 * _DEEPER)


def _evaluate(c: Array, x: Array, s: Array) -> Array:
    """Derivatives of order 0, 1, 2 in the opening of those of _PARTS in s, (m, 3, 6), on one interval."""
    _, a, b = c.shape
    first, second = tones(s[:, 0], a), tones(s[:, 1], b)
    m = len(x)
    along = (first.reshape(-1, a) @ c.transpose(1, 2, 0).reshape(a, -1)).reshape(m, 3, b, 6)
    r = np.arange(6)
    power = x[:, None] ** np.maximum(r, 0)
    lower, lowest = np.roll(power, 1, 1), np.roll(power, 2, 1)
    raised = np.stack([power, r * lower, r * (r - 1) * lowest], -1)  # (m, 6, 3)
    grown = (along.reshape(m, 3 * b, 6) @ raised).reshape(m, 3, b, 3)
    full = second[:, None] @ grown  # (m, order in s1, order in s2, order in the opening)
    return np.stack([full[:, p, q] for p, q in _PARTS], -1)


def _response(parts: Array, inverse: Array) -> Response:
    """From derivatives in the fractions s = t·inverse to those in t."""
    m = len(parts)
    slope = parts[:, :2, 1:3] @ inverse.T  # (m, order in the opening, t)
    bend = parts[:, 0, [3, 4, 4, 5]].reshape(m, 2, 2)
    stiffness = np.empty((m, 3, 3))
    stiffness[:, 0, 0] = parts[:, 2, 0]
    stiffness[:, 0, 1:] = stiffness[:, 1:, 0] = slope[:, 1]
    square = inverse @ bend @ inverse.T
    stiffness[:, 1:, 1:] = 0.5 * (square + square.transpose(0, 2, 1))
    return Response(parts[:, 0, 0], np.column_stack([parts[:, 1, 0], slope[:, 0]]), stiffness)
