"""Training on frames labelled by Stillinger–Weber: it learns, it resumes, it refuses wrong settings."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.units import GPa

from nnp.analytic.stillinger_weber import StillingerWeber
from nnp.data import read_frames, split
from nnp.evaluate import evaluate
from nnp.families import load
from nnp.neighbors import find_pairs
from nnp.state import State
from nnp.train.batch import collate, prepare
from nnp.train.config import ConfigError, Training, build, load_training, portable
from nnp.train.errors import errors_of_frames
from nnp.train.job import run_job
from nnp.train.loss import Prediction, Weights, huber, loss, predict
from nnp.train.schedule import rate
from nnp.train.settings import Data, Loss, Optimiser, Robust
from nnp.train.sources import reference_energies
from tests.nnp.training_data import crystals, settings, write


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve small rattled and strained crystals; the last has no stress."""
    frames = crystals()
    del frames[-1].info["REF_stress"]
    return write(tmp_path_factory.mktemp("data") / "sw.xyz", frames)


def test_predictions_in_a_batch_are_those_of_single_frames(data):
    potential, frames = StillingerWeber(), read_frames(data)
    batch = collate([prepare(f, potential.cutoff, torch.float64) for f in frames])
    p = predict(potential, batch, for_training=False)
    torch.testing.assert_close(p.energy.detach(), batch.energy, atol=1e-6, rtol=0)
    torch.testing.assert_close(p.forces, batch.forces, atol=1e-6, rtol=0)
    torch.testing.assert_close(p.virial[:11], batch.virial[:11], atol=1e-5, rtol=0)
    assert not bool(batch.has_virial[11])
    # the potential that made the labels has no error; 0.1 eV/Å on every force component costs exactly 0.01
    assert loss(p, batch, Weights(1.0, 1.0, 1.0)).item() < 1e-9
    off = type(p)(p.energy, p.forces + 0.1, p.virial)
    assert loss(off, batch, Weights(1.0, 1.0, 1.0)).item() == pytest.approx(0.01, rel=1e-4)
    table = errors_of_frames(potential, frames)
    assert table["all"]["frames"] == 12 and table["cold"]["atoms"] == 48
    assert table["all"]["forces"]["rmse"] < 1e-6 and table["all"]["stress"]["mae"] < 1e-4


def test_huber_is_quadratic_then_linear_with_one_slope():
    x = torch.tensor([0.0, 0.3, 1.0, 3.0], dtype=torch.float64, requires_grad=True)
    value = huber(x.square(), 1.0)
    assert value.tolist() == pytest.approx([0.0, 0.09, 1.0, 5.0])
    (slope,) = torch.autograd.grad(value.sum(), x)
    assert slope.tolist() == pytest.approx([0.0, 0.6, 2.0, 2.0])


def test_the_terms_of_the_loss_have_their_units(data):
    """Errors of known size in one frame of eight atoms: each term is its square, and Huber's is smaller."""
    frame = read_frames(data)[0]
    batch = prepare(frame, 4.2, torch.float64)
    right = Prediction(batch.energy, batch.forces, batch.virial)
    off = Prediction(right.energy + 8 * 0.2, right.forces, right.virial + 0.5 * frame.volume * GPa)
    assert loss(off, batch, Weights(1.0, 1.0, 0.0)).item() == pytest.approx(0.04)
    assert loss(off, batch, Weights(0.0, 0.0, 0.0, stress_gpa=3.0)).item() == pytest.approx(0.75)
    virial = 0.5 * frame.volume * GPa / 8
    assert loss(off, batch, Weights(0.0, 0.0, 2.0)).item() == pytest.approx(2.0 * virial**2)
    robust = Weights(1.0, 0.0, 0.0, widths=Robust(energy=0.1))
    assert loss(off, batch, robust).item() == pytest.approx(2 * 0.1 * 0.2 - 0.1**2)
    turned = Prediction(right.energy, right.forces + torch.tensor([3.0, 0.0, 4.0]), right.virial)
    robust = Weights(0.0, 3.0, 0.0, widths=Robust(forces=1.0))  # on the length, 5 eV/Å
    assert loss(turned, batch, robust).item() == pytest.approx(2 * 1.0 * 5.0 - 1.0)


