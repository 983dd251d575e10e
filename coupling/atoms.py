"""The atoms of a coupled model: reference positions, mask weights, and which of them move freely.

Every rank generates the sites of a slab, and sends them to their owners; none ever has all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from coupling.exchange import Halo, Ownership
from coupling.given import EMPTY, HELD, OFF, Given
from coupling.partition import bisected, sent_home
from nnp.crystal import Crystal
from nnp.state import State

Array = np.ndarray


@dataclass(frozen=True)
class Sites:
    """Sites of the perfect crystal under a mask. Fields as in AtomSet; off: (n, 3) how far off its site an atom is, Å,
    and held: (n,) which are not to move freely, where atoms are given, else None."""

    points: Array
    sublattice: Array
    numbers: Array
    weights: Array
    cell: Array
    pbc: tuple[bool, bool, bool]
    off: Array | None = None
    held: Array | None = None

    def select(self, chosen: Array) -> Sites:
        """The chosen ones (n,) boolean."""
        c = chosen
        off, held = (None if v is None else v[c] for v in (self.off, self.held))
        p, s, n, w = (v[c] for v in (self.points, self.sublattice, self.numbers, self.weights))
        return Sites(p, s, n, w, self.cell, self.pbc, off, held)


@dataclass(frozen=True)
class AtomSet:
    """The atoms that a rank owns, a compact part of all; or, where it is said, with copies of others behind them.

    reference: (n, 3) X_i, Å; numbers, sublattice: (n,); weights: (n,) w_i; free: (n,) atoms that are unknowns
    of their own (the others follow the mesh, or are held); cell, pbc: the periods; ownership: how many each rank has;
    vacant: the sites of the crystal that were left empty, each on one rank; relaxation: (n, 3) by which X_i is off the
    perfect crystal's site, Å (under a free surface, or where atoms are given), None: nowhere. Atoms off the lattice
    have the sublattice −1.
    """

    reference: Array
    numbers: Array
    sublattice: Array
    weights: Array
    free: Array
    cell: Array
    pbc: tuple[bool, bool, bool]
    ownership: Ownership
    vacant: Sites
    relaxation: Array | None = None

    @property
    def sites(self) -> Array:
        """Sites of the perfect crystal, (n, 3) Å."""
        return self.reference if self.relaxation is None else self.reference - self.relaxation

    def __len__(self) -> int:
        return len(self.reference)

    @property
    def dim(self) -> int:
        """Of the space in which distances between ranks' atoms count: a slice that repeats along z is never cut."""
        return 2 if self.pbc[2] else 3

    def around(self, reach: float, chosen: Array | None = None, positions: Array | None = None) -> Halo:
        """Copies of all atoms within `reach` (Å) of this rank's atoms, or of the chosen ones of them (n,) boolean, at
        rest or at other positions (n, 3). Collective."""
        x = self.reference if positions is None else positions
        near = x if chosen is None else x[chosen]
        return Halo.around(self.ownership.comm, x, near, reach, self.dim)

    def extended(self, halo: Halo, vacant: Sites | None = None) -> AtomSet:
        """With copies of others behind this rank's own, and vacant sites, if given. Collective."""
        return replace(
            self,
            reference=halo.extended(self.reference),
            numbers=halo.extended(self.numbers),
            sublattice=halo.extended(self.sublattice),
            weights=halo.extended(self.weights),
            free=halo.extended(self.free),
            relaxation=None if self.relaxation is None else halo.extended(self.relaxation),
            vacant=vacant or self.vacant,
        )

    def state(self, positions: Array) -> State:
        """The same atoms at other positions (n, 3)."""
        return State(
            torch.from_numpy(np.ascontiguousarray(positions)),
            torch.from_numpy(self.numbers),
            torch.from_numpy(self.cell),
            self.pbc,
        )


Relaxation = Callable[[Array], Array]
"""Displacements at rest (n, 3), Å, of the atoms on the sites at points (n, 3): a free surface relaxes."""

Removal = Callable[[Array], Array]
"""Which of the sites at points (n, 3) Å are left empty, (n,) boolean."""


Cost = Callable[[Array, Array], Array]
"""Relative cost (n,) of the sites at points (n, 3) Å with weights (n,)."""


