"""Blended force-based coupling: true atomistic forces and true continuum forces, weighted, without an energy.

    ⟨R(q), v⟩ = ⟨δE_atomistic(y), w T v⟩ + ⟨δE_continuum(u), I_h(β v)⟩,      β = 1 − w

X. H. Li, M. Luskin, C. Ortner, A. V. Shapeev, Numer. Math. 2014; H. Li, C. Ortner, A. V. Shapeev, B. Van Koten,
Numer. Math. 134, 275, 2016, doi:10.1007/s00211-015-0772-z. The atomistic forces come from site energies of weight
one, the continuum's from cells that it carries in full, each weighted on the test function only: under a uniform
strain both vanish, row by row, whatever the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from petsc4py import PETSc

from coupling.forces import true_energy
from coupling.model import Bulk, Energy, Model
from coupling.regions import Mask
from coupling.schemes.base import Reference

Array = np.ndarray


@dataclass
class Bqcf:
    """R(q) of the model; `reference` is not used."""

    model: Model
    reference: Reference
    has_energy: ClassVar[bool] = False

    def __post_init__(self) -> None:
        model = self.model
        assert model.mask is not None and model.bulk is not None
        self._atomistic = true_energy(model.atomistic, model.atoms.weights > 0.0)
        self._beta = np.repeat(1.0 - model.mask(model.nodes), 3)
        self._bulk = model.bulk.with_fraction(outside_core(model.bulk, model.mask))

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        model = self.model
        model.atoms_gradient(self._atomistic, q, g, model.atoms.weights)
        _, du = model.bulk_gradient(self._bulk, q)
        values = g.array
        values[model.layout.mesh] += self._beta * du

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        energy = self.model.energy_gradient(q, g)
        self.residual(q, g)
        return energy


def outside_core(bulk: Bulk, mask: Mask) -> Array:
    """1 for each owned cell with w < 1 on a corner or an edge's middle, 0 for those within the core, (nc,)."""
    x = bulk.cell_geometry()
    nodes = 0.5 * (x[:, :, None] + x[:, None])
    w = mask(nodes.reshape(-1, x.shape[2])).reshape(len(x), -1)
    return (w < 1.0).any(axis=1).astype(float)
