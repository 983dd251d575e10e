"""A network for other programs: the metatomic model that LAMMPS, i-PI, ASE and others load
(https://docs.metatensor.org/metatomic)."""

import os
from pathlib import Path
from typing import Dict, List, Optional

import torch
from metatensor.torch import Labels, TensorBlock, TensorMap
from metatomic.torch import (
    AtomisticModel,
    ModelCapabilities,
    ModelMetadata,
    ModelOutput,
    NeighborListOptions,
    System,
)

from nnp.committee import Calibration, Committee
from nnp.potential import Potential
from nnp.script import Scripted, scripted
from nnp.state import Tensor


class MetatomicModel(torch.nn.Module):
    """Energy, per atom too; of a committee that of its mean, with energy_ensemble and energy_uncertainty (standard
    deviation over the members; of a system times the committee's calibration)."""

    species: Tensor

    def __init__(self, networks: Scripted, numbers: List[int], cutoff: float, factor: float):
        super().__init__()
        self.networks = networks
        self.factor = factor
        self.neighbours = NeighborListOptions(cutoff=cutoff, full_list=True, strict=True)
        species = torch.full((120,), -1, dtype=torch.long)
        species[torch.tensor(numbers)] = torch.arange(len(numbers))
        self.register_buffer("species", species)

    def requested_neighbor_lists(self) -> List[NeighborListOptions]:
        return [self.neighbours]

    def forward(
        self, systems: List[System], outputs: Dict[str, ModelOutput], selected_atoms: Optional[Labels] = None
    ) -> Dict[str, TensorMap]:
        energies: List[Tensor] = []
        samples: List[Tensor] = []
        for number, system in enumerate(systems):
            atoms = torch.arange(len(system), device=system.positions.device)
            if selected_atoms is not None:
                chosen = selected_atoms.column("system") == number
                atoms = selected_atoms.column("atom")[chosen].to(torch.long).to(atoms.device)
            energies.append(self.energies(system, atoms)[:, atoms])
            samples.append(torch.stack([torch.full_like(atoms, number), atoms], 1))
        found: Dict[str, TensorMap] = {}
        for name, wanted in outputs.items():
            per_atom = wanted.sample_kind == "atom"
            values: List[Tensor] = []
            for each in energies:
                whole = each if per_atom else each.sum(1, keepdim=True)
                values.append(self.value(name, whole, per_atom))
            found[name] = self.table(torch.cat(values), torch.cat(samples), len(systems), per_atom)
        return found

    def energies(self, system: System, atoms: Tensor) -> Tensor:
        """(members, atoms of the system), those of other atoms zero."""
        pairs = system.get_neighbor_list(self.neighbours)
        kinds = self.species[system.types.to(torch.long)]
        asked = torch.zeros_like(kinds, dtype=torch.bool)
        asked[atoms] = True
        centre = pairs.samples.column("first_atom").to(torch.long)
        neighbour = pairs.samples.column("second_atom").to(torch.long)
        vectors = pairs.values.reshape(-1, 3)
        return self.networks(vectors, centre, neighbour, kinds, kinds[neighbour], asked)

    def value(self, name: str, energies: Tensor, per_atom: bool) -> Tensor:
        """(n, 1), or of an ensemble (n, members), of energies (members, n)."""
        if name == "energy_ensemble":
            return energies.t()
        if name == "energy_uncertainty":
            factor = 1.0 if per_atom else self.factor
            return factor * energies.std(0).reshape(-1, 1)
        return energies.mean(0).reshape(-1, 1)

    def table(self, values: Tensor, atoms: Tensor, systems: int, per_atom: bool) -> TensorMap:
        device = values.device
        if per_atom:
            rows = Labels(["system", "atom"], atoms.to(torch.int32))
        else:
            numbers = torch.arange(systems, device=device, dtype=torch.int32)
            rows = Labels(["system"], numbers.reshape(-1, 1))
        columns = torch.arange(values.size(1), device=device, dtype=torch.int32).reshape(-1, 1)
        components: List[Labels] = []
        block = TensorBlock(values, rows, components, Labels(["energy"], columns))
        return TensorMap(Labels(["_"], torch.zeros(1, 1, dtype=torch.int32, device=device)), [block])


def export(potential: Potential, path: Path, name: str = "nnp", dtype: torch.dtype = torch.float64) -> None:
    """Write a network of one of nnp.families, or a committee of them, to a file (.pt). ExportError for another
    potential."""
    factor = Calibration().energy
    if isinstance(potential, Committee) and potential.calibration is not None:
        factor = potential.calibration.energy
    module = MetatomicModel(
        scripted(potential, dtype), list(potential.numbers), float(potential.cutoff), factor
    )
    names = ["energy"]
    if isinstance(potential, Committee):
        names += ["energy_uncertainty", "energy_ensemble"]
    capabilities = ModelCapabilities(
        outputs={n: ModelOutput(unit="eV", sample_kind="atom", explicit_gradients=[]) for n in names},
        atomic_types=list(potential.numbers),
        interaction_range=float(potential.receptive_field),
        length_unit="angstrom",
        supported_devices=["cpu", "cuda"],
        dtype=str(dtype).removeprefix("torch."),
    )
    about = ModelMetadata(name=name, description="A network of multiscale's package nnp")
    aside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        AtomisticModel(module.eval(), about, capabilities).save(str(aside))
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
