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

from coupling.atomistic import AtomisticEnergy
from coupling.blocks import Blocks
from coupling.cut import Cut
from coupling.hessian import assembled, lattice_around, longest, match, springs
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
        self._whole: Atoms | None = None
        self._rest: float | None = None

    def _first(self) -> Atoms | None:
        """All atoms, on the first rank. Collective."""
        atoms = self.atoms
        x, numbers = (atoms.ownership.on_first(v) for v in (atoms.reference, atoms.numbers))
        if x is None:
            return None
        assert isinstance(self.potential, External)
        box = np.ptp(x, axis=0) + 4.0 * self.potential.cutoff
        cell = np.where(np.array(atoms.pbc)[:, None], atoms.cell, np.diag(box))
        return Atoms(numbers, x, cell=cell, pbc=atoms.pbc, calculator=self.potential.make())

    def __call__(self, positions: Array) -> tuple[float, Array]:
        own = self.atoms.ownership
        if self._rest is None:
            self._whole = self._first()
            self._rest = self._evaluate(own.on_first(self.atoms.reference))[0]
        energy, gradient = self._evaluate(own.on_first(positions))
        return energy - self._rest, own.from_first(gradient)

    def _evaluate(self, positions: Array | None) -> tuple[float, Array | None]:
        """Of all atoms, on the first rank."""
        if positions is None or self._whole is None:
            return 0.0, None
        self._whole.set_positions(positions)
        self.counter.calls += 1
        self.counter.sites += len(positions)
        forces = np.asarray(self._whole.get_forces(), float)
        return float(self._whole.get_potential_energy()), -forces

    def curvature(self, positions: Array) -> Callable[[Array], Array]:
        raise ValueError("an ASE calculator gives no second derivatives")

    def site_energies(self, positions: Array) -> tuple[Array, Array]:
        """None."""
        return np.zeros(0, int), np.zeros(0)

    def graph(self, positions: Array) -> tuple[Array, Graph]:
        raise ValueError("an ASE calculator shows no neighbourhoods")

    def detail(self, positions: Array, potential: Potential | None = None) -> tuple[Array, Array, Array]:
        """No sites, no site energies, and ∂/∂y (n, 3) on this rank's atoms."""
        return np.zeros(0, int), np.zeros(0), self(positions)[1]

    @property
    def n_sites(self) -> int:
        own = self.atoms.ownership
        return own.total if own.comm.rank == 0 else 0


def calculated_hessian(atomistic: CalculatedEnergy, crystal: Crystal, cut: Cut | None = None) -> PETSc.Mat:
    """As coupling.hessian.reference_hessian: from the force constants of the crystal, each bond with the mean weight of
    its ends, those longer than the reach left out. Collective."""
    potential = atomistic.potential
    assert isinstance(potential, External)
    found = [force_constants(potential, crystal, p, potential.cutoff) for p in range(len(crystal.basis))]
    halo, atoms = lattice_around(atomistic, max(longest(vectors) for vectors, _ in found))
    parts: list[Blocks] = []
    for p, (vectors, phi) in enumerate(found):
        site = np.flatnonzero((atomistic.atoms.sublattice == p) & (atomistic.weights != 0.0))
        neighbour, present = match(atoms, site, vectors, cut)
        k = (
            -0.5 * 0.5 * (phi + phi.transpose(0, 2, 1))
        )  # half a bond: the other half comes from its other end
        k = np.where(present[..., None, None], k, 0.0) * atomistic.weights[site][:, None, None, None]
        ends = np.stack([np.broadcast_to(site[:, None], neighbour.shape), neighbour], -1).reshape(-1, 2)
        signs = np.array([[1.0, -1.0], [-1.0, 1.0]])
        blocks = k.reshape(-1, 1, 1, 3, 3) * signs[..., None, None]
        parts.append(Blocks.between(ends, blocks))
    return assembled(atomistic.atoms.ownership, halo, [*parts, springs(atomistic, halo, atoms, parts)])
