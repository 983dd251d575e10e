"""Going on from a model: what is kept, what is frozen, new elements and another zero of energy."""

import dataclasses

import numpy as np
import pytest
import torch

from nnp.data import read_frames
from nnp.families import family, load, make_neural
from nnp.train.batch import prepare
from nnp.train.config import ConfigError
from nnp.train.errors import errors_of_frames
from nnp.train.job import run_job
from nnp.train.sources import residuals
from nnp.train.start import start
from nnp.train.transfer import with_start
from tests.nnp.small_models import SMALL
from tests.nnp.training_data import SETTINGS, crystals, settings, write

PLAIN = SETTINGS.replace(SETTINGS.splitlines()[1], "")  # without the sizes: they are the starting model's


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of silicon, and data of silicon, silicon at another zero, and silicon with germanium."""
    folder = tmp_path_factory.mktemp("transfer")
    write(folder / "si.xyz", crystals())
    write(folder / "lower.xyz", crystals(6, offset=-100.0, seed=1))
    mixed = crystals(6, seed=2)
    for atoms in mixed:
        atoms.numbers[[1, 4]] = 32
        atoms.info["REF_energy"] += 2 * 7.5
    write(folder / "mixed.xyz", mixed)
    config = settings(folder, overrides=["optimiser.epochs=30"])
    run_job(config, folder / "si.xyz", folder / "old")
    return folder


def begun(folder, data, *overrides):
    """The model of a run before its first step, and the run's frames."""
    text = PLAIN + "start_from: old/model.safetensors\ndtype: float64"
    config = with_start(settings(folder, text, overrides))
    frames = [f for name in data for f in read_frames(folder / name)]
    run = start(config, frames, [prepare(f, config.model.cutoff, torch.float64) for f in frames])
    return run, frames


def test_old_elements_keep_their_energies_when_one_is_added(folder):
    old, silicon = load(folder / "old" / "model.safetensors"), read_frames(folder / "si.xyz")
    run, frames = begun(folder, ["mixed.xyz"], "refit_reference=false")
    assert run.model.numbers == (14, 32)
    np.testing.assert_allclose(residuals(run.model, silicon), residuals(old, silicon), atol=1e-11)
    # the new element's reference energy takes up what the labels ask for
    assert abs(residuals(run.model, frames).mean()) < 1e-6
    for name, value in old.state_dict().items():
        assert any(
            value.shape == v.shape and torch.equal(value, v) for v in run.model.state_dict().values()
        ) or (
            name == "descriptors.0.radial"
            and torch.equal(value, run.model.descriptors[0].radial[: len(value)])
        )


def test_the_zero_of_energy_follows_the_data(folder):
    old, lower = load(folder / "old" / "model.safetensors"), read_frames(folder / "lower.xyz")
    assert np.mean(residuals(old, lower)) / 8 == pytest.approx(-100.0, abs=0.05)
    run, _ = begun(folder, ["lower.xyz"])
    left = residuals(run.model, lower)
    assert abs(left.mean()) < 1e-9
    np.testing.assert_allclose(left, residuals(old, lower) - residuals(old, lower).mean(), atol=1e-9)
    # of two sources the first sets the zero, the second gets an offset
    run, _ = begun(folder, ["si.xyz", "lower.xyz"])
    assert run.offsets.shifts()["lower"]["Si"] == pytest.approx(-100.0, abs=0.05)
    assert errors_of_frames(run.model, read_frames(folder / "si.xyz"))["all"]["energy"]["rmse"] < 100.0