@pytest.mark.parametrize(
    "schedule, half", [("cosine", 0.5005), ("linear", 0.5005), ("exponential", 0.0316228), ("constant", 1.0)]
)
def test_schedules_end_at_the_final_rate(schedule, half):
    o = Optimiser(schedule=schedule, learning_rate=1.0, final_rate=1e-3, warm_up=10)
    assert rate(0, 1000, o) == pytest.approx(0.1)
    assert rate(500, 1000, o) == pytest.approx(half)
    assert rate(1000, 1000, o) == pytest.approx(1.0 if schedule == "constant" else 1e-3)


def test_reference_energies_are_the_least_squares_ones():
    class Fake:
        def __init__(self, numbers, energy, source="first"):
            self.state, self.energy = State(None, torch.tensor(numbers), None), energy
            self.source = source

    frames = [Fake([3, 3, 5], -7.0), Fake([3, 5, 5], -8.0), Fake([3], -2.0)]
    reference, further = reference_energies(frames, [3, 5])
    np.testing.assert_allclose(reference, [-2.0, -3.0])
    assert further.shape == (0, 2)
    frames += [Fake([3, 3], 16.0, "other"), Fake([5, 5, 3], 42.0, "other")]
    reference, further = reference_energies(frames, [3, 5])
    np.testing.assert_allclose(reference, [-2.0, -3.0])
    np.testing.assert_allclose(further, [[10.0, 20.0]])


def test_a_run_learns_and_leaves_its_results(data, tmp_path):
    folder = tmp_path / "out"
    outcome = run_job(settings(tmp_path), data, folder)
    history = list(csv.DictReader((folder / "learning_curve.csv").open()))
    assert float(history[-1]["loss"]) < 0.2 * float(history[0]["loss"])
    assert history[1]["forces"] and not history[0]["forces"]
    model = load(outcome.model)
    held = split(read_frames(data), 0.25, 0)[1]
    again, reported = errors_of_frames(model, held)["all"], outcome.errors["validation"]["all"]
    assert again["forces"] == pytest.approx(reported["forces"], rel=1e-6)
    assert again["stress"] == pytest.approx(reported["stress"], rel=1e-6)
    assert json.loads((folder / "errors.json").read_text()) == outcome.errors
    training = model.header["training"]
    assert training["data"]["file"] == "sw.xyz" and training["data"]["training_frames"] == 8
    assert training["errors"]["validation"]["all"]["frames"] == 4
    assert (folder / "learning_curve.png").stat().st_size > 1000
    resolved = load_training(folder / "train.yaml")  # the resolved copy says the same, and where the data are
    assert portable(resolved) == portable(settings(tmp_path))
    assert Path(resolved.data.files[0].file).resolve() == data.resolve()


class Killed(Exception):
    pass


def test_a_killed_run_resumes_to_the_same_model(data, tmp_path):
    config = settings(tmp_path)
    whole = run_job(config, data, tmp_path / "whole")

    def kill(row):
        if row["epoch"] == 5:  # one epoch after a checkpoint: that epoch is done again
            raise Killed

    with pytest.raises(Killed):
        run_job(config, data, tmp_path / "parts", progress=kill)
    resumed = run_job(config, data, tmp_path / "parts", resume=True)
    a, b = (load(o.model).state_dict() for o in (whole, resumed))
    assert all(torch.equal(a[k], b[k]) for k in a)
    curves = [(tmp_path / name / "learning_curve.csv").read_text() for name in ("whole", "parts")]
    assert curves[0] == curves[1]


def test_resume_refuses_other_settings_and_empty_folders(data, tmp_path):
    config = settings(tmp_path, overrides=["optimiser.epochs=1"])
    with pytest.raises(ConfigError, match="nothing to resume"):
        run_job(config, data, tmp_path / "out", resume=True)
    run_job(config, data, tmp_path / "out")
    with pytest.raises(ConfigError, match="holds a training run already"):
        run_job(config, data, tmp_path / "out")
    other = settings(tmp_path, overrides=["optimiser.epochs=1", "loss.forces=2"])
    with pytest.raises(ConfigError, match=r"loss\.forces: differs"):
        run_job(other, data, tmp_path / "out", resume=True)


