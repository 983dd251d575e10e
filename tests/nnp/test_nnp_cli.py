"""The command `nnp`: exit codes, what it prints and writes."""

import json

import ase.io
import numpy as np
import pytest
from ase.build import bulk

from nnp.calculator import NNPCalculator
from nnp.cli import main
from nnp.registry import named_potential

SETTINGS = """
model: {cutoff: 4.0, radial: 4, channels: 2, degree: 1, three_body: 2, many_body: 1, many_degree: 0}
optimiser: {epochs: 2, batch: 2}
"""


def crystal(a=5.4, seed=0):
    atoms = bulk("Si", "diamond", a, cubic=True)
    atoms.rattle(0.03, seed=seed)
    return atoms


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames = []
    for k in range(10):
        atoms = crystal(seed=k)
        atoms.info.update(REF_energy=-46.0, config_type="bulk")
        atoms.arrays["REF_forces"] = np.zeros((8, 3))
        frames.append(atoms)
    ase.io.write("data.xyz", frames, format="extxyz")
    ase.io.write("crystal.xyz", crystal(), format="extxyz")
    (tmp_path / "small.yaml").write_text(SETTINGS)
    return tmp_path


def test_train_then_evaluate(folder, capsys):
    assert main(["train", "small.yaml", "--data", "data.xyz", "-o", "out", "--set", "seed=3"]) == 0
    printed = capsys.readouterr().out
    assert "epoch 2/2" in printed and "validation" in printed and "out/model.safetensors" in printed
    assert main(["evaluate", "out/model.safetensors", "data.xyz", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["bulk"]["frames"] == 10 and table["all"]["stress"] is None
    assert (
        main(["train", "small.yaml", "--data", "data.xyz", "-o", "out", "--set", "seed=3", "--resume"]) == 0
    )


def test_relax_writes_the_relaxed_atoms(folder, capsys):
    assert main(["relax", "crystal.xyz", "si", "--cell", "--fmax", "1e-3", "-o", "r.xyz"]) == 0
    relaxed = ase.io.read("r.xyz")
    assert relaxed.cell.lengths() == pytest.approx([5.469] * 3, rel=5e-3)
    assert relaxed.get_distance(0, 1, mic=True) == pytest.approx(5.469 * 3**0.5 / 4, rel=5e-3)


def test_relax_says_when_it_did_not_converge(folder, capsys):
    assert main(["relax", "crystal.xyz", "si", "--fmax", "1e-9", "--steps", "1"]) == 3
    assert "not converged" in capsys.readouterr().err
    assert (folder / "relaxed.extxyz").exists()


def test_md_writes_as_it_goes_suggests_a_step_and_goes_on(folder, capsys):
    nve = ["md", "crystal.xyz", "si", "--ensemble", "nve", "-o", "md.xyz"]
    assert main([*nve, "--steps", "60"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "suggested time step" in lines[0] and "pressure" in lines[-2]
    assert lines[-1].startswith("written: ")
    rows = [[float(x) for x in line.split()] for line in lines[2:9]]
    total = [r[4] for r in rows]
    assert [r[0] for r in rows] == [0, 10, 20, 30, 40, 50, 60] and len(ase.io.read("md.xyz", ":")) == 7
    assert max(total) - min(total) < 2e-3  # eV in 8 atoms, kinetic energy is 0.3 eV
    assert main([*nve, "--steps", "80", "--restart"]) == 0
    assert [f.info["step"] for f in ase.io.read("md.xyz", ":")][-2:] == [70, 80]
    assert main([*nve, "--steps", "80", "--restart"]) == 2
    assert "is at step 80 already" in capsys.readouterr().err


def test_md_of_a_committee_writes_how_far_its_members_disagree(folder, capsys):
    members = [ase.io.read("crystal.xyz") for _ in range(2)]
    for atoms, name in zip(members, ("si", "stillinger-weber")):
        atoms.calc = NNPCalculator(named_potential(name))
    one, two = (atoms.get_forces() for atoms in members)
    for mode, moves in (("spread", one), ("mean", (one + two) / 2)):
        run = ["md", "crystal.xyz", "si,stillinger-weber", "--steps", "2", "--committee", mode]
        assert main([*run, "-o", "md.xyz"]) == 0
        first = ase.io.read("md.xyz", 0)
        apart = np.linalg.norm(one - two, axis=1) / 2**0.5
        assert np.allclose(first.arrays["force_spread"], apart, atol=1e-7)
        assert np.allclose(first.get_forces(), moves, atol=1e-7)


def test_md_warns_of_a_long_step_and_stops_when_atoms_fly_apart(folder, capsys):
    hot = ["md", "crystal.xyz", "stillinger-weber", "--temperature", "1000", "--every", "2", "-o", "md.xyz"]
    assert main([*hot, "--timestep", "40", "--steps", "400"]) == 1
    said = capsys.readouterr().err
    assert "too long for" in said and "stopped at step" in said and "Traceback" not in said
    assert len(ase.io.read("md.xyz", ":")) >= 1
    npt = [*hot, "--timestep", "auto", "--steps", "4", "--ensemble", "npt", "--pressure", "1"]
    rows = []
    for precision in ("float64", "float32"):
        assert main([*npt, "--precision", precision]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "suggested time step 1.8 fs" in lines[0]
        rows.append([float(x) for x in lines[4].split()])
    assert rows[1] == pytest.approx(rows[0], rel=1e-4)


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["train", "small.yaml", "--data", "none.xyz"], "no data file 'none.xyz'"),
        (["train", "none.yaml", "--data", "data.xyz"], "none.yaml: no such file"),
        (
            ["train", "small.yaml", "--data", "data.xyz", "--set", "optimiser.epoch=3"],
            "optimiser.epoch: unknown key",
        ),
        (["train", "small.yaml", "--data", "data.xyz", "--resume"], "nothing to resume"),
        (["evaluate", "sj", "data.xyz"], "did you mean 'si'"),
        (["evaluate", "stilinger-weber", "data.xyz"], "did you mean 'stillinger-weber'"),
        (["evaluate", "lennard-jones", "data.xyz"], "knows Ar, not Si"),
        (["evaluate", "n2p2", "data.xyz"], "'n2p2' needs folder"),
        (["evaluate", "crystal.xyz", "data.xyz"], "crystal.xyz: damaged"),
        (["evaluate", "si", "data.xyz", "--forces-key", "F"], "frame 0: no forces under the key 'F'"),
        (["relax", "none.xyz", "si"], "no file 'none.xyz'"),
        (["relax", "small.yaml", "si"], "not readable as atoms"),
        (["relax", "crystal.xyz", "si", "-o", "no/where.xyz"], "no folder 'no'"),
        (["md", "crystal.xyz", "si", "--timestep", "-1"], "--timestep must be positive"),
        (["md", "crystal.xyz", "si", "--timestep", "soon"], "a number of fs or 'auto'"),
        (["md", "crystal.xyz", "si", "--restart"], "nothing to go on from: no file 'md.extxyz'"),
        (["md", "crystal.xyz", "si", "--ensemble", "npt", "--temperature", "0"], "temperature above zero"),
    ],
)
def test_wrong_input_is_one_message_and_exit_code_2(folder, capsys, arguments, says):
    assert main(arguments) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("nnp: ") and says in message and len(message.splitlines()) == 1


def test_an_element_that_the_model_does_not_know(folder, capsys):
    ase.io.write("ge.xyz", bulk("Ge", "diamond", 5.7), format="extxyz")
    assert main(["relax", "ge.xyz", "si"]) == 2
    assert "knows Si, not Ge" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["relax"], ["md"]])
def test_help_is_there(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == 0
    assert not command or "example: nnp " + command[0] in capsys.readouterr().out


def errors_of(model, capsys):
    assert main(["evaluate", model, "data.xyz", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["all"]


def test_any_potential_serves_as_a_model(folder, capsys):
    """The labels lie below what either says, so the energy error of their mean is the mean of their errors."""
    bias = [errors_of(m, capsys)["energy"]["mae"] for m in ("si", "stillinger-weber", "si, stillinger-weber")]
    assert bias[2] == pytest.approx(0.5 * (bias[0] + bias[1]))
    assert main(["relax", "crystal.xyz", "stillinger-weber", "--cell", "-o", "r.xyz"]) == 0
    assert ase.io.read("r.xyz").cell.lengths() == pytest.approx([5.431] * 3, rel=1e-3)
