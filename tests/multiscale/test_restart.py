"""A run that was stopped is taken up by another number of ranks, and ends as if nothing had been."""

from pathlib import Path

import ase.io
import numpy as np
import pytest
import pyvista
from mpi4py.MPI import COMM_SELF

from multiscale import checkpoint
from multiscale.checkpoint import Part, State, Stored
from multiscale.cli import main
from multiscale.config import InputError
from multiscale.result import read_result
from tests.mpi import run_ranks
from tests.multiscale import restarts

PROGRAM = Path(restarts.__file__)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs that were never stopped ("whole"), and the same begun on 1 rank, then on 2, 3 and 1 ("parts")."""
    path = tmp_path_factory.mktemp("restart")
    restarts.write(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        for case in restarts.CASES:
            assert main(["run", f"{case}.yaml", "-o", f"{case}-whole"]) == 0
        restarts.a_step_more("parts")
        for ranks in (2, 3):
            run_ranks(ranks, PROGRAM, path, "parts")
        for case in restarts.CASES:
            assert main(["run", f"{case}.yaml", "-o", f"{case}-parts", "--restart"]) == 0
    return path


@pytest.mark.parametrize("case", restarts.CASES)
def test_a_run_goes_on_with_another_number_of_ranks(folder, case):
    whole, resumed = (read_result(folder / f"{case}-{name}") for name in ("whole", "parts"))
    assert len(resumed["steps"]) == len(whole["steps"]) == restarts.CASES[case][1] + 3
    for a, b in zip(whole["steps"], resumed["steps"], strict=True):
        assert b["load"] == pytest.approx(a["load"], rel=1e-10)
        assert b["energy"]["total"] == pytest.approx(a["energy"]["total"], rel=1e-10)
        if "crack_tip" in a:
            assert b["crack_tip"] == pytest.approx(a["crack_tip"], rel=1e-10)
    assert [r["center"] for r in resumed["remeshings"]] == [r["center"] for r in whole["remeshings"]]


def test_the_cases_have_what_their_checkpoints_must_carry(folder):
    """A core that has moved, damage, a path with vectors of its own: before they were stopped."""
    first, *_, last = (s["energy"]["dissipated"] for s in read_result(folder / "opening-parts")["steps"])
    assert last >= first > 1.0
    assert read_result(folder / "moving-parts")["remeshings"][0]["step"] == 1
    with np.load(folder / "path-parts" / checkpoint.NAME) as saved:
        assert saved["nodes/0/0/values"].shape[1] == 1 + 3 + 1  # the state, three points, the direction


def test_files_of_several_numbers_of_ranks_are_one_series(folder, capsys):
    reader = pyvista.get_reader(folder / "strip-parts" / "fields.pvd")
    assert list(reader.time_values) == [1, 2, 3, 4]
    whole = pyvista.get_reader(folder / "strip-whole" / "fields.pvd")
    for time in reader.time_values:
        for each in (reader, whole):
            each.set_active_time_value(time)
        assert reader.read()[0].n_cells == whole.read()[0].n_cells
    a, b = (ase.io.read(folder / f"strip-{n}" / "atoms.extxyz", index=":") for n in ("whole", "parts"))
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(other.positions, one.positions, atol=1e-8)
        np.testing.assert_array_equal(other.arrays["free"], one.arrays["free"])
    assert main(["compare", str(folder / "strip-parts"), str(folder / "strip-whole"), "--json"]) == 0
    assert '"unmatched": 0' in capsys.readouterr().out


def test_places_are_found_in_any_order_and_pieces(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    places, values = rng.uniform(-50.0, 50.0, (1000, 3)), rng.normal(size=(1000, 2, 3))
    places[1] = places[0] + [0.0, 2e-6, 0.0]  # the other face of a crack
    monkeypatch.setattr(checkpoint, "ROWS", 64)
    checkpoint.save(COMM_SELF, tmp_path, State({"a": np.arange(3)}, {"nodes": Part(places, values)}))
    stored = Stored.open(COMM_SELF, tmp_path)
    order = rng.permutation(1000)[:900]
    found = stored.at("nodes", places[order] + 1e-10 * rng.normal(size=(900, 3)))
    np.testing.assert_array_equal(found, values[order])
    np.testing.assert_array_equal(stored.at("nodes", places), values)
    with pytest.raises(ValueError, match="another model"):
        stored.at("nodes", places + 1e-5)


def test_a_checkpoint_that_cannot_be_read_is_said(tmp_path):
    assert Stored.open(COMM_SELF, tmp_path) is None
    for content in (b"", b"PK\3\4 torn"):
        (tmp_path / checkpoint.NAME).write_bytes(content)
        with pytest.raises(InputError, match=r"restart\.npz cannot be read"):
            Stored.open(COMM_SELF, tmp_path)
