"""How far the members of a committee disagree on the atoms of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coupling.atomistic import AtomisticEnergy, Counter, bulk_site_energies
from nnp.committee import Calibration, Committee
from nnp.crystal import Crystal

Array = np.ndarray


@dataclass(frozen=True)
class ModelSpread:
    """Standard deviations over the members in place of the potential that drives a model.

    members: the atomistic energy of each, above its own bulk; factor: of the calibration, on the forces.
    """

    members: tuple[AtomisticEnergy, ...]
    factor: float

    @classmethod
    def of(cls, committee: Committee, atomistic: AtomisticEnergy, crystal: Crystal) -> ModelSpread:
        """atomistic: driven by the committee's mean, or by one of its members."""
        drives = atomistic.potential
        calibration = committee.calibration or Calibration()
        factor = calibration.forces if drives is committee else calibration.first_forces
        parts = []
        for member in committee.members:
            zero = bulk_site_energies(member, crystal)[atomistic.atoms.sublattice]
            own = replace(atomistic, potential=member, zero_level=zero, counter=Counter())
            parts.append(atomistic if member is drives else own)
        return cls(tuple(parts), factor)

    def __call__(self, positions: Array) -> tuple[Array, Array]:
        """positions (n, 3) of all atoms → of this rank's atoms the norm of the standard deviation of the force
        on them, eV/Å, times the calibration's factor, and the standard deviation of their site energies, eV,
        zero where they are not evaluated. One evaluation of each member. Collective."""
        atoms = self.members[0].atoms
        own, forces, energies = atoms.ownership, [], []
        for member in self.members:
            index, found, gradient = member.detail(positions)
            sites = np.zeros(len(atoms))
            sites[index] = found
            energies.append(sites[own.owned])
            forces.append(own.sum_to_owners(gradient))
        deviation = np.stack(forces).std(axis=0, ddof=1)
        return self.factor * np.linalg.norm(deviation, axis=1), np.stack(energies).std(axis=0, ddof=1)
