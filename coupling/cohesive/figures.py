"""Figures of a law: adhesion, strength, and what sliding costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from coupling.cohesive.law import CohesiveLaw
from coupling.cohesive.table import Table, slidings

Array = np.ndarray
_LEFT = 0.01
"""Share of the peak traction below which an opening counts as critical."""
_FINE = 48
_COPIES = 3


@dataclass(frozen=True)
class Figures:
    """work: eV/Å²; peak: largest traction of pure opening, eV/Å³, at peak_opening, Å; critical: opening beyond which
    the traction is below 1 % of the peak, Å; stiffness: (3, 3) at rest, eV/Å⁴."""

    work: float
    peak: float
    peak_opening: float
    critical: float
    stiffness: Array


def figures(law: CohesiveLaw) -> Figures:
    """Of pure opening."""
    x = np.linspace(0.0, 1.0, 20001) ** 2 * law.reach
    T = law(np.column_stack([x, 0 * x, 0 * x])).traction[:, 0]
    k = int(np.argmax(T))
    near = slice(max(k - 1, 0), k + 2)
    a, b, c = np.polyfit(x[near] - x[k], T[near], 2)
    top = -0.5 * b / a
    critical = float(x[np.flatnonzero(_LEFT * T[k] <= T)[-1]])
    rest = law(np.zeros((1, 3))).stiffness[0]
    return Figures(law.work, float(c - 0.25 * b**2 / a), float(x[k] + top), critical, rest)


@dataclass(frozen=True)
class Landscape:
    """γ-surface (Vitek 1968, doi:10.1080/14786436808227500) on a fine grid over one period: sliding (n, n, 2) Å;
    rigid: Γ at δ_n = 0; open: its least value over δ_n ≥ 0, both (n, n) eV/Å²."""

    sliding: Array
    rigid: Array
    open: Array


def landscape(law: CohesiveLaw, cell: Array) -> Landscape:
    t = slidings(np.asarray(cell, float), _FINE, _FINE)
    depths = np.linspace(0.0, 1.0, 31) ** 2 * min(law.reach, 3.0)
    energy = np.stack([law(np.column_stack([np.full(len(t), d), t])).energy for d in depths])
    shape = (_FINE, _FINE)
    return Landscape(t.reshape(*shape, 2), energy[0].reshape(shape), energy.min(0).reshape(shape))


def straight_barriers(law: CohesiveLaw, cell: Array) -> list[tuple[Array, float]]:
    """Largest rigid Γ (δ_n = 0) on the straight ways to the nearest copies: way (2,) Å and energy eV/Å²."""
    first, second = np.asarray(cell, float)
    other = min((first + second, first - second), key=lambda v: float(np.linalg.norm(v)))
    ways = [first, second]
    if np.linalg.norm(other) < 1.2 * np.linalg.norm(second):
        ways.append(other)
    s = np.linspace(0.0, 1.0, 201)
    return [(w, float(law(np.column_stack([0 * s, s[:, None] * w])).energy.max())) for w in ways]


def lowest_barrier(energy: Array) -> float:
    """Unstable stacking energy: the lowest height, eV/Å², over which (n, n) periodic values lead from the origin to
    a copy of it, on the best way."""
    n = len(energy)
    tiled = np.tile(energy, (_COPIES, _COPIES))
    middle = (n * (_COPIES // 2),) * 2
    copies = [(i * n, j * n) for i in range(_COPIES) for j in range(_COPIES) if (i * n, j * n) != middle]
    levels = np.unique(energy)
    low, high = 0, len(levels) - 1
    while low < high:
        k = (low + high) // 2
        pieces = label(tiled <= levels[k], np.ones((3, 3)))[0]
        reached = pieces[middle] > 0 and any(pieces[c] == pieces[middle] for c in copies)
        low, high = (low, k) if reached else (k + 1, high)
    return float(levels[low])


def fit_errors(law: CohesiveLaw, table: Table) -> dict[str, float]:
    """Root-mean-square errors of the traction against the table over its peak: of pure opening, and of all
    openings in tension whose energy is below the work of adhesion."""
    δ, energy, traction = table.points()
    x, T = table.tension()
    pure = law(np.column_stack([x, 0 * x, 0 * x])).traction[:, 0]
    width = np.gradient(x)
    kept = (δ[:, 0] >= 0.0) & (energy < table.work)
    off = law(δ[kept]).traction - traction[kept]
    return {
        "opening": float(np.sqrt(width @ (pure - T) ** 2 / width.sum()) / table.peak),
        "sliding": float(np.sqrt((off**2).sum(1).mean()) / table.peak),
    }
