"""Alternating Schwarz: the atoms relaxed with the pad held, the bulk solved with the atoms' displacement, in turn.

The middle of the blend zone parts the unknowns. Those inside (free atoms, nodes) are in equilibrium under the
true forces on the atoms, those outside under the forces of the full continuum; each side holds what the other
displaces: the pad, one receptive field wide, and the layer of nodes inside. That is `bqcf` with a mask that
jumps, reached by two solvers that know nothing of each other. Of the atoms only forces are used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from petsc4py import PETSc

from coupling.atomistic import AtomisticEnergy
from coupling.forces import true_energy
from coupling.model import Energy, Model
from coupling.remask import remasked
from coupling.schemes.base import Reference, Scheme
from coupling.schemes.bqcf import known_forces, outside_core

Array = np.ndarray


@dataclass(frozen=True)
class Atoms:
    """Tᵀ ∇E_atomistic on the unknowns inside. known: (n,) atoms whose true force is evaluated."""

    model: Model
    atomistic: AtomisticEnergy
    known: Array
    has_energy: ClassVar[bool] = False

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        self.model.atoms_gradient(self.atomistic, q, g, self.known.astype(float))
        self.model.terms_gradient(q, g)

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        self.residual(q, g)
        return Energy(0.0, 0.0)


@dataclass(frozen=True)
class Continuum:
    """The energy of all cells that touch the unknowns outside, and its gradient."""

    model: Model
    has_energy: ClassVar[bool] = True

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        self.energy_gradient(q, g)

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        model = self.model
        assert model.bulk is not None
        energy, du = model.bulk_gradient(model.bulk, q)
        g.set(0.0)
        values = g.array
        values[model.layout.mesh] = du
        return Energy(0.0, energy, **model.terms_gradient(q, g))


@dataclass
class Schwarz:
    """The two parts and their common residual; `reference` is not used."""

    model: Model
    reference: Reference
    has_energy: ClassVar[bool] = False

    def __post_init__(self) -> None:
        smooth = self.model
        assert smooth.mask is not None and smooth.bulk is not None
        self.model = remasked(smooth, replace(smooth.mask, step="sharp"))
        assert self.model.mask is not None
        nodes = np.repeat(self.model.mask(smooth.nodes) == 1.0, 3)
        self._inside = np.concatenate([np.ones(3 * smooth.layout.n_free, bool), nodes])
        known = known_forces(smooth)  # reach beyond the inner unknowns by half a blend zone and more
        inner = self._holding(self.model, ~self._inside)
        bulk = smooth.bulk.with_fraction(outside_core(smooth.bulk, self.model.mask))
        outer = replace(self._holding(self.model, self._inside), bulk=bulk)
        self._atoms = Atoms(inner, true_energy(smooth.atomistic, known), known)
        self._continuum = Continuum(outer)

    @property
    def parts(self) -> tuple[Scheme, Scheme]:
        return self._atoms, self._continuum

    @staticmethod
    def _holding(model: Model, held: Array) -> Model:
        return replace(model, fixed=np.union1d(model.fixed, np.flatnonzero(held)))

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        self._atoms.residual(q, g)
        inside = g.array_r.copy()
        self._continuum.residual(q, g)
        values = g.array
        values[self._inside] = inside[self._inside]

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        energy = self.model.energy_gradient(q, g)
        self.residual(q, g)
        return energy
