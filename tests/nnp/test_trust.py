"""What tells whether a potential can be believed: calibrated spread and extrapolation."""

import copy
import hashlib
import json

import ase.io
import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from scipy.stats import ortho_group
from scipy.stats import t as student

from nnp.calculator import NNPCalculator
from nnp.calibration import Residuals, calibrate, reliability, student_scale
from nnp.cli import main
from nnp.committee import Calibration, Committee
from nnp.data import Frame
from nnp.density.architecture import Architecture
from nnp.evaluate import environments, evaluate
from nnp.families import is_committee, load, make_neural, save
from nnp.known import learn
from nnp.neighbors import find_pairs
from nnp.registry import make_potential
from nnp.selection import select
from nnp.state import State
from nnp.statistics import extrapolating, extrapolation, remember

torch.set_num_threads(1)
SMALL = Architecture(cutoff=4.5, radial=5, channels=4, three_body=4, many_body=2, hidden=(8,), repulsion=1.5)


def model(seed=1, numbers=(14,)):
    torch.manual_seed(seed)
    return make_neural(SMALL, numbers).double().requires_grad_(False)


def crystal(seed=0, amount=0.08, symbol="Si"):
    atoms = bulk(symbol, "diamond", 5.43, cubic=True)
    atoms.rattle(amount, seed=seed)
    return atoms


def frame(atoms, index=0):
    state = State.from_ase(atoms)
    return Frame(state, -5.0 * len(atoms), np.zeros((len(atoms), 3)), None, "bulk", None, index)


@pytest.fixture(scope="module")
def taught():
    """A model that knows rattled silicon."""
    one = model()
    assert remember(one, [frame(crystal(k), k) for k in range(12)])
    return one


def measured(potential, atoms):
    return extrapolation(potential, State.from_ase(atoms)).numpy()


def test_identical_members_have_no_spread():
    state = State.from_ase(crystal())
    spread = Committee([model(), model()]).spread(state, find_pairs(state, 4.5))
    assert spread.energy == 0.0 and not spread.forces.any() and not spread.site_energies.any()


def test_a_committee_file_keeps_members_calibration_and_statistics(taught, tmp_path):
    committee = Committee([taught, model(2)], Calibration(forces=3.0, energy=2.0, wide=2.5))
    save(committee, tmp_path / "c.safetensors", {"note": "two"})
    assert is_committee(tmp_path / "c.safetensors")
    again = load(tmp_path / "c.safetensors")
    assert again.calibration == committee.calibration and again.header["training"] == {"note": "two"}
    state = State.from_ase(crystal(30))
    (mean, spread), (mean2, spread2) = (c.evaluate(state, find_pairs(state, 4.5)) for c in (committee, again))
    assert mean.energy == mean2.energy and torch.equal(spread.forces, spread2.forces)
    np.testing.assert_array_equal(measured(again, crystal(30)), measured(taught, crystal(30)))
    save(again, tmp_path / "d.safetensors")  # and nothing is lost on a second way through a file
    assert load(tmp_path / "d.safetensors").header["training"] == {"note": "two"}


def test_calibration_widens_the_spread_of_energy_and_forces():
    state = State.from_ase(crystal())
    pairs = find_pairs(state, 4.5)
    raw = Committee([model(), model(2)]).spread(state, pairs)
    wide = Committee([model(), model(2)], Calibration(forces=3.0, energy=2.0)).spread(state, pairs)
    assert torch.equal(wide.forces, 3.0 * raw.forces) and wide.energy == 2.0 * raw.energy
    assert torch.equal(wide.site_energies, raw.site_energies)
    atoms = crystal()
    atoms.calc = NNPCalculator(Committee([model(), model(2)], Calibration(forces=3.0)))
    atoms.get_forces()
    np.testing.assert_allclose(atoms.calc.results["forces_spread"], wide.forces)


