"""On several ranks: one message, one exit code, nobody left waiting; pieces of one file."""

from pathlib import Path

import numpy as np
import pytest
import pyvista

from multiscale.result import read_result
from tests.mpi import run_ranks

CASE = """\
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm}
regions: {core: {shape: disc, radius: 1 nm}, blend: 1 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0, 0], [0, 0, 0]]}
"""
PROGRAM = Path(__file__).with_name("ranks.py")


def on_two_ranks(check, folder, code):
    (folder / "case.yaml").write_text(CASE)
    return run_ranks(2, PROGRAM, check, folder, timeout=60, code=code)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("wrong_case", "case.yaml: geometry.radius: must be positive, got -1"),
        ("wrong_everywhere", "case.yaml: regions: do not fit"),
        ("wrong_on_one", "rank 1: case.yaml: regions: do not fit"),
    ],
)
def test_wrong_input_is_said_once_and_ends_every_rank(tmp_path, check, message):
    out = on_two_ranks(check, tmp_path, code=2)
    assert [line for line in out.splitlines() if "case.yaml" in line] == [message]


def test_an_error_on_one_rank_ends_all_and_says_where(tmp_path):
    out = on_two_ranks("failed_on_one", tmp_path, code=1)
    said = [line for line in out.splitlines() if "failed" in line]
    assert said == [
        "rank 1: multiscale failed: FloatingPointError: forces are not numbers (traceback in out/log-rank1.txt)"
    ]
    assert "run_case" in (tmp_path / "out" / "log-rank1.txt").read_text()


def test_a_signal_to_one_rank_ends_all_after_their_last_whole_step(tmp_path):
    out = on_two_ranks("interrupted_on_one", tmp_path, code=143)
    said = [line for line in out.splitlines() if "interrupted" in line]
    assert said == ["interrupted by SIGTERM after step 1; --restart goes on from there"]
    result = read_result(tmp_path / "out")
    assert result["status"] == "interrupted" and len(result["steps"]) == 1


def test_only_the_first_rank_speaks(tmp_path):
    out = on_two_ranks("lines_of_first_rank", tmp_path, code=3)
    assert [line for line in out.splitlines() if "said by" in line] == ["[1/1] said by 0"]


def test_ranks_write_one_series(tmp_path):
    on_two_ranks("series", tmp_path, code=0)
    reader = pyvista.get_reader(tmp_path / "fields.pvd")
    assert list(reader.time_values) == [1.0, 2.0]
    grid = reader.read()[0]
    assert sorted(grid.cell_data["rank"]) == [0, 1] and np.ptp(grid.points[:, 0]) == 2.0
