"""Any potential as an ASE calculator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from nnp.committee import Committee, Spread
from nnp.evaluate import Evaluation, evaluate
from nnp.external import External
from nnp.neighbors import NeighborList, Pairs
from nnp.potential import Potential, check_species
from nnp.state import State


class NNPCalculator(Calculator):
    """Energy, site energies (eV), forces (eV/Å) and, in a periodic cell, stress (eV/Å³, tension positive).
    Of a committee the results also hold the standard deviations over its members: energy_spread,
    energies_spread (n,), forces_spread (n, 3).

    skin: Å by which the neighbour list is longer than the cutoff, so that it serves many steps.
    dtype: precision of the evaluation. UnknownSpeciesError for an element that the potential does not
    know; FloatingPointError when the potential gives a number that is not finite.
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]  # noqa: RUF012

    def __init__(
        self, potential: Potential, skin: float = 0.5, dtype: torch.dtype = torch.float64, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.potential, self.skin, self.dtype = potential, skin, dtype
        self.neighbors = NeighborList(potential.cutoff, skin)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        state = State.from_ase(self.atoms, self.dtype)
        if "numbers" in system_changes:
            check_species(self.potential, state.numbers)
        if "pbc" in system_changes:
            self.neighbors = NeighborList(self.potential.cutoff, self.skin)
        found, spread = _evaluated(self.potential, state, self.neighbors(state))
        _check_finite(found)
        self.results = {
            "energy": found.energy,
            "free_energy": found.energy,
            "energies": found.site_energies.double().numpy(),
            "forces": found.forces.double().numpy(),
        }
        if all(state.pbc):
            stress = found.virial.double().numpy() / self.atoms.get_volume()
            self.results["stress"] = full_3x3_to_voigt_6_stress(0.5 * (stress + stress.T))
        if spread is not None:
            self.results["energy_spread"] = spread.energy
            self.results["energies_spread"] = spread.site_energies.double().numpy()
            self.results["forces_spread"] = spread.forces.double().numpy()


def calculator_of(potential: Potential) -> Any:
    """A new ASE calculator with the potential."""
    return potential.make() if isinstance(potential, External) else NNPCalculator(potential)


def _evaluated(potential: Potential, state: State, pairs: Pairs) -> tuple[Evaluation, Spread | None]:
    if isinstance(potential, Committee):
        return potential.evaluate(state, pairs)
    return evaluate(potential, state, pairs), None


def _check_finite(found: Evaluation) -> None:
    bad = ~torch.isfinite(found.forces).all(1)
    if bool(bad.any()) or not np.isfinite(found.energy):
        where = f", first at atom {int(torch.nonzero(bad)[0, 0])}" if bool(bad.any()) else ""
        raise FloatingPointError(f"energy or forces are not finite{where}: do atoms overlap?")
