"""Two different bodies on a common period: grain boundaries, twins, interfaces of two materials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from coupling.cohesive.halves import THICK, Halves, energies, plane_cell, slab
from coupling.cohesive.table import slidings
from nnp.crystal import Array, Crystal
from nnp.potential import Potential

_SCAN = 0.6
"""Å between the sliding displacements where the search for the best one starts."""
_LIFTS = np.arange(-0.5, 2.01, 0.25)
_STARTS = 6
_CANDIDATES = 60


@dataclass(frozen=True)
class CommonPeriod:
    """lower, upper: (2, 2) rows in (x, z), Å, periods of either plane that are nearly the same; strain: the largest
    singular value of what takes the upper onto the lower, less one (a turn counts as strain)."""

    lower: Array
    upper: Array
    strain: float


def common_period(lower: Array, upper: Array, max_strain: float, longest: float = 40.0) -> CommonPeriod:
    """The smallest common period of two plane lattices (rows of (2, 2), Å) within a strain.

    ValueError where there is none with edges up to `longest`."""
    a, b = _pairs(np.asarray(lower, float), np.asarray(upper, float), max_strain, longest)
    best: CommonPeriod | None = None
    size = np.inf
    for i in range(len(a)):
        for j in range(i):
            cell, other = np.stack([a[j], a[i]]), np.stack([b[j], b[i]])
            area = abs(np.linalg.det(cell))
            if not 1e-6 < area < size * (1.0 - 1e-9):
                continue
            strain = float(np.linalg.norm(np.linalg.solve(other, cell) - np.eye(2), 2))
            if strain <= max_strain + 1e-9:
                best, size = CommonPeriod(cell, other, strain), area
    if best is None:
        raise ValueError(
            f"the two bodies have no common period within a strain of {100 * max_strain:g} % and {longest:g} Å"
        )
    return best


def _pairs(lower: Array, upper: Array, max_strain: float, longest: float) -> tuple[Array, Array]:
    """Vectors of both lattices, in one half of the plane, that differ by no more than the strain; short ones first."""
    a, b = _vectors(lower, longest), _vectors(upper, longest * (1.0 + max_strain))
    length = np.linalg.norm(a, axis=1)
    i, j = np.nonzero(np.linalg.norm(a[:, None] - b, axis=2) <= max_strain * length[:, None] + 1e-9)
    half = (a[i, 0] > 1e-9) | ((np.abs(a[i, 0]) <= 1e-9) & (a[i, 1] > 0.0))
    i, j = i[half], j[half]
    order = np.argsort(np.round(length[i], 6), kind="stable")[:_CANDIDATES]
    return a[i[order]], b[j[order]]


def _vectors(cell: Array, longest: float) -> Array:
    n = int(np.ceil(longest * np.linalg.norm(np.linalg.inv(cell), axis=0).max()))
    k = np.arange(-n, n + 1)
    points = np.stack(np.meshgrid(k, k, indexing="ij"), -1).reshape(-1, 2) @ cell
    length = np.linalg.norm(points, axis=1)
    return points[(length > 1e-6) & (length <= longest)]


def bicrystal_halves(
    potential: Potential, lower: Crystal, upper: Crystal, max_strain: float = 0.01
) -> Halves:
    """Two crystals, each cut in its widest gap normal to y, on their smallest common period, where rigid bodies
    have the least energy: δ = 0 is the best sliding and opening.

    The upper body is strained onto the period of the lower one (`strain` of what comes says how much).
    ValueError where they have no common period within `max_strain`."""
    crystals = lower.cleavage_centred(1), upper.cleavage_centred(1)
    period = common_period(plane_cell(crystals[0]), plane_cell(crystals[1]), max_strain)
    thickness = THICK * potential.receptive_field
    below, below_numbers = slab(crystals[0], period.lower, -thickness, 0.0)
    above, above_numbers = slab(crystals[1], period.upper, 0.0, thickness)
    above[:, [0, 2]] = above[:, [0, 2]] @ np.linalg.solve(period.upper, period.lower)
    bodies = Halves(
        np.concatenate([below, above]),
        np.concatenate([below_numbers, above_numbers]),
        np.arange(len(below) + len(above)) >= len(below),
        period.lower,
        period.strain,
    )
    return bodies.shifted(best_opening(potential, bodies))


def best_opening(potential: Potential, bodies: Halves) -> Array:
    """(δ_n, δ_t1, δ_t2), Å, at which rigid bodies have the least energy: the best of a scan, followed down."""
    n1, n2 = np.maximum(2, np.ceil(np.linalg.norm(bodies.cell, axis=1) / _SCAN)).astype(int)
    t = slidings(bodies.cell, int(n1), int(n2))
    δ = np.column_stack([np.tile(_LIFTS, len(t)), np.repeat(t, len(_LIFTS), axis=0)])
    energy = energies(potential, bodies, δ)[0].reshape(len(t), -1)
    lowest = np.argsort(energy.min(1))[:_STARTS]
    starts = δ.reshape(len(t), -1, 3)[lowest, energy[lowest].argmin(1)]

    def value(x: Array) -> tuple[float, Array]:
        e, T = energies(potential, bodies, x[None])
        return float(e[0]), T[0]

    options = {"gtol": 1e-12, "ftol": 1e-16, "maxiter": 200}
    found = [minimize(value, x, jac=True, method="L-BFGS-B", options=options) for x in starts]
    return np.asarray(min(found, key=lambda f: float(f.fun)).x)
