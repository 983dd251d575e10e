"""What goes wrong outside the program: a full disk, two runs in one folder, a potential that gives no numbers."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import ase.io
import numpy as np
import pytest

from multiscale.checkpoint import NAME
from multiscale.cli import main
from multiscale.files import written_aside
from multiscale.result import read_result
from nnp import locking
from tests.mpi import ROOT, run_ranks

CASE = """\
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm}
regions: {core: {shape: disc, radius: 1 nm}, blend: 1 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0, 0], [0, 0, 0]], steps: 3}
output: {pictures: false}
"""
PROGRAM = Path(__file__).with_name("ranks.py")


@pytest.fixture
def case(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.yaml").write_text(CASE)
    return tmp_path / "case.yaml"


def limited(size):
    """No file may grow beyond so many bytes: what a full disk does, for real."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_keeps_the_last_whole_step(case, monkeypatch, capsys):
    from multiscale.recording import Recorder

    assert main(["run", "case.yaml", "-o", "whole"]) == 0
    whole = Recorder.record

    def record(*given):
        whole(*given)
        limited(100_000)  # less than the atoms of two steps

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "record", record)
        try:
            assert main(["run", "case.yaml", "-o", "out"]) == 1
        finally:
            limited(resource.RLIM_INFINITY)
    said = capsys.readouterr().err.strip()
    assert said.startswith("no room left on the disk to write out/") and "--restart" in said
    assert "Traceback" not in said
    frames = ase.io.read("out/atoms.extxyz", index=":")  # whole, not torn
    assert len(frames) >= 1 and not list(Path("out").rglob(".*"))
    assert main(["run", "case.yaml", "-o", "out", "--restart"]) == 0
    a, b = (read_result(Path(name))["steps"] for name in ("whole", "out"))
    assert [s["energy"] for s in a] == [s["energy"] for s in b]


@pytest.mark.parametrize("ranks", [2, 3])
def test_a_full_disk_on_one_rank_ends_all(case, tmp_path, ranks):
    out = run_ranks(ranks, PROGRAM, "full_on_one", tmp_path, timeout=60, code=1)
    said = [line for line in out.splitlines() if "no room left" in line]
    assert len(said) == 1 and said[0].startswith("rank 1: no room left on the disk to write out/")
    assert read_result(tmp_path / "out")["steps"][-1]["step"] == 1 and (tmp_path / "out" / NAME).exists()


def test_forces_that_are_no_numbers_on_one_rank_end_all(case, tmp_path):
    out = run_ranks(2, PROGRAM, "nan_on_one", tmp_path, timeout=60, code=1)
    assert len([line for line in out.splitlines() if "not finite" in line]) == 1


def test_a_killed_rank_ends_all(case, tmp_path):
    began = time.monotonic()
    with pytest.raises(AssertionError, match="exit code"):
        run_ranks(2, PROGRAM, "killed_on_one", tmp_path, timeout=60)
    assert time.monotonic() - began < 60.0
    assert read_result(tmp_path / "out")["steps"][-1]["step"] == 1
    assert main(["run", "case.yaml", "-o", "out", "--restart"]) == 0


