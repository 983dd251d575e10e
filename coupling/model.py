"""A coupled model: atoms, bulk and the transfer between them, and the blended energy of the two.

    E(q) = Σ_i w_i [ε_i(y) − ε_bulk] + Σ_T v_T W(∇u) + Σ_terms E_k(q)          y = X + T q

Every scheme is built on this one object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from petsc4py import PETSc

from coupling.atomistic import AtomisticEnergy
from coupling.atoms import AtomSet
from coupling.basis import RelaxedBasis
from coupling.clock import Clock
from coupling.regions import Mask
from coupling.term import Term, add_gradients
from coupling.transfer import Layout
from nnp.crystal import Crystal

Array = np.ndarray
Field = Callable[[Array], Array]
"""A displacement field: reference points (n, 3) Å → displacements (n, 3) Å."""


class Bulk(Protocol):
    """What the coupling needs of a finite-element bulk (see multiscale.continuum.bulk)."""

    comm: Any
    dim: int
    n_owned: int

    def energy_gradient(self, u: Array) -> tuple[float, Array]: ...
    def stiffness(self, u: Array | None = None) -> PETSc.Mat: ...
    def cell_geometry(self) -> Array: ...
    def with_fraction(self, fraction: Array) -> Bulk: ...


@dataclass(frozen=True)
class Energy:
    """Parts of the energy of the whole model, eV; `correction` is what the scheme adds, `interface` that of cohesive
    surfaces, `external` that of what presses or pulls from outside."""

    atomistic: float
    continuum: float
    correction: float = 0.0
    interface: float = 0.0
    external: float = 0.0

    @property
    def total(self) -> float:
        return self.atomistic + self.continuum + self.correction + self.interface + self.external


@dataclass(frozen=True)
class Model:
    """bulk is None where every site is an atom; nodes: (n, 3) where this rank's mesh nodes are, those on a crack
    face just off it on their own side. fixed: local indices of prescribed unknowns. shift: Λ by sublattice
    (b, 3, 3, 3) or None. mask: what weighted the atoms, None where every site is an atom. terms: further parts of
    the energy. basis: of slaved atoms beyond the linear shift, None where that is all. clock: time spent by part."""

    atoms: AtomSet
    layout: Layout
    transfer: PETSc.Mat
    atomistic: AtomisticEnergy
    bulk: Bulk | None
    nodes: Array
    fixed: Array
    shift: Array | None
    crystal: Crystal
    mask: Mask | None
    terms: tuple[Term, ...] = ()
    basis: RelaxedBasis | None = None
    clock: Clock = field(default_factory=Clock)

    @property
    def comm(self):
        return self.atoms.ownership.comm

    @property
    def points(self) -> Array:
        """Where this rank's unknowns are at rest, three at each, (n, 3) Å."""
        return np.concatenate([self.atoms.reference[self.atoms.free], self.nodes])

    def vector(self) -> PETSc.Vec:
        """A zero vector of unknowns."""
        return self.transfer.createVecRight()

    def positions(self, q: PETSc.Vec) -> Array:
        """y (n, 3) of this rank's atoms. Collective."""
        y = self.atoms.reference + self.displacements(q)
        return y if self.basis is None else y + self.basis.beyond(q)

    def motion(self, q: PETSc.Vec) -> Callable[[PETSc.Vec], Array]:
        """v → the derivative of the positions at q along v, (n, 3) of this rank's atoms."""
        if self.basis is None:
            return self.displacements
        slope = self.basis.slope(q)
        return lambda v: self.displacements(v) + slope(v)

    def displacements(self, q: PETSc.Vec) -> Array:
        """T q (n, 3) of this rank's atoms. Collective."""
        moved = self.transfer.createVecLeft()
        self.transfer.mult(q, moved)
        return moved.array_r.reshape(-1, 3)

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        """Energy of the blended model; its exact gradient is written to g, prescribed unknowns included."""
        energy = self.atoms_gradient(self.atomistic, q, g)
        continuum = 0.0
        if self.bulk is not None:
            continuum, du = self.bulk_gradient(self.bulk, q)
            with_mesh = g.array
            with_mesh[self.layout.mesh] += du
        return Energy(energy, continuum, **self.terms_gradient(q, g))

    def terms_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> dict[str, float]:
        """Adds the gradients of all terms to g; their energies of all ranks by part, eV."""
        with self.clock("terms"):
            return add_gradients(self.terms, q, g)

    def atoms_gradient(
        self, atomistic: AtomisticEnergy, q: PETSc.Vec, g: PETSc.Vec, weight: Array | None = None
    ) -> float:
        """An atomistic energy of all ranks at q; g = Tᵀ(weight ⊙ ∂/∂y), weight (n,) one if not given."""
        with self.clock("transfer"):
            positions = self.positions(q)
        with self.clock("potential"):
            energy, dy = atomistic(positions)
        with self.clock("transfer"):
            self.pull_back(dy if weight is None else weight[:, None] * dy, g)
        return self.atoms.ownership.sum(energy)

    def bulk_gradient(self, bulk: Bulk, q: PETSc.Vec) -> tuple[float, Array]:
        """A bulk's energy of all ranks and its gradient on this rank's nodes, (3 nodes,)."""
        with self.clock("bulk"):
            energy, du = bulk.energy_gradient(q.array_r[self.layout.mesh].copy())
        return self.atoms.ownership.sum(energy), du

    def pull_back(self, dy: Array, g: PETSc.Vec) -> None:
        """g = Tᵀ dy; dy (n, 3) the derivative by the positions of this rank's atoms. Collective."""
        local = self.transfer.createVecLeft()
        local.array[:] = dy.ravel()
        self.transfer.multTranspose(local, g)

    def unknowns(self, field: Field) -> PETSc.Vec:
        """The unknowns that follow a displacement field: nodes exactly, free atoms with their internal shift."""
        q = self.vector()
        free = self.atoms.free
        x, p = self.atoms.reference[free], self.atoms.sublattice[free]
        values = q.array
        values[self.layout.atoms] = (field(x) + self.internal_shift(field, x, p)).ravel()
        values[self.layout.mesh] = field(self.nodes).ravel()
        return q

    def internal_shift(self, field: Field, x: Array, sublattice: Array, step: float = 1e-3) -> Array:
        """Λ_p : sym ∇u, or s_p(1 + ∇u), of a field at points x, its gradient by central differences of `step` Å."""
        if self.shift is None or len(x) == 0:
            return np.zeros_like(x)
        h = step * np.eye(3)
        gradient = np.stack([(field(x + e) - field(x - e)) / (2.0 * step) for e in h], axis=-1)
        if self.basis is not None:
            return self.basis.at(gradient, sublattice)
        return np.einsum("icml,iml->ic", self.shift[sublattice], 0.5 * (gradient + gradient.swapaxes(1, 2)))

    def block_norm(self, g: PETSc.Vec) -> float:
        """Largest force on a free atom or node, eV/Å; prescribed unknowns do not count."""
        values = g.array_r.copy()
        values[self.fixed] = 0.0
        blocks = values.reshape(-1, 3)
        largest = np.einsum("ic,ic->i", blocks, blocks).max(initial=0.0)
        return self.atoms.ownership.largest(float(largest)) ** 0.5
