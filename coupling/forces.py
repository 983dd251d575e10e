"""True atomistic forces: every site that an atom feels is evaluated with weight one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from coupling.atomistic import AtomisticEnergy
from coupling.atoms import AtomSet
from coupling.exchange import Halo
from nnp.potential import Potential

Array = np.ndarray

COMPRESSION = 0.1
"""Strain up to which atoms that come within reach of each other are counted on from the start."""


def reach(potential: Potential) -> float:
    """Distance at rest within which one atom may come to feel another, Å."""
    return (1.0 + COMPRESSION) * potential.receptive_field


def true_energy(atomistic: AtomisticEnergy, on: Array) -> AtomisticEnergy:
    """Σ ε_i over all sites within reach of the atoms `on` (n,): its gradient on these is minus the force that they
    feel in the full crystal. What has been spent is counted with `atomistic`. Collective."""
    near = _within(atomistic.atoms, on, reach(atomistic.potential) + 1e-9)
    return replace(atomistic, weights=near.astype(float))


def _within(atoms: AtomSet, chosen: Array, distance: float) -> Array:
    """Which atoms (n,) are no farther than `distance` (Å) from a chosen one, on whatever rank; in a thin periodic slice
    distances are those in the plane, which are never longer."""
    x = atoms.reference
    halo = Halo.around(atoms.ownership.comm, x[chosen], x, distance, atoms.dim)
    felt = halo.extended(x[chosen])[:, : atoms.dim]
    if len(felt) == 0:
        return np.zeros(len(x), bool)
    return cKDTree(felt).query(x[:, : atoms.dim])[0] <= distance
