"""Exported models give the energies and forces of the models: by their own program, which does not know ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.io import read, write

from nnp.calculator import NNPCalculator
from nnp.cli import main
from nnp.committee import Committee
from nnp.density.architecture import Architecture
from nnp.density.model import DensityPotential
from nnp.evaluate import environments
from nnp.families import load, save
from nnp.neighbors import NeighborList
from nnp.registry import make_potential
from nnp.script import ExportError, scripted
from nnp.state import State
from tests.nnp.small_models import small


def some(seed):
    torch.manual_seed(seed)
    shape = Architecture(cutoff=4.0, channels=4, three_body=5, many_body=3, hidden=(8,), radial=5)
    return DensityPotential(shape, (6, 14)).double().requires_grad_(False)


def carbide():
    atoms = bulk("SiC", "zincblende", a=4.36, cubic=True) * (2, 1, 1)
    atoms.rattle(0.15, seed=3)
    atoms.positions[1] = atoms.positions[0] + [1.2, 0.0, 0.0]  # inside the short-range repulsion
    return atoms


def wide(seed):
    """Symmetry functions without the third distance, and a power that is no integer."""
    return small("behler", seed=seed, wide=True, zetas=(1.0, 1.5))


def local(seed):
    return small("behler", seed=seed)


def schnet(seed):
    return small("schnet", seed=seed)


def equivariant(seed):
    return small("equivariant", seed=seed)


@pytest.mark.parametrize("make", [some, local, wide, schnet, equivariant])
def test_the_script_has_the_networks_energies_and_gradients(make):
    atoms, committee = carbide(), Committee([make(0), make(1)])
    state = State.from_ase(atoms)
    _, graph = environments(state, NeighborList(committee.cutoff, 0.5)(state))
    script = torch.jit.script(scripted(committee))
    place = torch.searchsorted(torch.tensor(committee.numbers), graph.numbers)
    others = torch.searchsorted(torch.tensor(committee.numbers), graph.neighbour_numbers)
    shuffled = torch.randperm(len(graph.centre), generator=torch.Generator().manual_seed(0))
    r = graph.vectors[shuffled].requires_grad_(True)
    pairs = (graph.centre[shuffled], graph.neighbour[shuffled])
    everyone = torch.ones(len(place), dtype=torch.bool)
    found = script(r, *pairs, place, others[shuffled], everyone)
    vectors = graph.vectors.clone().requires_grad_(True)
    for member, energies in zip(committee.members, found):
        expected = member(
            type(graph)(graph.centre, graph.neighbour, vectors, graph.numbers, graph.neighbour_numbers)
        )
        assert torch.allclose(energies, expected, atol=1e-10, rtol=1e-10)
        (dr,) = torch.autograd.grad(energies.sum(), r, retain_graph=True)
        (dv,) = torch.autograd.grad(expected.sum(), vectors)
        assert torch.allclose(dr, dv[shuffled], atol=1e-9)
    asked = torch.arange(len(place)) < 5
    part = script(r, *pairs, place, others[shuffled], asked)
    assert torch.allclose(part[:, :5], found[:, :5]) and not part[:, 5:].any()


def test_what_cannot_be_exported_is_said(tmp_path, capsys):
    with pytest.raises(ExportError, match="only networks that `nnp train` makes"):
        scripted(make_potential("stillinger-weber"))
    assert main(["export", "si", str(tmp_path / "si.txt")]) == 2
    assert "must end in .pt" in capsys.readouterr().err


ELSEWHERE = """
import json, sys
import numpy as np
from ase.io import read
from metatomic_ase import MetatomicCalculator

found = []
for n in range(1, len(sys.argv) // 2 + 1):
    atoms = read(sys.argv[2 * n])
    atoms.calc = MetatomicCalculator(sys.argv[2 * n - 1], uncertainty_threshold=1e9)
    found.append([atoms.get_potential_energy(), atoms.get_forces().tolist(), atoms.get_stress().tolist()])
assert not any(name.split(".")[0] == "nnp" for name in sys.modules)
print(json.dumps(found))
"""


def test_another_process_that_knows_only_metatomic_gets_the_same_forces(tmp_path):
    metatomic = pytest.importorskip("metatomic.torch", exc_type=ImportError)
    pytest.importorskip("metatomic_ase")
    files = [tmp_path / f"{make.__name__}.safetensors" for make in (some, local, schnet, equivariant)]
    for make, file in zip((some, local, schnet, equivariant), files):
        save(make(0), file)
    silicon = bulk("Si", cubic=True, a=5.4) * (2, 1, 1)
    silicon.rattle(0.2, seed=1)
    given = []
    for model, atoms in (("si", silicon), *((str(file), carbide()) for file in files)):
        stem = Path(model).stem
        assert main(["export", model, str(tmp_path / f"{stem}.pt")]) == 0
        write(tmp_path / f"{stem}.xyz", atoms, format="extxyz")  # 8 digits: both read what is written
        given += [str(tmp_path / f"{stem}.pt"), str(tmp_path / f"{stem}.xyz")]
    path = str(Path(metatomic.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *given],
        capture_output=True, text=True, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    models = ("si", *files)
    for (energy, forces, stress), model, file in zip(json.loads(done.stdout), models, given[1::2]):
        atoms = read(file)
        atoms.calc = NNPCalculator(load(model))
        assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
        assert np.abs(np.array(forces) - atoms.get_forces()).max() < 1e-8
        assert np.abs(np.array(stress) - atoms.get_stress()).max() < 1e-9
        assert np.abs(atoms.get_forces()).max() > 0.1


def test_a_committee_says_how_sure_it_is_also_of_chosen_atoms(tmp_path):
    pytest.importorskip("metatomic.torch", exc_type=ImportError)
    MetatomicCalculator = pytest.importorskip("metatomic_ase").MetatomicCalculator
    from metatensor.torch import Labels
    from metatomic.torch import ModelOutput

    assert main(["export", "si", str(tmp_path / "si.pt")]) == 0
    model = MetatomicCalculator(str(tmp_path / "si.pt"), check_consistency=True)
    atoms = bulk("Si", cubic=True, a=5.4)
    atoms.rattle(0.2, seed=1)
    atoms.calc = NNPCalculator(load("si"))
    atoms.get_forces()
    expected, names = atoms.calc.results, ("energy", "energy_uncertainty", "energy_ensemble")

    def asked(kind, chosen=None):
        outputs = {name: ModelOutput(unit="eV", sample_kind=kind) for name in names}
        found = model.run_model(atoms, outputs, chosen)
        return (found[name].block().values.detach().numpy() for name in names)

    for at in ([0, 1, 2, 3, 4, 5, 6, 7], [6, 2]):
        chosen = Labels(["system", "atom"], torch.tensor([[0, k] for k in at]))
        energy, uncertainty, ensemble = asked("atom", chosen)
        assert energy[:, 0] == pytest.approx(expected["energies"][at], abs=1e-9)
        assert uncertainty[:, 0] == pytest.approx(expected["energies_spread"][at], abs=1e-9)
        assert ensemble.mean(1) == pytest.approx(energy[:, 0])
    energy, uncertainty, ensemble = asked("system")
    assert energy[0, 0] == pytest.approx(expected["energy"], abs=1e-9) and ensemble.shape == (1, 4)
    assert uncertainty[0, 0] == pytest.approx(expected["energy_spread"], abs=1e-9)
