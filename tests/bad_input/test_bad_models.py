"""Model and law files that cannot be used, hostile ones among them: a message each, and nothing is unpickled."""

# ruff: noqa: E501 (a row of a table is one line)

import json
import os
import pickle
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save

from multiscale.cli import main
from nnp.cli import main as nnp
from nnp.families import save as save_model
from nnp.storage import SHIPPED, read_model, write_model
from tests.bad_input.corpus import NAME, base
from tests.nnp.small_models import small


class Touch:
    """Unpickled, it makes a file."""

    def __reduce__(self):
        return os.mkdir, ("touched",)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The bytes of a small model of silicon, its header and its weights."""
    path = tmp_path_factory.mktemp("good") / "m.safetensors"
    save_model(small("behler", (14,)), path)
    return path.read_bytes(), *read_model(path)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).write_text(base("crack"), encoding="utf-8")
    yield tmp_path
    assert not (tmp_path / "touched").exists() and not (tmp_path / "out").exists()


def packed(header, tensors) -> bytes:
    return save(tensors, metadata={"header": header if isinstance(header, str) else json.dumps(header)})


def numbers(tensors, value):
    return {name: torch.full_like(t, value) for name, t in tensors.items()}


# How the file is made from the good one's bytes, header and weights, and what the message holds.
MODELS = {
    "empty": (lambda b, h, t: b"", "damaged, or no safetensors file"),
    "text": (lambda b, h, t: b"hello", "damaged, or no safetensors file"),
    "truncated": (lambda b, h, t: b[: len(b) // 2], "damaged, or no safetensors file"),
    "cut in the header": (lambda b, h, t: b[:40], "damaged, or no safetensors file"),
    "huge header": (lambda b, h, t: struct.pack("<Q", 2**60) + b, "damaged, or no safetensors file"),
    "pickle": (lambda b, h, t: pickle.dumps(Touch()), "damaged, or no safetensors file"),
    "torch archive": (lambda b, h, t: torched(Touch()), "damaged, or no safetensors file"),
    "no metadata": (lambda b, h, t: save(t), "without this program's model header"),
    "header is no JSON": (lambda b, h, t: packed("{", t), "without this program's model header"),
    "header is deep": (lambda b, h, t: packed("[" * 9999, t), "without this program's model header"),
    "header is a list": (lambda b, h, t: packed([], t), "without this program's model header"),
    "another format": (lambda b, h, t: packed(h | {"format": "x"}, t), "without this program's model header"),
    "another version": (lambda b, h, t: packed(h | {"version": 99}, t), "version 99 of the model format"),
    "unknown kind": (lambda b, h, t: packed(h | {"kind": "gap"}, t), "holds a model of kind 'gap', this program reads"),
    "kind is a list": (lambda b, h, t: packed(h | {"kind": []}, t), "holds a model of kind"),
    "a weight missing": (lambda b, h, t: packed(h, dict(list(t.items())[1:])), "header and weights do not describe"),
    "a weight too many": (lambda b, h, t: packed(h, t | {"x": torch.zeros(1)}), "header and weights do not describe"),
    "weights of another size": (
        lambda b, h, t: packed(h, {k: torch.zeros(3, 3) for k in t}),
        "header and weights do not describe",
    ),
    "no architecture": (lambda b, h, t: packed(h | {"architecture": None}, t), "header and weights do not describe"),
    "unknown size": (
        lambda b, h, t: packed(h | {"architecture": h["architecture"] | {"widht": 3}}, t),
        "header and weights do not describe",
    ),
    "endless cutoff": (
        lambda b, h, t: packed(h | {"architecture": h["architecture"] | {"cutoff": 1e9}}, t),
        "header and weights do not describe",
    ),
    "no such elements": (lambda b, h, t: packed(h | {"elements": [999]}, t), "header and weights do not describe"),
    "elements are words": (lambda b, h, t: packed(h | {"elements": ["Si"]}, t), "header and weights do not describe"),
    "not a number": (lambda b, h, t: packed(h, numbers(t, float("nan"))), "is not finite"),
    "infinite": (lambda b, h, t: packed(h, numbers(t, float("inf"))), "is not finite"),
    "committee of none": (lambda b, h, t: packed(h | {"kind": "committee", "members": []}, t), "fewer than two members"),
    "committee of words": (
        lambda b, h, t: packed(h | {"kind": "committee", "members": ["a", "b"]}, {}),
        "holds a model of kind",
    ),
    "bad calibration": (lambda b, h, t: spoiled_committee({"energy": "x"}), "its calibration is not readable"),
}  # fmt: skip


def torched(what) -> bytes:
    import io

    buffer = io.BytesIO()
    torch.save(what, buffer)
    return buffer.getvalue()


def spoiled_committee(calibration) -> bytes:
    header, tensors = read_model(SHIPPED / "si.safetensors")
    return packed(header | {"calibration": calibration}, tensors)


@pytest.mark.parametrize("what", MODELS)
def test_a_bad_model(folder, capsys, good, what):
    make, says = MODELS[what]
    (folder / "m.safetensors").write_bytes(make(*good))
    code = main(["run", NAME, "-o", "out", "--set", "potential={type: nnp, model: m.safetensors}"])
    err = capsys.readouterr().err
    assert code == 2 and err.startswith(f"{NAME}: potential.model: ") and says in err and err.count("\n") == 1
    (folder / "a.xyz").write_text('1\nLattice="9 0 0 0 9 0 0 0 9" pbc="T T T"\nSi 0 0 0\n')
    code, err = nnp(["relax", "a.xyz", "m.safetensors"]), capsys.readouterr().err
    assert code == 2 and err.startswith("nnp: m.safetensors: ") and says in err and err.count("\n") == 1


def test_a_model_of_another_element(folder, capsys):
    save_model(small("behler", (6,)), folder / "c.safetensors")
    assert main(["run", NAME, "-o", "out", "--set", "potential={type: nnp, model: c.safetensors}"]) == 2
    assert capsys.readouterr().err.startswith(f"{NAME}: crystal.symbol: the potential knows C, not Si")


LAW = {
    "empty": ("", "is no JSON file"),
    "list": ("[]", "is no law file: its format is not 'cohesive-law'"),
    "deep": ("[" * 99999, "is no JSON file"),
    "no units": ('{"format": "cohesive-law", "version": 1}', "units: must be"),
    "version": ('{"format": "cohesive-law", "version": 7}', "has version 7, this program reads version 1"),
    "bytes": (b"\xff\xfe", "is no JSON file"),
    "pickle": (pickle.dumps(Touch()), "is no JSON file"),
}
UNITS = '"units": {"length": "Å", "energy per area": "eV/Å²", "traction": "eV/Å³", "stiffness": "eV/Å⁴"}'
for name, body, says in (
    ("no law", "", "law: must be one of derive, ppr, uber, xu-needleman"),
    ("unknown law", ', "law": "x"', "law: must be one of derive, ppr, uber, xu-needleman"),
    ("law is a list", ', "law": []', "law: must be one of derive, ppr, uber, xu-needleman"),
    ("nothing in it", ', "law": "uber"', "is missing; needed: "),
    ("a key too many", ', "law": "uber", "zz": 1', "is missing; needed: "),
):
    LAW[name] = (f'{{"format": "cohesive-law", "version": 1, {UNITS}{body}}}', says)


@pytest.mark.parametrize("what", LAW)
def test_a_bad_law_file(folder, capsys, what):
    content, says = LAW[what]
    (folder / "l.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    code = main(["run", NAME, "-o", "out", "--set", "interface.law=l.json"])
    err = capsys.readouterr().err
    assert code == 2 and err.startswith(f"{NAME}: interface.law: ") and says in err and err.count("\n") == 1
    code, err = main(["cohesive", NAME, "--law", "l.json"]), capsys.readouterr().err
    assert code == 2 and err.startswith(f"{NAME}: --law: ") and says in err and err.count("\n") == 1


@pytest.mark.parametrize("name", ["a.trj", "a.traj", "a.xyz", "a.pckl", "a.db"])
def test_atoms_are_not_unpickled(folder, capsys, name):
    (folder / name).write_bytes(b"PickleTrajectory" * name.endswith("trj") + pickle.dumps(Touch()))
    for arguments in (["relax", name, "stillinger-weber"], ["evaluate", "stillinger-weber", name]):
        code, err = nnp(arguments), capsys.readouterr().err
        assert code == 2 and err.startswith(f"nnp: {name}: ") and err.count("\n") == 1


def test_the_state_of_a_run_is_not_unpickled(folder):
    from mpi4py import MPI

    from multiscale.checkpoint import NAME as STATE
    from multiscale.checkpoint import Stored
    from multiscale.config import InputError

    for write in (
        lambda path: path.write_bytes(pickle.dumps(Touch())),
        lambda path: np.savez(path, q=np.array([Touch()], dtype=object)),
    ):
        write(folder / STATE)
        with pytest.raises(InputError):
            Stored.open(MPI.COMM_SELF, folder)


def test_the_model_that_the_others_spoil_is_good(folder, good):
    write_model(folder / "m.safetensors", good[1], good[2])
    (folder / "a.xyz").write_text('1\nLattice="9 0 0 0 9 0 0 0 9" pbc="T T T"\nSi 0 0 0\n')
    assert nnp(["relax", "a.xyz", "m.safetensors"]) == 0
