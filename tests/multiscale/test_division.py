"""Atoms on some ranks, the mesh on others: the same run, and a clear word where there are too few."""

import numpy as np
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


def test_a_case_is_the_same_whichever_ranks_do_the_work(tmp_path):
    from multiscale.config import case_hash, load_case

    (tmp_path / "case.yaml").write_text(CASE)
    plain, divided = (load_case(tmp_path / "case.yaml", s) for s in ((), ("parallel.atoms=2",)))
    assert plain != divided and case_hash(plain) == case_hash(divided)


def test_masked_atoms_cost_twice_and_forces_beyond_the_blend_count(tmp_path):
    """Next to the interface only; of a force-based scheme also atoms without weight, as far as forces are felt."""
    from multiscale.build import make_material
    from multiscale.config import load_case
    from multiscale.division import division
    from multiscale.placement import Placement

    (tmp_path / "case.yaml").write_text(CASE)
    points, weights = (
        np.array([[0.0, 1.0, 0.0], [0.0, 9.0, 0.0], [0.0, 22.0, 0.0], [0.0, 40.0, 0.0]]),
        np.array([1.0, 1.0, 0.0, 0.0]),
    )
    wanted = {
        (): [1.0, 1.0, 0.02, 0.02],
        ("coupling.scheme=bqcf",): [1.0, 1.0, 1.0, 0.02],
        ("interface={law: uber, chi: 0}",): [2.0, 1.0, 0.02, 0.02],
    }
    for settings, cost in wanted.items():
        case = load_case(tmp_path / "case.yaml", settings)
        material = make_material(case)
        found = division(case, material, Placement.of(case).mask(case)).cost(points, weights)
        np.testing.assert_array_equal(found, cost)
