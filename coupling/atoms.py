"""The atoms of a coupled model: reference positions, mask weights, and which of them move freely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from coupling.exchange import Ownership
from nnp.crystal import Crystal
from nnp.state import State

Array = np.ndarray


@dataclass(frozen=True)
class Sites:
    """Sites of the perfect crystal under a mask. Fields as in AtomSet."""

    points: Array
    sublattice: Array
    numbers: Array
    weights: Array
    cell: Array
    pbc: tuple[bool, bool, bool]

    def select(self, chosen: Array) -> Sites:
        """The chosen ones (n,) boolean."""
        c = chosen
        return Sites(
            self.points[c], self.sublattice[c], self.numbers[c], self.weights[c], self.cell, self.pbc
        )


@dataclass(frozen=True)
class AtomSet:
    """All atoms that a model holds, the same on every rank, sorted so that each rank's share is compact.

    reference: (n, 3) X_i, Å; numbers, sublattice: (n,); weights: (n,) w_i; free: (n,) atoms that are unknowns
    of their own (the others follow the mesh, or are held); cell, pbc: the periods; ownership: who evaluates what;
    vacant: the sites of the crystal that were left empty; relaxation: (n, 3) by which X_i is off the perfect crystal's
    site, Å (under a free surface), None: nowhere.
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


def sites_around(crystal: Crystal, mask, reach: float, dim: int) -> Sites:
    """All sites of the perfect crystal closer than `reach` (Å) to a region, with the mask's weight.

    mask: coupling.regions.Mask or Everywhere; in two dimensions one period of the crystal along z is filled.
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
    points, sublattice, numbers = crystal.sites(low, high)
    near = mask.core.distance(points) < reach
    order = np.lexsort((points[near][:, 1], np.round(points[near][:, 0], 6)))
    points, sublattice, numbers = (v[near][order] for v in (points, sublattice, numbers))
    return Sites(points, sublattice, numbers.astype(np.int64), mask(points), cell, pbc)


def thickness(crystal: Crystal, dim: int) -> float:
    """Depth of the modelled slice along z, Å: one crystal repeat in two dimensions, 1 otherwise."""
    return crystal.period((0.0, 0.0, 1.0)) if dim == 2 and crystal.pbc[2] else 1.0


def cost_of(weights: Array) -> Array:
    """Relative cost of an atom: those with weight are evaluated, the others only moved about."""
    return np.where(weights > 0.0, 1.0, 0.02)
