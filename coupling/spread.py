"""How far the members of a committee disagree on the atoms of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coupling.atomistic import AtomisticEnergy, Counter, zero_level
from nnp.committee import Calibration, Committee
from nnp.crystal import Crystal

Array = np.ndarray


@dataclass(frozen=True)
class ModelSpread:
    """Standard deviations over the members in place of the potential that drives a model.

    sites: what is evaluated, with neighbour lists that reach as far as any member; zero: ε_bulk of each member
    on each of this rank's atoms, (members, n) eV; factor: of the calibration, on the forces.
    """

    committee: Committee
    sites: AtomisticEnergy
    zero: Array
    factor: float

    @classmethod
    def of(cls, committee: Committee, atomistic: AtomisticEnergy, crystal: Crystal) -> ModelSpread:
        """atomistic: driven by the committee's mean, or by its first member."""
        calibration = committee.calibration or Calibration()
        factor = calibration.forces if atomistic.potential is committee else calibration.first_forces
        sites, drives = atomistic, atomistic.potential
        if committee.cutoff > drives.cutoff or committee.receptive_field > drives.receptive_field:
            sites = replace(atomistic, potential=committee, counter=Counter())
        zero = [zero_level(m, crystal, atomistic.atoms) for m in committee.members]
        return cls(committee, sites, np.stack(zero), factor)

    def __call__(self, positions: Array) -> tuple[Array, Array]:
        """positions (n, 3) of this rank's atoms → of them the norm of the standard deviation of the force
        on them, eV/Å, times the calibration's factor, and the standard deviation of their site energies above
        the bulk's, eV, zero where they are not evaluated. One evaluation of each member. Collective."""
        forces, energies = [], []
        for member, zero in zip(self.committee.members, self.zero):
            index, found, gradient = self.sites.detail(positions, member)
            above = np.zeros(len(zero))
            above[index] = found - zero[index]
            energies.append(above)
            forces.append(gradient)
        deviation = np.stack(forces).std(axis=0, ddof=1)
        return self.factor * np.linalg.norm(deviation, axis=1), np.stack(energies).std(axis=0, ddof=1)
