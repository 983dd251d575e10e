"""Two runs with a known difference."""

import json

import numpy as np
import pytest
from mpi4py.MPI import COMM_SELF

from multiscale.cli import main
from multiscale.compare import compare
from multiscale.config import InputError
from multiscale.result import Result
from multiscale.writers import AtomSnapshot, ExtxyzWriter

HEIGHT = 3.84
SITES = np.stack(np.meshgrid(np.arange(-20.0, 21.0, 2.0), np.arange(-20.0, 21.0, 2.0), [0.0, 1.92]), -1)
SITES = SITES.reshape(-1, 3)


def run(folder, sites, fields, energies, loads=(0.1, 0.2, 0.1), mask=None, evaluations=10):
    """A run whose displacement at each load is a function of the sites."""
    folder.mkdir()
    result, xyz = Result(folder, "hash", {}), ExtxyzWriter(COMM_SELF, folder)
    for step, (load, field, energy) in enumerate(zip(loads, fields, energies)):
        u = field(sites)
        mask_now = np.ones(len(sites)) if mask is None else mask
        data = {"displacement": u, "mask": mask_now}
        cell = np.diag([0.0, 0.0, HEIGHT])
        atoms = AtomSnapshot(sites + u, np.full(len(sites), 14), cell, (False, False, True), data)
        xyz.write(step, atoms, {"load": load})
        result.add_step(step=step, load=load, energy={"total": energy}, force_evaluations=evaluations,
                        site_evaluations=evaluations * len(sites), crack_tip=[4.0, 0.0])  # fmt: skip
    result.note("timings", potential=2.0)
    result.finish("done")


def stretched(amount):
    return lambda x: amount * np.stack([x[:, 0], x[:, 1], 0 * x[:, 0]], axis=1)


def bumped(amount, bump):
    """A bump of 0.003 Å within 5 Å of (4, 0)."""

    def u(x):
        near = np.linalg.norm(x[:, :2] - (4.0, 0.0), axis=1) < 5.0
        return stretched(amount)(x) + bump * near[:, None] * np.array([0.0, 0.0, 1.0])

    return u


@pytest.fixture
def runs(tmp_path):
    inner = SITES[np.linalg.norm(SITES[:, :2], axis=1) < 12.0]
    shifted = inner + np.where(inner[:, 2:] > 1.0, [0.0, 0.0, -HEIGHT], 0.0)  # another image along z
    order = np.random.default_rng(0).permutation(len(shifted))
    mask = (np.linalg.norm(shifted[order, :2], axis=1) < 8.0).astype(float)
    fields = [stretched(0.01), bumped(0.02, 0.003), stretched(0.0101)]
    run(tmp_path / "a", shifted[order], fields, [1.0, 2.5, 1.25], mask=mask)
    run(tmp_path / "b", SITES, [stretched(0.01), stretched(0.02), stretched(0.01)], [7.0, 8.4, 7.2])
    return tmp_path


def test_errors_are_found_atom_by_atom(runs):
    found = compare(runs / "a", runs / "b", near=5.0)
    assert [s["load"] for s in found["steps"]] == [0.1, 0.2, 0.1]
    first, second, third = found["steps"]
    n = first["matched"]
    assert n == (np.linalg.norm(SITES[:, :2], axis=1) < 12.0).sum() and first["unmatched"] == 0
    assert first["all"]["max"] < 1e-10
    near = second["near_tip"]["atoms"]
    assert second["all"]["max"] == pytest.approx(0.003, rel=1e-6)
    assert second["all"]["rms"] == pytest.approx(0.003 * np.sqrt(near / n), rel=1e-6)
    assert second["near_tip"]["rms"] == pytest.approx(0.003, rel=1e-6)
    largest = 0.02 * np.sqrt(136.0)  # the farthest sites inside 12 Å are at (10, 6) and the like
    assert second["all"]["max_relative"] == pytest.approx(0.003 / largest, rel=1e-6)
    # The same load on the way back is compared with the way back of the reference.
    assert third["all"]["max"] == pytest.approx(0.0001 * np.sqrt(136.0), rel=1e-6)
    assert third["core"]["max"] == pytest.approx(0.0001 * np.sqrt(52.0), rel=1e-6)


def test_energies_are_compared_as_changes(runs):
    energies = [s["energy"] for s in compare(runs / "a", runs / "b")["steps"]]
    assert [e["error"] for e in energies] == pytest.approx([0.0, 0.1, 0.05])
    assert energies[1]["relative"] == pytest.approx(0.1 / 1.4)


def test_costs_are_reported(runs):
    found = compare(runs / "a", runs / "b")
    assert found["reference"]["site_evaluations"] == 30 * len(SITES)
    assert found["run"]["force_evaluations"] == 30 and found["run"]["timings"] == {"potential": 2.0}


def test_the_command_prints_a_table_or_json(runs, capsys):
    arguments = ["compare", str(runs / "a"), str(runs / "b"), "--near", "0.5 nm"]
    assert main(arguments) == 0
    table = capsys.readouterr().out
    assert "0.003" in table and "site evaluations" in table
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["worst"]["max"] == pytest.approx(0.003, rel=1e-6)


def test_a_reference_at_rest_has_no_relative_error(tmp_path):
    still = [lambda x: 0 * x] * 3
    for name in "ab":
        run(tmp_path / name, SITES, still, [0.0] * 3)
    step = compare(tmp_path / "a", tmp_path / "b")["steps"][1]
    assert step["all"]["max"] == 0.0 and step["all"]["max_relative"] is None


def test_runs_that_cannot_be_compared_are_wrong_input(runs, tmp_path, capsys):
    run(tmp_path / "c", SITES, [stretched(0.0)], [0.0], loads=(0.3,))
    with pytest.raises(InputError, match="no load in common"):
        compare(tmp_path / "a", tmp_path / "c")
    run(tmp_path / "d", SITES + 0.7, [stretched(0.0)], [0.0], loads=(0.1,))
    with pytest.raises(InputError, match="no atom in common"):
        compare(tmp_path / "a", tmp_path / "d")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "nothing")]) == 2
    assert "holds no run" in capsys.readouterr().err