def test_two_runs_never_share_a_folder(case, tmp_path, monkeypatch, capsys):
    hold = (
        "import sys, time; from pathlib import Path; from nnp import locking\n"
        "locking.take(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(locking, "PATIENCE", 0.2)
    command, environment = [sys.executable, "-c", hold, str(out)], {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        assert main(["run", "case.yaml", "-o", "out"]) == 2
        said = capsys.readouterr().err
        assert f"in use by another run (process {other.pid} on " in said
        assert [p.name for p in out.iterdir()] == [locking.NAME]  # nothing was touched
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert (out / locking.NAME).exists()  # what a killed run leaves holds nobody up
    assert main(["run", "case.yaml", "-o", "out", "--set", "load.steps=1"]) == 0
    assert not (out / locking.NAME).exists()


@pytest.mark.parametrize(("pid", "free"), [(2**22 + 1, True), (os.getppid(), False)])
def test_without_locks_the_process_is_looked_for(tmp_path, monkeypatch, pid, free):
    def unable(*unused):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locking.fcntl, "flock", unable)
    monkeypatch.setattr(locking, "_held", {})
    monkeypatch.setattr(locking, "PATIENCE", 0.2)
    holder = {"pid": pid, "host": locking.socket.gethostname(), "since": "today"}
    (tmp_path / locking.NAME).write_text(json.dumps(holder))
    if free:
        locking.take(tmp_path)
        locking.release(tmp_path)
    else:
        with pytest.raises(locking.FolderInUseError, match=f"process {pid} on .*, since today"):
            locking.take(tmp_path)


def test_what_cannot_be_appended_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "atoms.extxyz"
    path.write_bytes(b"first\n" * 100)
    limited(900)
    try:
        with pytest.raises(OSError, match="File too large"), written_aside(path, onto=True) as aside:
            aside.write_bytes(b"second\n" * 100)
    finally:
        limited(resource.RLIM_INFINITY)
    assert path.read_bytes() == b"first\n" * 100 and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_an_error_in_a_callback_is_raised_as_it_was():
    """As PETSc from 3.22 on hides it."""
    from coupling.callbacks import called_back, own_errors

    class Problem:
        error = None

        @called_back
        def evaluate(self):
            raise FloatingPointError("forces are not numbers")

    def solve(problem):
        with suppress(FloatingPointError):
            problem.evaluate()
        raise RuntimeError("error code -1")

    problem = Problem()
    with pytest.raises(FloatingPointError, match="not numbers"), own_errors(problem):
        solve(problem)
    with pytest.raises(RuntimeError), own_errors(problem):
        raise RuntimeError("error code -1")


@pytest.mark.parametrize("method", ["newton", "quasi-newton"])
def test_an_error_in_the_potential_is_said_as_it_was(case, monkeypatch, capsys, method):
    from coupling.atomistic import AtomisticEnergy

    whole, calls = AtomisticEnergy._evaluated, []

    def evaluated(self, *given):
        calls.append(1)
        if len(calls) > 6:
            raise FloatingPointError("neighbour 7 is on top of atom 3")
        return whole(self, *given)

    monkeypatch.setattr(AtomisticEnergy, "_evaluated", evaluated)
    assert main(["run", "case.yaml", "-o", "out", "--set", f"solver.method={method}"]) == 1
    said = capsys.readouterr().err
    assert "FloatingPointError: neighbour 7 is on top of atom 3" in said
    assert np.isfinite(read_result(Path("out"))["timings"]["build"])


def test_a_full_disk_keeps_the_checkpoint_of_a_training(tmp_path, monkeypatch, capsys):
    from nnp import storage
    from nnp.cli import main as nnp
    from tests.nnp.training_data import SETTINGS, crystals, write

    write(tmp_path / "silicon.xyz", crystals(8))
    (tmp_path / "train.yaml").write_text(SETTINGS.replace("epochs: 6", "epochs: 4"))
    arguments = ["train", str(tmp_path / "train.yaml"), "--data", str(tmp_path / "silicon.xyz"), "-o"]
    assert nnp([*arguments, str(tmp_path / "whole")]) == 0
    whole, calls = storage.save, []

    def save(*given, **more):
        calls.append(1)
        limited(resource.RLIM_INFINITY if len(calls) < 2 else 1000)
        return whole(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "save", save)
        try:
            assert nnp([*arguments, str(tmp_path / "out")]) == 1
        finally:
            limited(resource.RLIM_INFINITY)
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("nnp: no room left on the disk to write") and "--resume" in said
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"checkpoint.safetensors", "train.yaml"}
    assert nnp([*arguments, str(tmp_path / "out"), "--resume"]) == 0
    a, b = (tmp_path / name / "model.safetensors" for name in ("whole", "out"))
    assert a.read_bytes() == b.read_bytes()
