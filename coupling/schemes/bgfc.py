"""Blended ghost-force correction: the composite energy less its spurious forces at a reference state.

    E_bgfc(q) = E(q) − c·(q − q_ref),      c = ∇E(q_ref) − Tᵀ(w ⊙ ∇E_atomistic(y_ref))

C. Ortner, L. Zhang, SIAM J. Numer. Anal. 52, 2014, arXiv:1407.0053. In the perfect crystal the true atomistic
forces vanish and c is the ghost force itself. Where a crack has cut bonds or a site is vacant they do not vanish
(the new surfaces want to relax); c then keeps their blended part and removes only the spurious remainder, such as
the ends of the surface stress where the mask falls off. Nothing has to be excepted by hand next to missing
neighbours. Masked atoms next to a closed interface, which would relax as free surfaces do, are spurious there too:
the true forces are those of the unmasked crystal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from petsc4py import PETSc

from coupling.forces import true_energy
from coupling.model import Energy, Model
from coupling.schemes.base import Reference
from coupling.tangent import Tangent, energy_tangent


@dataclass
class Bgfc:
    """E(q) − c·(q − q_ref) with the dead load c computed once."""

    model: Model
    reference: Reference
    has_energy: ClassVar[bool] = True

    def __post_init__(self) -> None:
        model, gradient = self.model, self.reference.gradient
        self._q0 = model.unknowns(lambda x: x @ gradient.T)
        self._load = model.vector()
        bare = replace(model, terms=())  # what a term does at the reference is no ghost force
        _cut(bare, self.reference).energy_gradient(self._q0, self._load)
        atoms = model.atoms
        defects = atoms.relaxation is not None or atoms.ownership.sum(len(atoms.vacant.points)) > 0
        if self.reference.cut is not None or defects:
            self._load.axpy(-1.0, _true_forces(model, self.reference, self._q0))
        self._load.array[model.fixed] = 0.0
        if self.reference.cut is not None and self.reference.cut.through:
            _balance(self._load, model, self.reference.cut.tip[1])
        self._offset = self._load.dot(self._q0)

    @property
    def ghost_force(self) -> float:
        """Largest force that the correction removes, eV/Å."""
        return self.model.block_norm(self._load)

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        self.energy_gradient(q, g)

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        energy = self.model.energy_gradient(q, g)
        g.axpy(-1.0, self._load)
        return replace(energy, correction=self._offset - self._load.dot(q))

    def tangent(self, q: PETSc.Vec) -> Tangent:
        return energy_tangent(self.model, q)


def _balance(load: PETSc.Vec, model: Model, height: float) -> None:
    """Take the resultant on each of two bodies, above and below a height, off a load: the true energy has none, but
    where surface atoms differ (at steps) their blended forces do not add up to zero. What is taken is spread over the
    blend zone as Tᵀ w(1 − w)."""
    w, free = model.atomistic.weights, model.atoms.reference[model.atoms.free]
    upper = np.concatenate([free, model.nodes])[:, 1] > height + 1e-6
    spread = model.vector()
    model.pull_back(np.tile((w * (1.0 - w))[:, None], 3), spread)
    spread.array[model.fixed] = 0.0
    blocks, shares = load.array.reshape(-1, 3), spread.array_r.reshape(-1, 3)
    for body in (upper, ~upper):
        sums = np.stack([blocks[body].sum(axis=0), shares[body].sum(axis=0)])
        excess, whole = model.comm.allreduce(sums)
        blocks[body] -= shares[body] * np.divide(excess, whole, out=np.zeros(3), where=whole != 0.0)


def _cut(model: Model, reference: Reference) -> Model:
    """The model with the bonds across the cut removed."""
    if reference.cut is None:
        return model
    return replace(model, atomistic=replace(model.atomistic, keep=reference.cut.filter))


def _true_forces(model: Model, reference: Reference, q: PETSc.Vec) -> PETSc.Vec:
    """Tᵀ(w ⊙ ∇E_at): the blended forces of a fully atomistic crystal with the same cut and vacancies,
    its interface whole."""
    w = model.atomistic.weights
    out = model.vector()
    whole = replace(_cut(model, reference).atomistic, masking=None)
    model.atoms_gradient(true_energy(whole, w > 0.0), q, out, w)
    return out
