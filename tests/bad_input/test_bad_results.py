"""Damaged, foreign and missing folders of results, and arguments of the commands that read them."""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from multiscale.cli import main
from tests.bad_input.corpus import NAME

CASE = """\
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 4 nm}
regions: {core: {shape: disc, radius: 0.8 nm}, blend: 0.8 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0, 0], [0, 0, 0]], steps: 2}
output: {pictures: false}
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with a case file and a finished run."""
    folder = tmp_path_factory.mktemp("done")
    (folder / NAME).write_text(CASE)
    assert main(["run", str(folder / NAME), "-o", str(folder / "done")]) == 0
    return folder


@pytest.fixture(autouse=True)
def folder(done, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    shutil.copytree(done / "done", tmp_path / "d")
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    yield tmp_path
    assert not (tmp_path / "touched").exists()


class Touch:
    def __reduce__(self):
        return os.mkdir, ("touched",)


def rewritten(**values):
    def change(run: Path) -> None:
        data = json.loads((run / "result.json").read_text())
        (run / "result.json").write_text(json.dumps(data | values))

    return change


def put(name, content):
    return lambda run: (run / name).write_bytes(content)


def replaced(name, old, new):
    return lambda run: (run / name).write_text((run / name).read_text().replace(old, new))


def cut(name, size):
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:size])


RECORDS = {
    "empty": put("result.json", b""),
    "list": put("result.json", b"[]"),
    "bytes": put("result.json", b"\xff\xfe"),
    "deep": put("result.json", b"[" * 99999),
    "steps a number": rewritten(steps=3),
    "steps of numbers": rewritten(steps=[3]),
    "steps without a number": rewritten(steps=[{}]),
    "results a number": rewritten(results=3),
    "status a list": rewritten(status=[]),
    "a folder": lambda run: ((run / "result.json").unlink(), (run / "result.json").mkdir()),
    "missing": lambda run: (run / "result.json").unlink(),
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_damaged_record(folder, capsys, what):
    RECORDS[what](folder / "d")
    for arguments in (["compare", "d", "done"], ["compare", "done", "d"], ["plot", "d"]):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert "d holds no run" in err and err.count("\n") == 1


ATOMS = {
    "text": put("atoms.extxyz", b"hello\n"),
    "cut": cut("atoms.extxyz", -300),
    "no step": replaced("atoms.extxyz", "step=", "stp="),
    "a step that is a word": replaced("atoms.extxyz", "step=", "step=x"),
    "no displacement": replaced("atoms.extxyz", "displacement", "displ"),
    "bytes": put("atoms.extxyz", b"\xff\xfe"),
}


@pytest.mark.parametrize("what", ATOMS)
def test_damaged_atoms(folder, capsys, what):
    ATOMS[what](folder / "d")
    for arguments in (["compare", "d", "done"], ["plot", "d"]):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert "d/atoms.extxyz is damaged: " in err and err.count("\n") == 1


STATES = {
    "empty": put("restart.npz", b""),
    "text": put("restart.npz", b"hello"),
    "cut": cut("restart.npz", 500),
    "pickle": put("restart.npz", pickle.dumps(Touch())),
    "objects": lambda run: np.savez(run / "restart.npz", q=np.array([Touch()], dtype=object)),
    "foreign": lambda run: np.savez(run / "restart.npz", a=np.zeros(3)),
}


@pytest.mark.parametrize("what", STATES)
def test_a_damaged_state_is_not_gone_on_from(folder, capsys, what):
    STATES[what](folder / "d")
    before = (folder / "d" / "result.json").read_bytes()
    assert main(["run", NAME, "-o", "d", "--restart"]) == 2
    err = capsys.readouterr().err
    assert "restart.npz" in err and err.count("\n") == 1
    assert (folder / "d" / "result.json").read_bytes() == before


ARGUMENTS = [
    ("compare none done", "none holds no run"),
    ("compare done empty", "empty holds no run"),
    ("compare file done", "file holds no run"),
    ("compare done done --near x", "command line: --near: cannot read 'x'"),
    ("compare done done --near 1GPa", "command line: --near: must be a length, got 1GPa (a stress)"),
    ("compare done done --near=-1nm", "command line: --near: must be a positive length, got -1nm"),
    ("compare done done --near nan", "command line: --near: must be a positive length, got nan"),
    ("compare done done --near=infnm", "command line: --near: must be a positive length, got infnm"),
    ("plot none", "none holds no run"),
    ("plot empty", "empty holds no run"),
    ("run case.yaml -o file", "command line: cannot write to file"),
    ("run case.yaml -o file/x", "command line: cannot write to file/x"),
    ("run case.yaml --restart -o empty", "command line: empty holds no run, so there is nothing to restart"),
    ("run case.yaml --restart -o none", "command line: none holds no run, so there is nothing to restart"),
    (
        "run case.yaml --set geometry.radius=41 -o done",
        "command line: done holds a finished run of another case",
    ),
    (
        "run case.yaml --set geometry.radius=41 -o done --restart",
        "command line: done holds a run of another case",
    ),
    (
        "material sj",
        "sj: no model file 'sj' and no shipped model of that name (shipped: si); did you mean 'si'?",
    ),
    ("material si --structure bc", "si: unknown structure 'bc'"),
    ("material si --symbol Q", "command line: --symbol: 'Q' is no chemical element"),
    ("material si --set a=1", "si: --set changes the parameters of a kind of potential, and this names none"),
    ("material lennard-jones --set epsilon=x", "lennard-jones: epsilon must be a finite number, got 'x'"),
    ("material lennard-jones --set type=x", "command line: type: is the argument MODEL, no parameter"),
    ("material lennard-jones --set epsilon", "command line: --set wants key.path=value, got 'epsilon'"),
    (
        "material lennard-jones --set epsilon=-1",
        "lennard-jones: epsilon and sigma of the Lennard-Jones potential",
    ),
    ("material lennard-jones --set cutoff=1e9", "potential: reaches 1"),
    ("material file", "file: file: damaged, or no safetensors file"),
    ("material .", ".: no model file '.'"),
    ("material si,sj", "si,sj: no model file 'sj'"),
    ("material none.alloy", "none.alloy: none.alloy: cannot be read"),
    ("material ase", "ase: potential 'ase' needs calculator, cutoff"),
    (
        "material stillinger-weber --reference none.yaml",
        "command line: --reference: no reference file 'none.yaml'",
    ),
    (
        "material stillinger-weber --reference file",
        "command line: --reference: file: must hold names and numbers",
    ),
    ("material stillinger-weber --fit-law-from file", "command line: --fit-law-from: needs --fit-law FILE"),
    ("cohesive case.yaml --law drive", "command line: --law: must be one of"),
    ("cohesive case.yaml --law none.json", "case.yaml: --law: none.json cannot be read: No such file"),
    ("cohesive none.yaml", "none.yaml: no such file"),
    ("init fracture -o none/x.yaml", "command line: cannot write none/x.yaml: No such file or directory"),
    ("init fracture -o case.yaml", "command line: case.yaml exists; choose another name or --force"),
]


@pytest.mark.parametrize(("line", "says"), ARGUMENTS)
def test_bad_arguments(folder, capsys, line, says):
    before = sorted(path.name for path in folder.iterdir())
    assert main(line.split()) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before
