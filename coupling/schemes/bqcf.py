"""Blended force-based coupling: true atomistic forces and true continuum forces, weighted, without an energy.

    ⟨R(q), v⟩ = ⟨δE_atomistic(y), T I_h(w v)⟩ + ⟨δE_continuum(u), I_h(β v)⟩,      β = 1 − w

H. Li, C. Ortner, A. V. Shapeev, B. Van Koten, Numer. Math. 134, 275, 2016, doi:10.1007/s00211-015-0772-z. The
atomistic forces come from site energies of weight one, the continuum's from cells that it carries in full; each is
weighted on the test function only, node by node, so that every row is a mean of two equations which both hold under
a uniform strain. (Weighting atom by atom instead would leave a net force in a crystal with a basis, whose
sublattices pull against each other.)
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
from coupling.tangent import Tangent

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
        self._known = known_forces(model)
        self._atomistic = true_energy(model.atomistic, self._known)
        self._weight = test_weights(model, self._known)
        self._bulk = model.bulk.with_fraction(outside_core(model.bulk, model.mask))

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        model = self.model
        model.atoms_gradient(self._atomistic, q, g, self._known.astype(float))
        _, du = model.bulk_gradient(self._bulk, q)
        values, mesh = g.array, model.layout.mesh
        values *= self._weight
        values[mesh] += (1.0 - self._weight[mesh]) * du
        model.terms_gradient(q, g)

    def tangent(self, q: PETSc.Vec) -> Tangent:
        model = self.model
        atoms = self._atomistic.curvature(model.positions(q))
        stiffness = self._bulk.stiffness(q.array_r[model.layout.mesh].copy())
        terms = tuple(term.stiffness(q) for term in model.terms)
        return Tangent(
            model, atoms, stiffness, self._known.astype(float), self._weight, terms, model.motion(q)
        )

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        energy = self.model.energy_gradient(q, g)
        self.residual(q, g)
        return energy


def known_forces(model: Model) -> Array:
    """This rank's atoms (n,) whose true force the halo allows: one lattice constant beyond the blend zone, so that
    the elements at its edge have all theirs."""
    assert model.mask is not None
    return model.mask.core.distance(model.atoms.reference) < model.mask.blend + model.crystal.a


def test_weights(model: Model, known: Array) -> Array:
    """w of the test function at this rank's unknowns: one on free atoms, the mask on nodes, zero on those that carry
    an atom without a true force. Collective."""
    assert model.mask is not None
    transfer = model.transfer
    rows, columns, values = transfer.getValuesCSR()
    size = (transfer.getSizes()[0], transfer.getSizes()[1])
    absolute = PETSc.Mat().createAIJ(size, csr=(rows, columns, np.abs(values)), comm=transfer.comm)
    lost, touched = transfer.createVecLeft(), transfer.createVecRight()
    lost.array[:] = np.repeat(~known, 3)
    absolute.multTranspose(lost, touched)
    weight = np.ones(model.layout.n_local)
    weight[model.layout.mesh] = np.repeat(model.mask(model.nodes), 3)
    weight[touched.array_r > 1e-9] = 0.0
    return weight


def outside_core(bulk: Bulk, mask: Mask) -> Array:
    """1 for each owned cell with w < 1 on a corner or an edge's middle, 0 for those within the core, (nc,)."""
    x = bulk.cell_geometry()
    nodes = 0.5 * (x[:, :, None] + x[:, None])
    w = mask(nodes.reshape(-1, x.shape[2])).reshape(len(x), x.shape[1] ** 2)
    return (w < 1.0).any(axis=1).astype(float)
