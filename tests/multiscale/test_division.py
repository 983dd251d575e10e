"""Atoms on some ranks, the mesh on others: the same run, and a clear word where there are too few."""

import pytest

from multiscale.result import read_result
from tests.mpi import run_ranks

CASE = """\
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 6 nm, crack: {tip: [0, 0]}}
regions: {core: {shape: disc, radius: 1 nm}, blend: 1 nm}
load: {type: k-field, K: {from: 0.9, to: 1.0, steps: 2, unit: K_G}}
output: {pictures: false}
"""


@pytest.mark.parametrize(("ranks", "atoms", "bulk"), [(2, 1, 1), (3, 1, 2)])
def test_sides_on_ranks_of_their_own(tmp_path, ranks, atoms, bulk):
    case = tmp_path / "case.yaml"
    case.write_text(CASE)
    run_ranks(1, "multiscale", "run", case, "-o", tmp_path / "one")
    divided = ["--set", f"parallel.atoms={atoms}", "--set", f"parallel.bulk={bulk}"]
    run_ranks(ranks, "multiscale", "run", case, "-o", tmp_path / "many", *divided)
    one, many = (read_result(tmp_path / name)["steps"] for name in ("one", "many"))
    assert [s["energy"]["total"] for s in many] == pytest.approx(
        [s["energy"]["total"] for s in one], rel=1e-10
    )


def test_more_ranks_than_there_are(tmp_path, capsys):
    from multiscale.cli import main

    (tmp_path / "case.yaml").write_text(CASE + "parallel: {bulk: 2}\n")
    assert main(["run", str(tmp_path / "case.yaml"), "-o", str(tmp_path / "out")]) == 2
    message = "case.yaml: parallel.bulk: must be at most the number of ranks, got 2 on 1 rank"
    assert message in capsys.readouterr().err
