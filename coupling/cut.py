"""A cut through the crystal: the faces of a crack before anything has moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from mpi4py import MPI

from coupling.atoms import AtomSet
from coupling.exchange import Halo
from nnp.neighbors import PairFilter, Pairs, find_pairs

Array = np.ndarray


@dataclass(frozen=True)
class Cut:
    """The half-plane y = y_tip, x < x_tip (the faces of a straight crack along z)."""

    tip: tuple[float, float]

    def crosses(self, a: Array, b: Array) -> Array:
        """Which segments from a (n, 3) to b (n, 3) pass through the half-plane, (n,)."""
        ya, yb = a[:, 1] - self.tip[1], b[:, 1] - self.tip[1]
        across = ya * yb < 0.0
        t = np.where(across, ya / np.where(across, ya - yb, 1.0), 0.0)
        return across & (a[:, 0] + t * (b[:, 0] - a[:, 0]) < self.tip[0])

    @property
    def through(self) -> bool:
        """Whether it goes right through: two bodies that are apart."""
        return bool(np.isinf(self.tip[0]))

    def filter(self, atoms: AtomSet) -> PairFilter:
        """Keeps the pairs whose reference segment does not cross the cut."""

        def keep(pairs: Pairs) -> torch.Tensor:
            i, j = pairs.i.numpy(), pairs.j.numpy()
            b = atoms.reference[j] + pairs.shifts.numpy() @ atoms.cell
            return torch.from_numpy(~self.crosses(atoms.reference[i], b))

        return keep


@dataclass(frozen=True)
class BondRow:
    """The nearest-neighbour bonds across a cleavage plane, sorted along the crack: who they join and where. Each
    belongs to the rank that owns its lower atom.

    halo: copies of the upper atoms that others own; lower, upper: (m,) atoms; shift: (m, 3) lattice vector added to
    the upper one, Å; x: (m,) position of the bond along the crack, Å; rest: bond length at rest, Å.
    """

    halo: Halo
    lower: Array
    upper: Array
    shift: Array
    x: Array
    rest: float

    def stretch(self, positions: Array) -> Array:
        """Length of each bond over its length at rest, (m,); positions (n, 3) of this rank's atoms. Collective."""
        y = self.halo.extended(positions)
        d = y[self.upper] + self.shift - y[self.lower]
        return np.linalg.norm(d, axis=1) / self.rest

    def tip(self, positions: Array, broken: float = 1.3) -> float:
        """Position along the crack of the foremost broken bond (stretch > broken), Å; −inf if all hold.

        Bonds behind it may hold: a running crack leaves bridges. Collective.
        """
        open_ = self.x[self.stretch(positions) > broken]
        return float(self.halo.comm.allreduce(float(open_.max(initial=-np.inf)), MPI.MAX))

    def bridges(self, positions: Array, behind: float, broken: float = 1.3) -> int:
        """Bonds behind a place along the crack, Å, that hold. Collective."""
        held = self.stretch(positions) <= broken
        return int(self.halo.comm.allreduce(int((held & (self.x < behind)).sum())))


def bond_row(atoms: AtomSet, height: float, within: Array) -> BondRow:
    """Bonds across the plane y = height between the chosen ones (`within`, (n,) boolean) of this rank's atoms.
    Collective."""
    spacing = _nearest(atoms)
    halo = atoms.around(1.1 * spacing, positions=atoms.sites)
    near, within = atoms.extended(halo), halo.extended(within)
    within = within & (near.sublattice >= 0)
    lower_half = near.sites[:, 1] < height
    pairs = find_pairs(near.state(near.sites), 1.1 * spacing)
    i, j = pairs.i.numpy(), pairs.j.numpy()
    across = lower_half[i] & ~lower_half[j] & within[i] & within[j] & (i < halo.own)
    shift = pairs.shifts.numpy()[across] @ atoms.cell
    i, j = i[across], j[across]
    x = 0.5 * (near.sites[i, 0] + near.sites[j, 0] + shift[:, 0])
    order = np.argsort(x, kind="stable")
    return BondRow(halo, i[order], j[order], shift[order], x[order], spacing)


def _nearest(atoms: AtomSet) -> float:
    """Nearest-neighbour distance of the crystal's sites, Å. Collective."""
    radius = 2.0
    while True:
        halo = atoms.around(radius, positions=atoms.sites)
        near = atoms.extended(halo)
        state, on = near.state(near.sites), torch.from_numpy(near.sublattice >= 0)
        pairs = find_pairs(state, radius)
        pairs = pairs.select(on[pairs.i] & on[pairs.j])
        mine = float(pairs.vectors(state).norm(dim=1).min()) if len(pairs) else np.inf
        nearest = -atoms.ownership.largest(-mine)
        if np.isfinite(nearest):
            return nearest
        radius *= 1.5
