"""Atoms whose energy and forces come from an ASE calculator, all at once: there are no site energies to weigh.

The forces on free atoms are true, because the pad is wider than twice the calculator's reach: the outer surface of the
pad, which is bare, is not felt by any atom that moves. The energy is that of the whole cluster above its energy at
rest; a scheme that weighs atoms cannot use it, and in the record of `schwarz` pad and mesh count the same crystal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from petsc4py import PETSc
from scipy.sparse import csr_matrix

from coupling.atomistic import AtomisticEnergy
from coupling.cut import Cut
from coupling.hessian import match, rows_of
from nnp.crystal import Crystal
from nnp.external import External
from nnp.measured import force_constants
from nnp.potential import Graph, Potential

Array = np.ndarray


@dataclass
class CalculatedEnergy(AtomisticEnergy):
    """E(y) − E(X) of all atoms and its gradient, by the first rank, since most calculators know one process only.
    `weights` and `keep` are not used."""

    def __post_init__(self) -> None:
        assert isinstance(self.potential, External)
        atoms, self._first = self.atoms, self.atoms.ownership.comm.rank == 0
        box = np.ptp(atoms.reference, axis=0) + 4.0 * self.potential.cutoff
        cell = np.where(np.array(atoms.pbc)[:, None], atoms.cell, np.diag(box))
        self._ase = Atoms(atoms.numbers, atoms.reference, cell=cell, pbc=atoms.pbc)
        self._rest: float | None = None
        if self._first:
            self._ase.calc = self.potential.make()

    def __call__(self, positions: Array) -> tuple[float, Array]:
        if not self._first:
            return 0.0, np.zeros_like(positions)
        if self._rest is None:
            self._rest = self._evaluate(self.atoms.reference)[0]
        energy, gradient = self._evaluate(positions)
        return energy - self._rest, gradient

    def _evaluate(self, positions: Array) -> tuple[float, Array]:
        self._ase.set_positions(positions)
        self.counter.calls += 1
        self.counter.sites += len(positions)
        forces = np.asarray(self._ase.get_forces(), float)
        return float(self._ase.get_potential_energy()), -forces

    def curvature(self, positions: Array) -> Callable[[Array], Array]:
        raise ValueError("an ASE calculator gives no second derivatives")

    def site_energies(self, positions: Array) -> tuple[Array, Array]:
        """None."""
        return np.zeros(0, int), np.zeros(0)

    def graph(self, positions: Array) -> tuple[Array, Graph]:
        raise ValueError("an ASE calculator shows no neighbourhoods")

    def detail(self, positions: Array, potential: Potential | None = None) -> tuple[Array, Array, Array]:
        """No sites, no site energies, and this rank's ∂/∂y (n, 3)."""
        return np.zeros(0, int), np.zeros(0), self(positions)[1]

    @property
    def n_sites(self) -> int:
        return len(self.atoms) if self._first else 0


def calculated_hessian(atomistic: CalculatedEnergy, crystal: Crystal, cut: Cut | None = None) -> PETSc.Mat:
    """As coupling.hessian.reference_hessian: from the force constants of the crystal, each bond with the mean weight of
    its ends, those longer than the reach left out. Collective."""
    atoms, own = atomistic.atoms, atomistic.atoms.ownership
    potential = atomistic.potential
    assert isinstance(potential, External)
    total = csr_matrix((3 * (own.high - own.low), 3 * len(atoms)))
    for p in range(len(crystal.basis)):
        vectors, phi = force_constants(potential, crystal, p, potential.cutoff)
        site = np.flatnonzero((atoms.sublattice == p) & (atomistic.weights != 0.0))
        neighbour, present = match(atoms, site, vectors, cut)
        k = (
            -0.5 * 0.5 * (phi + phi.transpose(0, 2, 1))
        )  # half a bond: the other half comes from its other end
        k = np.where(present[..., None, None], k, 0.0) * atomistic.weights[site][:, None, None, None]
        ends = np.stack([np.broadcast_to(site[:, None], neighbour.shape), neighbour], -1).reshape(-1, 2)
        signs = np.array([[1.0, -1.0], [-1.0, 1.0]])
        blocks = k.reshape(-1, 1, 1, 3, 3) * signs[..., None, None]
        total = total + rows_of(ends, blocks, own.low, own.high, len(atoms))
    return PETSc.Mat().createAIJ(
        ((total.shape[0], None), (total.shape[0], None)),
        csr=(total.indptr.astype(PETSc.IntType), total.indices.astype(PETSc.IntType), total.data),
        comm=own.comm,
    )
