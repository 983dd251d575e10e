"""Atoms from elsewhere in place of the crystal's: vacancies, interstitials, substitutions, other positions.

Each given atom is assigned to the nearest site of the perfect crystal, if that is near enough and no other atom is
nearer to it. Sites left without an atom are vacant; atoms left without a site (sublattice −1) are there all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from coupling.regions import Shape
from nnp.crystal import Crystal

Array = np.ndarray

NEAR = 0.4
"""How far from its site an atom may be, in nearest-neighbour distances."""


@dataclass(frozen=True)
class Given:
    """points: (m, 3) where the atoms are, Å; numbers: (m,); held: (m,) those that do not move freely; sites: (m, 3) of
    the crystal, Å, the points themselves off the lattice; sublattice: (m,), −1 off the lattice; region: where they
    stand for the crystal's atoms, None: everywhere."""

    points: Array
    numbers: Array
    held: Array
    sites: Array
    sublattice: Array
    region: Shape | None = None

    def inside(self, points: Array) -> Array:
        """Which points (n, 3) lie where these atoms stand for the crystal's, (n,)."""
        return np.ones(len(points), bool) if self.region is None else self.region.distance(points) < 0.0

    def put(self, comm: Any, table: Array, near: Any) -> Array:
        """A rank's part of the crystal's sites with these atoms on them, those off the lattice behind the first rank's;
        rows of COLUMNS. near: which points (n, 3) of atoms off the lattice matter."""
        table, on = table.copy(), self.sublattice >= 0
        here = np.flatnonzero(self.inside(table[:, :3]))
        table[here, EMPTY] = 1.0
        if on.any() and len(here):
            distance, which = cKDTree(self.sites[on]).query(table[here, :3])
            found, which = here[distance < 1e-3], np.flatnonzero(on)[which[distance < 1e-3]]
            table[found, EMPTY], table[found, NUMBER] = 0.0, self.numbers[which]
            table[found, OFF] = (self.points - self.sites)[which]
            table[found, HELD] = self.held[which]
        off = np.flatnonzero(~on & self.inside(self.points) & near(self.points))
        if comm.rank or len(off) == 0:
            return table
        more = np.zeros((len(off), table.shape[1]))
        more[:, :3], more[:, SUBLATTICE] = self.points[off], -1.0
        more[:, NUMBER], more[:, HELD] = self.numbers[off], self.held[off]
        return np.concatenate([table, more])


SUBLATTICE, NUMBER, EMPTY, OFF, HELD = 3, 4, 5, slice(6, 9), 9
"""Columns behind the coordinates of a site: which, what is on it and whether nothing is, how far off it that is,
whether it is held."""


def matched(
    points: Array, numbers: Array, held: Array, crystal: Crystal, period: float | None, region: Shape | None
) -> Given:
    """Atoms at points (m, 3), Å, on the sites of a crystal; period: of both along z, None: none."""
    points, spacing = np.array(points, float), nearest(crystal)
    if period is not None:
        points[:, 2] %= period
    low, high = points.min(axis=0) - spacing, points.max(axis=0) + spacing
    if period is not None:
        low[2], high[2] = 0.0, period
    sites, sublattice, _ = crystal.sites(low, high)
    around = (
        sites
        if period is None
        else np.concatenate([sites + np.array([0.0, 0.0, k * period]) for k in (0, -1, 1)])
    )
    distance, at = cKDTree(around).query(points)
    order = np.argsort(distance, kind="stable")
    first = np.zeros(len(points), bool)  # of those that claim a site the nearest has it
    first[order[np.unique((at % len(sites))[order], return_index=True)[1]]] = True
    on = first & (distance < NEAR * spacing)
    turn = around[at] - sites[at % len(sites)]
    points = np.where(on[:, None], points - turn, points)
    place = np.where(on[:, None], sites[at % len(sites)], points)
    return Given(points, numbers, held, place, np.where(on, sublattice[at % len(sites)], -1), region)


def nearest(crystal: Crystal) -> float:
    """Nearest-neighbour distance of a crystal, Å."""
    p, q, lattice = crystal.environment(1.5 * crystal.a)
    return float(np.linalg.norm(lattice + crystal.basis[q] - crystal.basis[p], axis=1).min())