def drawn(n, members, seed):
    """Errors of the mean when truth and members are drawn alike, each case with a width of its own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, members + 1)) * rng.lognormal(sigma=1.0, size=(n, 1))
    return Residuals(x[:, 1:].mean(1) - x[:, 0], x[:, 1:].std(1, ddof=1))


@pytest.mark.parametrize("members", [2, 4])
def test_gaussian_errors_are_covered_as_wanted(members):
    fitted, fresh = drawn(40_000, members, 0), drawn(40_000, members, 1)
    exact = (1 + 1 / members) ** 0.5  # truth and mean are independent
    assert student_scale(fitted, members) == pytest.approx(exact, rel=0.02)
    found = reliability(fitted, members, fresh)
    assert found.factor == pytest.approx(exact * student.ppf(0.8413447, members - 1), rel=0.02)
    after, before = found.summary()["after"], found.summary()["before"]
    assert after["68 %"] == pytest.approx(0.6827, abs=0.01) and after["95 %"] == pytest.approx(0.95, abs=0.01)
    assert after["area"] < 0.01 < 0.08 < before["area"]


def test_calibration_on_frames_brings_the_errors_into_the_intervals():
    """Members whose forces miss the labels by far more than they differ."""
    members = [{"type": "stillinger-weber", "strength": s} for s in (20.8, 21.0, 21.2)]
    committee, truth = (
        make_potential("committee", models=members),
        make_potential("stillinger-weber", strength=23),
    )
    frames = []
    for k in range(4):
        state = State.from_ase(crystal(k))
        found = evaluate(truth, state, find_pairs(state, truth.cutoff))
        frames.append(Frame(state, found.energy, found.forces.numpy(), None, "bulk", None, k))
    calibration, report = calibrate(committee, frames)
    # strengths enter the angular part linearly: the error is (23 − 21)/0.2 = 10 standard deviations everywhere
    assert calibration.forces > 5.0 and report["forces"].summary()["before"]["95 %"] < 0.05
    assert calibration.first_forces == pytest.approx(1.1 * calibration.forces, rel=1e-6)
    with pytest.raises(ValueError, match="held out"):
        calibrate(committee, [])


def test_the_measure_does_not_turn_with_the_atoms(taught):
    atoms = crystal(40, 0.3)
    reference = measured(taught, atoms)
    turn = ortho_group.rvs(3, random_state=0)  # reflections too
    order = np.random.default_rng(1).permutation(len(atoms))
    moved = Atoms(atoms.numbers, atoms.positions @ turn + 3.0, cell=atoms.cell.array @ turn, pbc=True)[order]
    np.testing.assert_allclose(measured(taught, moved), reference[order], rtol=1e-8)


def test_the_measure_grows_away_from_the_training_set(taught):
    trained = np.concatenate([measured(taught, crystal(k)) for k in range(12)])
    held_out = np.concatenate([measured(taught, crystal(k)) for k in range(50, 60)])
    assert trained.max() < 1.3 and 0.3 < np.median(held_out) < 1.0 and np.quantile(held_out, 0.9) < 1.3
    far = [np.median(measured(taught, crystal(60, amount))) for amount in (0.08, 0.2, 0.4)]
    assert far[0] < far[1] < far[2] and far[2] > 3.0
    assert measured(taught, Atoms("Si2", [[0, 0, 0], [1.5, 0, 0]])).min() > 3.0
    assert measured(taught, bulk("Si", "fcc", 3.87)).min() > 3.0


def test_the_scale_is_what_most_training_atoms_find_in_other_frames():
    rng = np.random.default_rng(0)
    x, frames = torch.as_tensor(rng.normal(size=(400, 6))), torch.arange(400) // 20
    known = learn(x, frames, landmarks=400)  # every atom is a landmark
    assert float(known.distance(x).max()) < 1e-3
    fresh = known.distance(torch.as_tensor(rng.normal(size=(2000, 6))))
    assert 0.97 < float((fresh < 1.0).double().mean()) < 0.997
    doubled = learn(torch.cat([x, x]), torch.cat([frames, frames]), landmarks=400)  # copies in the same frame
    assert float(doubled.scale) == pytest.approx(float(known.scale), rel=1e-3)


def test_elements_have_statistics_of_their_own(taught):
    both = model(numbers=(14, 32))
    remember(both, [frame(crystal(k), k) for k in range(4)])
    assert np.isinf(measured(both, crystal(symbol="Ge"))).all()  # known by name, never seen
    assert np.isfinite(measured(both, crystal())).all()


def test_models_without_statistics_say_so(tmp_path):
    save(model(), tmp_path / "old.safetensors")
    old = load(tmp_path / "old.safetensors")
    assert old.known is None and extrapolating(old) is None
    assert extrapolating(make_potential("stillinger-weber")) is None
    with pytest.raises(ValueError, match="nnp stats"):
        measured(old, crystal())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = []
    for k in range(8):
        atoms = crystal(k)
        atoms.info.update(REF_energy=-40.0 - 0.1 * k)
        atoms.arrays["REF_forces"] = np.random.default_rng(k).normal(size=(8, 3))
        images.append(atoms)
    ase.io.write("data.xyz", images, format="extxyz")
    save(model(), "one.safetensors")
    save(Committee([model(), model(2)]), "two.safetensors")
    return tmp_path


def test_statistics_and_calibration_go_into_the_file(folder, capsys):
    assert main(["stats", "two.safetensors", "data.xyz"]) == 0
    assert main(["calibrate", "two.safetensors", "data.xyz", "--json"]) == 0
    printed = capsys.readouterr().out
    assert "64 atoms in 8 frames" in printed
    found = load("two.safetensors")
    assert extrapolating(found) is not None and extrapolating(found).known[0].landmarks.shape[0] == 64
    report = json.loads(printed[printed.index("{") :])
    assert report["forces"]["factor"] == found.calibration.forces > 1.0
    assert (folder / "reliability.png").read_bytes()[:4] == b"\x89PNG"


def test_a_single_model_cannot_be_calibrated(folder, capsys):
    assert main(["calibrate", "one.safetensors", "data.xyz"]) == 2
    assert "a single model has no spread to calibrate" in capsys.readouterr().err


@pytest.mark.parametrize("numbers", [(14,), (14, 32)])
def test_the_kernel_gives_the_invariants(numbers):
    one, atoms = model(numbers=numbers), crystal(3, 0.3)
    atoms.numbers[::2] = numbers[-1]
    state = State.from_ase(atoms)
    graph = environments(state, find_pairs(state, 5.0))[1]
    for k in range(len(numbers)):
        by_torch = one.invariants(graph, k)  # with gradients at hand
        with torch.no_grad():
            torch.testing.assert_close(one.invariants(graph, k), by_torch, rtol=1e-11, atol=1e-11)


def test_frames_worth_labelling_are_unlike_each_other(taught):
    def far(a, seed):
        atoms = bulk("Si", "fcc", a, cubic=True)
        atoms.rattle(0.01, seed=seed)
        return atoms

    images = [crystal(70), far(3.9, 0), far(3.9, 1), far(4.4, 2), crystal(71), far(3.9, 3)]
    states = [State.from_ase(a) for a in images]
    chosen = select(taught, states, 10, least=1.5)
    assert len(chosen) == 2 and {c.frame for c in chosen} & {3} and {c.frame for c in chosen} & {1, 2, 5}
    assert chosen[0].novelty == pytest.approx(max(measured(taught, a).max() for a in images), rel=1e-5)
    assert chosen[0].novelty > chosen[1].novelty > 1.5
    blind = [torch.zeros(len(s), dtype=torch.bool) for s in states]
    assert select(taught, states, 10, counted=blind) == []  # atoms without whole neighbourhoods
    with pytest.raises(ValueError, match="nnp stats"):
        select(model(), states, 1)


def test_selected_frames_are_written_with_what_was_found(folder, taught, capsys):
    save(taught, "taught.safetensors")
    ase.io.write("run.xyz", [crystal(80), crystal(81, 0.5), crystal(82)], format="extxyz")
    assert main(["select", "taught.safetensors", "run.xyz", "-n", "1", "-o", "picked.xyz"]) == 0
    (picked,) = ase.io.read("picked.xyz", ":")
    assert picked.info["frame"] == 1 and "frame      1" in capsys.readouterr().out
    assert picked.arrays["extrapolation"].argmax() == picked.info["farthest_atom"]
    assert main(["select", "one.safetensors", "run.xyz"]) == 2
    assert "`nnp stats` adds them" in capsys.readouterr().err


def test_dynamics_writes_the_measures_and_ends_where_it_knows_nothing(folder, taught, capsys):
    save(Committee([taught, copy.deepcopy(taught)], Calibration(first_forces=2.0)), "two.safetensors")
    ase.io.write("start.xyz", crystal(90), format="extxyz")
    arguments = ["md", "start.xyz", "two.safetensors", "--temperature", "0", "--steps", "2", "--every", "1"]
    assert main([*arguments, "--stop-extrapolation", "1e-3"]) == 3
    assert "step 0: extrapolation" in capsys.readouterr().err
    frame0 = ase.io.read("md.extxyz")
    assert frame0.arrays["extrapolation"] == pytest.approx(measured(taught, crystal(90)), abs=1e-5)
    assert not frame0.arrays["force_spread"].any()  # the same model twice
    assert main([*arguments, "--warn-extrapolation", "1e-3"]) == 0
    assert capsys.readouterr().err.count("warning: step") == 3


def test_frames_held_out_of_a_training_are_not_learnt(folder):
    digest = hashlib.sha256((folder / "data.xyz").read_bytes()).hexdigest()
    header = {"data": {"sha256": digest, "validation_frames": [0, 3]}}
    save(model(), "held.safetensors", header)
    assert main(["stats", "held.safetensors", "data.xyz", "-o", "part.safetensors"]) == 0
    assert load("part.safetensors").known[0].landmarks.shape[0] == 6 * 8
    assert load("held.safetensors").known is None and load("part.safetensors").header["training"] == header
