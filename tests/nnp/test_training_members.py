"""Committees, early stop and kills: what the run is made of comes back after any interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from nnp.committee import Committee
from nnp.data import read_frames
from nnp.families import load
from nnp.train.config import ConfigError
from nnp.train.errors import errors_of_frames
from nnp.train.job import run_job
from nnp.train.members import member
from tests.nnp.training_data import SETTINGS, crystals, settings, write

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "sw.xyz", crystals())


@pytest.fixture(autouse=True)
def one_thread():
    """The same bytes take the same number of threads, in other processes too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Killed(Exception):
    pass


def kill_at(**when):
    def progress(row):
        if all(row.get(k) == v for k, v in when.items()):
            raise Killed

    return progress


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))


def test_a_committee_is_its_members_and_resumes_after_a_kill(data, tmp_path):
    config = settings(tmp_path, overrides=["members=3", "optimiser.epochs=4"])
    whole = run_job(config, data, tmp_path / "whole")
    with pytest.raises(Killed):  # between two checkpoints of the second member
        run_job(config, data, tmp_path / "parts", progress=kill_at(member=1, epoch=3))
    first = (tmp_path / "parts" / "member_0" / "checkpoint.safetensors").stat().st_mtime_ns
    epochs = []
    resumed = run_job(config, data, tmp_path / "parts", resume=True, progress=epochs.append)
    assert [(r["member"], r["epoch"]) for r in epochs] == [(1, 3), (1, 4), (2, 1), (2, 2), (2, 3), (2, 4)]
    assert (tmp_path / "parts" / "member_0" / "checkpoint.safetensors").stat().st_mtime_ns == first
    assert resumed.model.read_bytes() == whole.model.read_bytes()

    committee = load(whole.model)
    assert isinstance(committee, Committee) and len(committee.members) == 3
    assert committee.calibration.forces > 0.0 and (tmp_path / "whole" / "reliability.png").is_file()
    assert committee.members[0].known is not None and committee.members[1].known is None
    assert not same(committee.members[0], committee.members[1])
    alone = run_job(settings(tmp_path, overrides=["seed=1", "optimiser.epochs=4"]), data, tmp_path / "alone")
    assert same(committee.members[1], load(alone.model))  # a member is a run of its own with the next seed

    # the errors are those of the mean on the frames that no member has seen
    held = [
        read_frames(data)[k] for k in committee.members[0].header["training"]["data"]["validation_frames"]
    ]
    reported = json.loads((tmp_path / "whole" / "errors.json").read_text())
    again = errors_of_frames(committee, held)
    assert reported["validation"]["all"]["forces"] == pytest.approx(again["all"]["forces"], rel=1e-9)
    each = [m["validation"]["all"]["forces"]["rmse"] for m in reported["members"]]
    assert len(each) == 3 and again["all"]["forces"]["rmse"] < max(each)


def command(data, folder, *more):
    """`nnp train` in a process of its own: what a test process has loaded (another BLAS) changes the last bits."""
    (folder.parent / "train.yaml").write_text(SETTINGS.replace("checkpoint_every: 2", "checkpoint_every: 1"))
    arguments = ["train", "train.yaml", "--data", str(data), "-o", folder.name, *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "nnp", *arguments],
        cwd=folder.parent,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def model_of(data, folder, *more):
    running = command(data, folder, *more)
    output, _ = running.communicate()
    assert running.returncode == 0
    return (folder / "model.safetensors").read_bytes(), output


def test_members_side_by_side_are_the_same(data, tmp_path):
    more = [
        word
        for key in ("members=2", "members_differ=bootstrap", "optimiser.epochs=2")
        for word in ("--set", key)
    ]
    one, _ = model_of(data, tmp_path / "one", *more)
    two, _ = model_of(data, tmp_path / "two", *more, "--jobs", "2")
    assert one == two


def test_what_sets_members_apart(data, tmp_path):
    config = settings(tmp_path, overrides=["members=2", "optimiser.epochs=1"])
    assert member(config, 1).data == config.data and member(config, 1).seed == 1
    split = settings(tmp_path, overrides=["members=2", "members_differ=split", "optimiser.epochs=1"])
    assert member(split, 1).data.split_seed == 1
    outcome = run_job(split, data, tmp_path / "split")
    held = [m.header["training"]["data"]["validation_frames"] for m in load(outcome.model).members]
    common = set(held[0]) & set(held[1])
    assert held[0] != held[1]
    assert outcome.errors.get("validation", {"all": {"frames": 0}})["all"]["frames"] == len(common)
    drawn = settings(tmp_path, overrides=["data.bootstrap=true", "optimiser.epochs=1"])
    header = load(run_job(drawn, data, tmp_path / "drawn").model).header["training"]["data"]
    assert header["training_frames"] == 8 and header["validation_frames"] == held[0]


EARLY = ["optimiser.epochs=60", "optimiser.patience=4", "optimiser.learning_rate=0.1", "optimiser.warm_up=60"]


def test_early_stop_keeps_the_best_average_and_survives_a_kill(data, tmp_path):
    """A rate that soon is too large: the validation loss rises after its minimum."""
    config = settings(tmp_path, overrides=EARLY)
    rows = []
    whole = run_job(config, data, tmp_path / "whole", progress=rows.append)
    scores = {r["epoch"]: r["validation"] for r in rows if "validation" in r}
    best = min(scores, key=scores.get)
    assert rows[-1]["epoch"] == best + 4 < 60
    reached = next(r for r in rows if r["epoch"] == best)
    for name in ("energy", "forces", "stress"):  # the model is the average of that epoch
        assert whole.errors["validation"]["all"][name]["rmse"] == pytest.approx(reached[name], rel=1e-3)
    for place, epoch in (("after", best + 3), ("before", best - 1)):
        with pytest.raises(Killed):
            run_job(config, data, tmp_path / place, progress=kill_at(epoch=epoch))
        resumed = run_job(config, data, tmp_path / place, resume=True)
        assert resumed.model.read_bytes() == whole.model.read_bytes()
    # a finished run stays as it is
    assert run_job(config, data, tmp_path / "whole", resume=True).errors == whole.errors


def test_a_run_that_is_killed_for_good_resumes_to_the_same_file(data, tmp_path):
    """SIGKILL to the command itself, wherever it is at that moment."""
    more = ["--set", "optimiser.epochs=12"]
    running = command(data, tmp_path / "out", *more)
    while not (tmp_path / "out" / "checkpoint.safetensors").exists() and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    resumed, output = model_of(data, tmp_path / "out", *more, "--resume")
    assert "epoch 12/12" in output and "epoch 1/12" not in output
    assert resumed == model_of(data, tmp_path / "whole", *more)[0]


def test_resume_refuses_other_data(data, tmp_path):
    config = settings(tmp_path, overrides=["optimiser.epochs=1"])
    run_job(config, data, tmp_path / "out")
    other = write(tmp_path / "sw.xyz", crystals(offset=1e-3))
    with pytest.raises(ConfigError, match="the data differ from those of the run"):
        run_job(config, other, tmp_path / "out", resume=True)
    with pytest.raises(ConfigError, match=r"nothing to resume: no train\.yaml"):
        run_job(settings(tmp_path, overrides=["members=2"]), data, tmp_path / "none", resume=True)
