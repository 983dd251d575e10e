"""Γ of two rigid bodies on a grid of openings and sliding displacements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coupling.cohesive.halves import THICK, Halves, energies, halves
from nnp.crystal import Array, Crystal
from nnp.potential import Potential

_OVERLAP = 0.05
"""Å by which the deepest compression may be off an even step."""
_SLIDINGS = (4, 24)


@dataclass(frozen=True)
class Grid:
    """Points of the table. openings: number of openings in tension, closer where the bonds break; sliding: largest
    distance between sliding displacements along either period, Å; compression: the deepest, Å, or None: a
    quarter of the gap between the planes, at most 0.8 Å. The defaults take some thousand rigid openings."""

    openings: int = 24
    sliding: float = 0.35
    compression: float | None = None

    def depths(self, gap: float, end: float) -> Array:
        """Normal openings from the deepest compression to `end`, zero among them, Å: even in compression, in
        tension growing in proportion to 1 Å + δ."""
        stretch = np.log1p(end) / (self.openings - 1)
        tension = np.expm1(stretch * np.arange(self.openings))
        tension[-1] = end
        deepest = min(0.8, 0.25 * gap) if self.compression is None else self.compression
        count = int(np.ceil(deepest / stretch - _OVERLAP))
        return np.concatenate([-deepest * np.arange(count, 0, -1) / max(count, 1), tension])

    def repeats(self, cell: Array) -> tuple[int, int]:
        """Even numbers of sliding displacements along the two periods, between 4 and 24."""
        n = 2 * np.ceil(0.5 * np.linalg.norm(cell, axis=1) / self.sliding - 1e-9).astype(int)
        n1, n2 = np.clip(n, *_SLIDINGS)
        return int(n1), int(n2)


@dataclass(frozen=True)
class Table:
    """Γ and its derivatives at openings[k] and slidings (i/n1) a_1 + (j/n2) a_2, a_i the rows of cell.

    openings: (k,) Å, ascending, zero among them; cell: (2, 2) Å, periods in (t1, t2); energy: (k, n1, n2) eV/Å²;
    traction: (k, n1, n2, 3) eV/Å³ along (n, t1, t2). removed: (3,) eV/Å³, a traction at δ = 0 that was taken
    out: rigid bodies under stress have one.
    """

    openings: Array
    cell: Array
    energy: Array
    traction: Array
    removed: Array

    @property
    def work(self) -> float:
        """Γ at the end, eV/Å²."""
        return float(self.energy[-1].mean())

    @property
    def rest(self) -> int:
        """Index of the opening zero."""
        return int(np.argmin(np.abs(self.openings)))

    @property
    def pull(self) -> Array:
        """Normal traction of pure opening, (k,) eV/Å³."""
        return np.asarray(self.traction[:, 0, 0, 0])

    @property
    def peak(self) -> float:
        """Largest normal traction of pure opening on the grid, eV/Å³."""
        return float(self.pull.max())

    def tension(self) -> tuple[Array, Array]:
        """Openings from zero on, Å, and the traction of pure opening there, eV/Å³."""
        return self.openings[self.rest :], self.pull[self.rest :]

    def points(self) -> tuple[Array, Array, Array]:
        """The table as a list: openings (m, 3) Å, energies (m,), tractions (m, 3)."""
        k, n1, n2 = self.energy.shape
        t = slidings(self.cell, n1, n2)
        δ = np.column_stack([np.repeat(self.openings, n1 * n2), np.tile(t, (k, 1))])
        return δ, self.energy.ravel(), self.traction.reshape(-1, 3)


def slidings(cell: Array, n1: int, n2: int) -> Array:
    """Sliding displacements (n1·n2, 2) that divide the periods evenly, Å."""
    i, j = np.meshgrid(np.arange(n1) / n1, np.arange(n2) / n2, indexing="ij")
    return np.stack([i.ravel(), j.ravel()], 1) @ cell


def nearest(table: Table) -> tuple[Array, Array, Array]:
    """Points of the table in tension with each sliding replaced by its copy nearest to rest, (m, 3) Å, their
    energies (m,), and weights 1 or less that hold high energies down: what laws are fitted to that know no
    periods."""
    δ, energy, _ = table.points()
    tension = δ[:, 0] >= 0.0
    δ, energy = δ[tension].copy(), energy[tension]
    i, j = (m.ravel() for m in np.meshgrid(*2 * [np.arange(-2, 3)], indexing="ij"))
    copies = δ[:, None, 1:] + np.stack([i, j], 1) @ table.cell
    best = np.argmin(np.round((copies**2).sum(-1), 6), axis=1)
    δ[:, 1:] = copies[np.arange(len(δ)), best]
    return δ, energy, np.minimum(1.0, table.work / np.maximum(np.abs(energy), 1e-300))


def derive_table(
    potential: Potential, bodies: Crystal | Halves, grid: Grid | None = None
) -> tuple[Table, Halves]:
    """Table of a crystal cut on the plane normal to y, or of two bodies that touch at δ = 0 (bicrystal_halves).

    ValueError where the plane has no short periods."""
    grid = grid or Grid()
    if isinstance(bodies, Crystal):
        bodies = halves(bodies, THICK * potential.receptive_field)
    end = potential.receptive_field - bodies.gap
    if not end > 0.0:
        raise ValueError("the bodies are out of each other's reach: the gap is wider than the potential sees")
    depths = grid.depths(bodies.gap, end)
    n1, n2 = grid.repeats(bodies.cell)
    t = slidings(bodies.cell, n1, n2)
    δ = np.column_stack([np.repeat(depths, n1 * n2), np.tile(t, (len(depths), 1))])
    energy, traction = energies(potential, bodies, δ)
    shape = (len(depths), n1, n2)
    rest = int(np.argmin(np.abs(depths))) * n1 * n2
    energy, traction, removed = at_rest(δ, energy - energy[rest], traction, traction[rest], bodies.cell)
    return Table(depths, bodies.cell, energy.reshape(shape), traction.reshape(*shape, 3), removed), bodies


def at_rest(
    δ: Array, energy: Array, traction: Array, stress: Array, cell: Array
) -> tuple[Array, Array, Array]:
    """Γ and T without the traction `stress` (3,) at δ = 0: less a smooth potential with that slope there,

    [δ_n T_n + Σ_i (T_t·a_i) sin(2π s_i)/2π] exp(−(δ_n/0.3 Å)²),   t = Σ s_i a_i.
    """
    width = 0.3
    fade = np.exp(-((δ[:, 0] / width) ** 2))
    dfade = -2.0 * δ[:, 0] / width**2 * fade
    inverse = np.linalg.inv(cell)
    phase = 2.0 * np.pi * δ[:, 1:] @ inverse
    along = cell @ stress[1:]
    slip = np.sin(phase) @ along / (2.0 * np.pi)
    base = δ[:, 0] * stress[0] + slip
    extra = np.column_stack(
        [stress[0] * fade + base * dfade, ((np.cos(phase) * along) @ inverse.T) * fade[:, None]]
    )
    return energy - base * fade, traction - extra, stress
