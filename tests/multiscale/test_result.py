"""result.json, history.csv and the rules of the output folder."""

import csv
import json

import numpy as np
import pytest

from multiscale import folder
from multiscale.config import InputError, case_hash, parse_case
from multiscale.result import Result, read_result
from nnp import locking

CASE = parse_case("""
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 40 nm}
regions: {core: {shape: disc, radius: 2.5 nm}, blend: 1 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0, 0], [0, 0, 0]]}
""")


def row(step, **more):
    energy = {"total": np.float64(-1.5 * step), "atomistic": -1.0}
    return {"step": step, "load": 0.1 * step, "energy": energy, "crack_tip": np.array([1.0, 0.0]), **more}


def test_results_are_complete_after_every_step(tmp_path):
    result = Result(tmp_path, "abc", {"python": "3"})
    for step in (1, 2):
        result.add_step(**row(step, residual=np.nan))
        on_disk = json.loads((tmp_path / "result.json").read_text())
        assert on_disk["status"] == "running" and len(on_disk["steps"]) == step
    result.note("results", K_plus=np.float32(0.5))
    result.finish("done")
    on_disk = read_result(tmp_path)
    assert on_disk["status"] == "done" and on_disk["results"] == {"K_plus": 0.5}
    assert on_disk["steps"][1]["energy"]["total"] == -3.0 and on_disk["steps"][1]["residual"] is None
    table = list(csv.DictReader((tmp_path / "history.csv").open()))
    assert [float(r["energy.total"]) for r in table] == [-1.5, -3.0]
    assert float(table[0]["crack_tip.0"]) == 1.0
    assert {p.name for p in tmp_path.iterdir()} == {"result.json", "history.csv"}  # nothing aside is left


def test_a_resumed_result_keeps_earlier_steps_and_replaces_repeated_ones(tmp_path):
    first = Result(tmp_path, "abc", {})
    for step in (1, 2, 3):
        first.add_step(**row(step))
    assert [s["step"] for s in Result.resume(tmp_path, "abc", {}, 2).steps] == [1, 2]
    second = Result.resume(tmp_path, "abc", {}, 3)
    second.add_step(**row(2, again=True))
    assert [s["step"] for s in read_result(tmp_path)["steps"]] == [1, 2]
    assert Result.resume(tmp_path, "other", {}, 3).steps == []


def test_only_the_first_rank_writes(tmp_path):
    Result(tmp_path, "abc", {}, write=False).add_step(**row(1))
    assert list(tmp_path.iterdir()) == []


def finished(path, case, status="done"):
    path.mkdir()
    Result(path, case, {}).finish(status)
    (path / "fields").mkdir()
    (path / "fields" / "fields_00000.vtu").write_text("")
    (path / "notes.txt").write_text("mine")


@pytest.mark.parametrize("status", ["done", "not-converged"])
def test_a_finished_run_of_another_case_is_not_overwritten(tmp_path, status):
    finished(tmp_path / "out", "other", status)
    with pytest.raises(InputError, match="holds a finished run of another case"):
        folder.prepare(tmp_path / "out", CASE)
    assert (tmp_path / "out" / "fields" / "fields_00000.vtu").exists()
    assert folder.prepare(tmp_path / "out", CASE, force=True) is False
    locking.release(tmp_path / "out")
    left = {p.name for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert left == {"case.yaml", "notes.txt"}  # only what a run writes is cleared


def test_the_same_case_may_run_again_and_an_unfinished_one_be_replaced(tmp_path):
    finished(tmp_path / "same", case_hash(CASE))
    finished(tmp_path / "unfinished", "other", "running")
    for name in ("same", "unfinished", "new/deep"):
        folder.prepare(tmp_path / name, CASE)
        assert parse_case((tmp_path / name / "case.yaml").read_text()) == CASE


def test_restart_keeps_everything_and_wants_the_same_case(tmp_path):
    finished(tmp_path / "same", case_hash(CASE), "running")
    folder.prepare(tmp_path / "same", CASE, restart=True)
    assert (tmp_path / "same" / "fields" / "fields_00000.vtu").exists()
    finished(tmp_path / "other", "other", "running")
    for name, why in (("other", "holds a run of another case"), ("none", "holds no run")):
        with pytest.raises(InputError, match=why):
            folder.prepare(tmp_path / name, CASE, restart=True)
    assert not (tmp_path / "none").exists()


def test_a_folder_made_for_wrong_input_is_taken_back(tmp_path):
    assert folder.prepare(tmp_path / "out", CASE) is True
    (tmp_path / "out" / "log.txt").write_text("")
    folder.discard(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_wrong_input(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        folder.prepare(tmp_path / "out", CASE)