@pytest.mark.parametrize(
    "text, says",
    [
        ("optimizer: {epochs: 3}", r"^optimizer: unknown key .*did you mean 'optimiser'"),
        ("optimiser: {epoch: 3}", r"^optimiser\.epoch: unknown key .*did you mean 'epochs'"),
        ("data: {keys: {force: F}}", r"^data\.keys\.force: unknown key .*did you mean 'forces'"),
        ("optimiser: {epochs: many}", r"^optimiser\.epochs: expected a whole number, got 'many'"),
        ("optimiser: {epochs: true}", r"^optimiser\.epochs: expected a whole number, got True"),
        ("model: {hidden: 64}", r"^model\.hidden: expected a list"),
        ("model: {hidden: [64, x]}", r"^model\.hidden\[1\]: expected a whole number"),
        ("model: {degree: 7}", r"^model: need 0 <= many_degree <= degree <= 4"),
        ("data: {validation: 1.5}", r"^data\.validation: must lie in"),
        ("model: 5", r"^model: expected a mapping"),
        ("optimiser: {schedule: step}", r"^optimiser\.schedule: must be one of cosine, "),
        ("members: 0", r"^members: must lie between 1 and 1000, not 0"),
        ("loss: {robust: {energy: -1}}", r"^loss\.robust\.energy: must lie between 0 and 1e\+09, not -1"),
        ("data: {suspicious: ignore}", r"^data\.suspicious: must be one of refuse, warn"),
        ("dtype: float16", r"^dtype: must be float32 or float64"),
        ("a: [", "line 1, column 5: not valid YAML"),
    ],
)
def test_a_wrong_setting_is_named_by_its_dotted_path(tmp_path, text, says):
    with pytest.raises(ConfigError, match=says):
        settings(tmp_path, text)


def test_overrides_change_one_setting(tmp_path):
    config = settings(tmp_path, overrides=["optimiser.learning_rate=1e-3", "loss.config_types.slab=4"])
    assert config.optimiser.learning_rate == 1e-3 and config.loss.config_types == {"slab": 4.0}
    assert config.optimiser.epochs == 6
    with pytest.raises(ConfigError, match=r"key\.path=value"):
        settings(tmp_path, overrides=["optimiser.epochs"])


def test_a_weight_on_a_type_that_is_not_there_is_refused(data, tmp_path):
    config = settings(tmp_path, overrides=["loss.config_types.slab=4"])
    with pytest.raises(ConfigError, match=r"loss\.config_types\.slab: .*there are: cold, warm"):
        run_job(config, data, tmp_path / "out")


@pytest.mark.parametrize("kind", [Training, Data, Loss, Optimiser])
def test_every_key_is_explained_beside_the_example(kind):
    text = (Path(__file__).parents[2] / "examples" / "training" / "README.md").read_text()
    tables = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {name for cell in tables for name in cell.replace("`", " ").replace(",", " ").split()}
    assert {f.name for f in dataclasses.fields(kind)} <= named


def test_defaults_are_a_complete_training():
    assert build(Training, {}) == Training()


def test_a_free_atom_is_learnt_from_its_energy(data, tmp_path):
    extra = ["data.free_atoms.Si=-1.5", "optimiser.epochs=30"]
    outcome = run_job(settings(tmp_path, overrides=extra), data, tmp_path / "out")
    model = load(outcome.model)
    atom = State(torch.zeros(1, 3).double(), torch.tensor([14]), torch.zeros(3, 3).double(), (False,) * 3)
    energy = evaluate(model, atom, find_pairs(atom, model.cutoff)).energy
    assert energy == pytest.approx(-1.5, abs=0.5)  # crystals lie at −4.3 eV/atom
    assert outcome.errors["training"]["free atom"]["frames"] == 1
    with pytest.raises(ConfigError, match="free_atoms: no element 'Sj'"):
        settings(tmp_path, overrides=["data.free_atoms.Sj=1"])


def test_two_trainings_never_share_a_folder(data, tmp_path, monkeypatch):
    from nnp import locking

    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(locking, "PATIENCE", 0.0)
    with (out / locking.NAME).open("w") as other:
        locking.fcntl.flock(
            other, locking.fcntl.LOCK_EX
        )  # as another process has it: by a file opened on its own
        with pytest.raises(ConfigError, match="in use by another run"):
            run_job(settings(tmp_path), data, out)
        assert [path.name for path in out.iterdir()] == [locking.NAME]
    run_job(settings(tmp_path), data, out)
    assert not (out / locking.NAME).exists()
