"""Laws in whole runs: fitted to a table by the command, warned of where they extrapolate or do not fit the crystal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.units import GPa

from multiscale.cli import main
from multiscale.continuum.laws.samples import cauchy_born_samples
from multiscale.continuum.laws.strain import unmandel
from multiscale.law_table import STRAINS, STRESSES
from multiscale.result import read_result
from nnp.crystal import make_crystal
from nnp.homogeneous import lattice_constant
from nnp.registry import make_potential

CASE = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 4.5 nm}
regions: {core: {shape: disc, center: origin, radius: 0.5 nm}, blend: 0.75 nm}
continuum: {law: neural, model: law.safetensors}
load: {type: strain, gradient: [[0.05, 0, 0], [0, 0, 0], [0, 0, 0]], steps: 2}
output: {pictures: false, atoms: false}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A case, and the table of an experiment up to 3 % strain: comments, columns in any order, gaps."""
    folder = tmp_path_factory.mktemp("laws")
    potential = make_potential("stillinger-weber")
    crystal = make_crystal("diamond", "Si", lattice_constant(potential, "diamond", "Si"))
    samples = cauchy_born_samples(potential, crystal, 120, 0.03)
    at = {
        pair: "xyz".index(pair[0]) * 3 + "xyz".index(pair[1]) for pair in ("xx", "yy", "zz", "yz", "xz", "xy")
    }
    columns = {n: unmandel(samples.strain).reshape(-1, 9)[:, at[n[2:]]] for n in reversed(STRAINS)}
    columns |= {n: unmandel(samples.stress).reshape(-1, 9)[:, at[n[2:]]] / GPa for n in STRESSES[:-1]}
    rows = np.array(list(columns.values())).T.astype(str)
    rows[3, -1] = ""
    text = "\n".join(",".join(row) for row in rows)
    (folder / "table.csv").write_text(f"# by a friend\n{', '.join(columns)}\n{text}\n")
    (folder / "case.yaml").write_text(CASE)
    assert main([*fit(folder), "--elastic", "potential"]) == 0
    return folder


def fit(folder, table="table.csv"):
    files = ["--fit-law", str(folder / "law.safetensors"), "--fit-law-from", str(folder / table)]
    return ["material", "stillinger-weber", *files, "--json"]


def test_the_command_reads_a_table(folder, capsys):
    """The shear stress S_xy has no column: it follows from the symmetry of the crystal."""
    assert main([*fit(folder), "--elastic", "fitted"]) == 0
    found = json.loads(capsys.readouterr().out)
    for name, value in {"C11": 151.4, "C12": 76.4, "C44": 56.4}.items():  # Stillinger–Weber's
        assert found[name]["value"] == pytest.approx(value, rel=0.01)
    assert found["stress_error"]["value"] < 0.5
    main([*fit(folder), "--elastic", "potential"])


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("E_xx,E_yy\n0,0\n", [], "no column E_zz"),
        ("E_xx,S_11\n0,0\n", [], "unknown column 'S_11'"),
        (f"{','.join(STRAINS)},S_xx\n0,0,0,0,0,0,1\n0,0,0,0,0,zero,1\n", [], "row 2, E_xy: must be a number"),
        (f"{','.join(STRAINS)},S_xx\n0,0,0,0,0,0,1\n", [], "at least two rows"),
        (f"{','.join(STRAINS)},S_xx\n.01,0,0,0,0,0,1\n.02,0,0,0,0,0,2\n", ["--elastic", "fitted"], "do not determine"),
        ("", ["--elastic", "1,2"], "C11,C12,C44 in GPa, got 1,2"),
    ],
)  # fmt: skip
def test_a_table_that_is_none(folder, capsys, text, options, message):
    (folder / "bad.csv").write_text(text)
    table = "bad.csv" if text else "table.csv"
    assert main([*fit(folder, table), *options]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


def test_a_run_says_where_its_law_extrapolates(folder):
    """2.5 % strain is within the table, 5 % is not."""
    assert main(["run", str(folder / "case.yaml"), "-o", str(folder / "out")]) == 0
    result = read_result(folder / "out")
    assert result["results"]["elastic_mismatch"] < 1e-9
    assert result["steps"][0]["extrapolated_points"] == 0 < result["steps"][1]["extrapolated_points"]
    (warning,) = result["warnings"]
    assert warning["kind"] == "law" and warning["step"] == 2 and warning["points"] > 100
    assert "the law of the bulk extrapolates at" in (folder / "out" / "log.txt").read_text()


def test_a_run_says_that_its_bulk_is_of_another_stiffness(folder):
    other = ["continuum={law: neo-hookean, young: 130 GPa, poisson: 0.25}", "load.steps=1"]
    sets = [word for change in other for word in ("--set", change)]
    assert main(["run", str(folder / "case.yaml"), "-o", str(folder / "other"), *sets]) == 0
    assert 0.05 < read_result(folder / "other")["results"]["elastic_mismatch"] < 0.5
    assert (
        "the elastic constants of the bulk differ from the crystal's by"
        in (folder / "other" / "log.txt").read_text()
    )