def cost_of(points: Array, weights: Array) -> Array:
    """Those with weight are evaluated, the others only moved about."""
    return np.where(weights > 0.0, 1.0, 0.02)


@dataclass(frozen=True)
class Division:
    """How atoms are shared out to ranks. cost: of each; ranks: how many have atoms, the first ones, None: all; places:
    sites (n, 3) of this rank → where their atoms are now, (n, 3) Å, collective, None: on their sites."""

    cost: Cost = cost_of
    ranks: int | None = None
    places: Callable[[Array], Array] | None = None


def sites_around(
    comm: Any,
    crystal: Crystal,
    mask: Any,
    reach: float,
    dim: int,
    remove: Removal | None = None,
    division: Division | None = None,
    given: Given | None = None,
) -> tuple[Sites, Sites]:
    """This rank's share of the sites of the perfect crystal closer than `reach` (Å) to a region, with the mask's
    weight: those with an atom, and those to `remove`. Shares are compact and of about equal cost. Collective.

    mask: coupling.regions.Mask or Everywhere; given: atoms that stand for those of the crystal; in two dimensions one
    period of the crystal along z is filled.
    """
    low, high = mask.core.bounds()
    low, high = low - reach, high + reach
    cell, pbc = np.zeros((3, 3)), (False, False, False)
    if dim == 2 and crystal.pbc[2]:
        period = crystal.period((0.0, 0.0, 1.0))
        low[2], high[2] = 0.0, period
        cell[2, 2], pbc = period, (False, False, True)
    elif dim == 2:
        low[2], high[2] = -0.5, 0.5
    division = division or Division()
    points, sublattice, numbers = _slab(comm, crystal, mask.core, reach, low, high)
    empty = np.zeros(len(points), bool) if remove is None else np.asarray(remove(points), bool)
    table = np.column_stack([points, sublattice, numbers, empty])
    if given is not None:
        table = np.column_stack([table, np.zeros((len(table), 4))])
        table = given.put(comm, table, lambda x: mask.core.distance(x) < reach)
    points = table[:, :3]
    dear = np.where(table[:, EMPTY] != 0.0, 0.02, division.cost(points, mask(points)))
    where = points if division.places is None else division.places(points)
    owner = bisected(comm, where[:, : 2 if pbc[2] else 3], dear, division.ranks or comm.size)
    table = sent_home(comm, table, owner)
    table = table[np.lexsort((table[:, 1], np.round(table[:, 0], 6)))]
    points, (sublattice, numbers) = table[:, :3].copy(), table[:, 3:5].astype(np.int64).T.copy()
    sites = Sites(points, sublattice, numbers, mask(points), cell, pbc)
    if given is not None:
        sites = replace(sites, off=table[:, OFF].copy(), held=table[:, HELD] != 0.0)
    empty = table[:, EMPTY] != 0.0
    return sites.select(~empty), sites.select(empty)


_AT_ONCE = 2_000_000.0
"""Å³ that are filled with sites in one go."""


def _slab(
    comm: Any, crystal: Crystal, region: Any, reach: float, low: Array, high: Array
) -> tuple[Array, Array, Array]:
    """This rank's slab, normal to x, of the box low … high: sites closer than `reach` to the region; points,
    sublattice, numbers."""
    pieces = int(np.ceil(np.prod(high - low) / comm.size / _AT_ONCE))
    edges = np.linspace(low[0], high[0], comm.size * pieces + 1)
    found = []
    for k in range(comm.rank * pieces, (comm.rank + 1) * pieces):
        begin, end = low.copy(), high.copy()
        begin[0], end[0] = edges[k], edges[k + 1]
        points, sublattice, numbers = crystal.sites(begin, end)
        near = region.distance(points) < reach
        found.append((points[near], sublattice[near], numbers[near].astype(np.int64)))
    points, sublattice, numbers = (np.concatenate(parts) for parts in zip(*found))
    return points, sublattice, numbers


def thickness(crystal: Crystal, dim: int) -> float:
    """Depth of the modelled slice along z, Å: one crystal repeat in two dimensions, 1 otherwise."""
    return crystal.period((0.0, 0.0, 1.0)) if dim == 2 and crystal.pbc[2] else 1.0