def test_a_frozen_descriptor_stays_and_the_rest_learns(folder, tmp_path):
    text = PLAIN + f"start_from: {folder}/old/model.safetensors\nfreeze: descriptor"
    config = settings(tmp_path, text, ["optimiser.epochs=2", "optimiser.learning_rate=1e-3"])
    outcome = run_job(config, folder / "lower.xyz", tmp_path / "out")
    old, new = (load(path) for path in (folder / "old" / "model.safetensors", outcome.model))
    a, b = old.parts(), new.parts()
    assert all(torch.equal(p, q) for p, q in zip(a["descriptor"], b["descriptor"]))
    assert not any(torch.equal(p, q) for p, q in zip(a["layers"], b["layers"]))
    fresh = settings(tmp_path, SETTINGS, ["optimiser.epochs=2"])
    other = run_job(fresh, folder / "lower.xyz", tmp_path / "fresh")
    forces = [o.errors["validation"]["all"]["forces"]["rmse"] for o in (outcome, other)]
    assert forces[0] < 0.5 * forces[1]  # what it knew is of use
    assert new.header["training"]["config"]["start_from"] == "model.safetensors"
    resumed = run_job(config, folder / "lower.xyz", tmp_path / "out", resume=True)
    assert resumed.errors == outcome.errors


def test_a_committee_starts_one_member_each(folder, tmp_path):
    short = ["members=2", "optimiser.epochs=1"]
    first = run_job(settings(tmp_path, SETTINGS, short), folder / "si.xyz", tmp_path / "first")
    still = [f"start_from={first.model}", "optimiser.learning_rate=1e-9", "optimiser.final_rate=1e-9"]
    again = settings(tmp_path, PLAIN, short + still)
    second = run_job(again, folder / "si.xyz", tmp_path / "second")
    for a, b in zip(load(first.model).members, load(second.model).members):
        assert torch.allclose(a.networks[0].linear, b.networks[0].linear, atol=1e-6)


@pytest.mark.parametrize(
    "overrides, says",
    [
        (["model.cutoff=4.5"], r"model\.cutoff: 4\.5, but start_from has 4\.2"),
        (["freeze=[descriptors]"], r"freeze: no part 'descriptors' \(there are: descriptor, layers\)"),
        (["start_from=old/model.safetensors#1"], "holds one model and has no member '1'"),
    ],
)
def test_what_does_not_fit_is_refused(folder, overrides, says):
    text = PLAIN + "start_from: old/model.safetensors"
    with pytest.raises(ConfigError, match=says):
        run_job(settings(folder, text, overrides), folder / "si.xyz", folder / "none")
    with pytest.raises(ConfigError, match="freeze: only what start_from names"):
        settings(folder, PLAIN + "freeze: descriptor")


def test_families_that_cannot_grow_say_so(folder):
    old = load(folder / "old" / "model.safetensors")
    wider = dataclasses.replace(old.architecture, channels=5)
    with pytest.raises(ValueError, match="sizes differ"):
        type(old)(wider, (14,)).adopt(old)


@pytest.mark.parametrize("name", ["density", "equivariant", "schnet"])
@pytest.mark.parametrize("numbers", [(6, 14), (14, 32), (6, 14, 32)])
def test_families_grow_by_elements(folder, name, numbers):
    silicon = read_frames(folder / "si.xyz")[:3]
    old, new = grown_from(name, (14,), 1), grown_from(name, numbers, 2)
    assert np.ptp(residuals(old, silicon) - residuals(new, silicon)) > 1e-5
    new.adopt(old)
    np.testing.assert_allclose(residuals(new, silicon), residuals(old, silicon), atol=1e-10)


def grown_from(name, numbers, seed):
    """A model with random weights, its last linear part included."""
    torch.manual_seed(seed)
    sizes = SMALL.get(name, {"cutoff": 4.2, "radial": 6, "channels": 4, "hidden": (8,)})
    model = make_neural(family(name).architecture(**sizes), numbers).double().requires_grad_(False)
    for network in model.networks:
        network.linear.normal_()
    return model


def test_symmetry_functions_of_other_elements_do_not_fit():
    one, two = (grown_from("behler", numbers, 1) for numbers in ((14,), (14, 32)))
    with pytest.raises(ValueError, match="cannot be given new elements"):
        two.adopt(one)
