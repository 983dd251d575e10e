"""True atomistic forces: every site that an atom feels is evaluated with weight one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from coupling.atomistic import AtomisticEnergy
from coupling.atoms import AtomSet
from nnp.potential import Potential

Array = np.ndarray

COMPRESSION = 0.1
"""Strain up to which atoms that come within reach of each other are counted on from the start."""


def reach(potential: Potential) -> float:
    """Distance at rest within which one atom may come to feel another, Å."""
    return (1.0 + COMPRESSION) * potential.receptive_field


def true_energy(atomistic: AtomisticEnergy, on: Array) -> AtomisticEnergy:
    """Σ ε_i over all sites within reach of the atoms `on` (n,): its gradient on these is minus the force that they
    feel in the full crystal. What has been spent is counted with `atomistic`."""
    near = _distance_to(atomistic.atoms, on) <= reach(atomistic.potential) + 1e-9
    return replace(atomistic, weights=near.astype(float))


def _distance_to(atoms: AtomSet, chosen: Array) -> Array:
    """Distance from each atom to the nearest of the chosen ones; in a thin periodic slice that in the plane,
    which is never longer."""
    dim = 2 if atoms.pbc[2] else 3
    x = atoms.reference[:, :dim]
    return cKDTree(x[chosen]).query(x)[0]
