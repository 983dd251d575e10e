"""A committee is the mean of its members and knows how far they disagree."""

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.io import read, write

from nnp.calculator import NNPCalculator
from nnp.committee import Committee
from nnp.evaluate import Sites, evaluate
from nnp.neighbors import find_pairs
from nnp.registry import make_potential
from nnp.state import State
from tests.nnp.n2p2_files import bound_silicon

torch.set_num_threads(1)
STRENGTHS = (19.0, 21.0, 26.0)
MODELS = [{"type": "stillinger-weber", "strength": s} for s in STRENGTHS]


def silicon():
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.15, seed=5)
    return atoms


def three():
    """One evaluation of each member."""
    state = State.from_ase(silicon())
    members = [make_potential(**m) for m in MODELS]
    return [evaluate(p, state, find_pairs(state, p.cutoff)) for p in members]


def deviation(values):
    """Standard deviation written out: sqrt(Σ (x − mean)² / (n − 1))."""
    mean = sum(values) / len(values)
    return (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5


def test_mean_and_spread():
    committee, state = make_potential("committee", models=MODELS), State.from_ase(silicon())
    pairs = find_pairs(state, committee.cutoff)
    mean, spread, members = evaluate(committee, state, pairs), committee.spread(state, pairs), three()
    assert mean.energy == pytest.approx(sum(m.energy for m in members) / 3)
    assert torch.allclose(mean.forces, sum(m.forces for m in members) / 3)
    assert spread.energy == pytest.approx(deviation([m.energy for m in members]))
    assert torch.allclose(spread.forces, deviation([m.forces for m in members]))
    assert torch.allclose(spread.site_energies, deviation([m.site_energies for m in members]))
    # the angular term is linear in its strength: the spread is that of the strengths
    per_unit = (members[2].energy - members[0].energy) / (STRENGTHS[2] - STRENGTHS[0])
    assert spread.energy == pytest.approx(per_unit * np.std(STRENGTHS, ddof=1))


def test_spread_of_weighted_sites():
    committee, state = make_potential("committee", models=MODELS[:2]), State.from_ase(silicon())
    pairs = find_pairs(state, committee.cutoff)
    sites = Sites(torch.tensor([1, 4]), torch.tensor([0.5, 1.0], dtype=torch.float64))
    found = [evaluate(p, state, pairs, sites) for p in committee.members]
    spread = committee.spread(state, pairs, sites)
    assert spread.energy == pytest.approx(abs(found[0].energy - found[1].energy) / 2**0.5)
    assert spread.site_energies.shape == (2,) and spread.forces.shape == (8, 3)
    assert torch.allclose(spread.forces, (found[0].forces - found[1].forces).abs() / 2**0.5)


def test_calculator_reports_the_spread(tmp_path):
    atoms, members = silicon(), three()
    atoms.calc = NNPCalculator(make_potential("committee", models=MODELS))
    assert atoms.get_potential_energy() == pytest.approx(sum(m.energy for m in members) / 3)
    results = atoms.calc.results
    assert results["energy_spread"] == pytest.approx(deviation([m.energy for m in members]))
    assert np.allclose(results["forces_spread"], deviation([m.forces.numpy() for m in members]))
    assert np.allclose(results["energies_spread"], deviation([m.site_energies.numpy() for m in members]))
    write(tmp_path / "si.extxyz", atoms)  # what ASE does not know of does not stop it
    assert np.allclose(read(tmp_path / "si.extxyz").get_forces(), atoms.get_forces(), atol=1e-7)
    single = silicon()
    single.calc = NNPCalculator(make_potential(**MODELS[0]))
    single.get_forces()
    assert "energy_spread" not in single.calc.results


def test_members_by_name_and_by_folder(tmp_path):
    folders = [str(bound_silicon(tmp_path / str(d), d)) for d in (0.10, 0.12)]
    committee = make_potential("committee", models=", ".join(folders))
    assert [p.numbers for p in committee.members] == [(14,), (14,)]
    longer = make_potential("committee", models=[*folders, MODELS[0]])
    assert longer.cutoff == committee.cutoff > longer.members[2].cutoff


def test_committees_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="at least two"):
        Committee([make_potential("stillinger-weber")])
    with pytest.raises(ValueError, match="no element in common"):
        Committee([make_potential("stillinger-weber"), make_potential("lennard-jones")])
    with pytest.raises(ValueError, match="no-such-model"):
        make_potential("committee", models=["no-such-model", "si"])
