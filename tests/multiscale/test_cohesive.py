"""`multiscale cohesive` and law files."""

import csv
import json

import numpy as np
import pytest
from matplotlib.image import imread

from coupling.cohesive import LAWS, Derived
from multiscale.cli import main
from multiscale.config import InputError
from multiscale.law_file import read_law, write_law
from tests.cohesive.test_cohesive_laws import EXAMPLES

CASE = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 10 nm, crack: {tip: [0, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 2 nm}, blend: 1 nm}
interface: {law: derive, grid: {openings: 20, sliding: 0.5}}
load: {type: k-field, mode: I, K: {from: 0.8, to: 1.5, steps: 8, unit: K_G}}
"""


@pytest.fixture
def case(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.yaml").write_text(CASE)
    return tmp_path


@pytest.mark.parametrize("name", sorted(LAWS))
def test_a_law_file_is_the_law(tmp_path, name):
    law = EXAMPLES[name]
    write_law(law, tmp_path / "law.json", {"title": "made up"})
    again, header = read_law(tmp_path / "law.json")
    assert header == {"title": "made up"} and type(again) is type(law)
    δ = np.random.default_rng(0).uniform(-0.5, 3.0, (30, 3))
    assert np.allclose(again(δ).energy, law(δ).energy, atol=1e-11)
    assert np.allclose(again(δ).stiffness, law(δ).stiffness, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"version": 7}, "has version 7, this program reads version 1"),
        ({"format": "other"}, "is no law file"),
        ({"units": {"length": "nm"}}, "units: must be Å"),
        ({"law": "cubic"}, "law: must be one of derive, ppr, uber, xu-needleman"),
        ({"length": "long"}, "length: must be numbers"),
        ({"length": [1.0, 2.0]}, "length: must be one number"),
        ({"width": 1.0}, "width: is unknown"),
        ({"work": -0.2}, "work: the law must hold something together"),
        (
            {"contact": {"vectors": [[1.0, 0.0]], "cosine": [1.0, 2.0], "sine": [0.0, 0.0]}},
            "contact: vectors",
        ),
        ({"contact": {"vectors": [], "cosine": []}}, "contact.sine: is missing"),
        ({"length": None}, "length: must be"),
    ],
)
def test_a_damaged_law_file_says_where(tmp_path, change, said):
    write_law(EXAMPLES["uber"], tmp_path / "law.json", {})
    data = json.loads((tmp_path / "law.json").read_text()) | change
    (tmp_path / "law.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"^interface\.law: .*law\.json") as caught:
        read_law(tmp_path / "law.json")
    assert said in str(caught.value)


def test_a_damaged_table_says_where(tmp_path):
    write_law(EXAMPLES["derive"], tmp_path / "law.json", {})
    data = json.loads((tmp_path / "law.json").read_text())
    data["table"]["energy"] = data["table"]["energy"][1:]
    (tmp_path / "law.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"table\.energy: must have"):
        read_law(tmp_path / "law.json")
    for content in ("no json", "[]"):
        (tmp_path / "law.json").write_text(content)
        with pytest.raises(InputError, match=r"law\.json is no"):
            read_law(tmp_path / "law.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_law(tmp_path / "none.json")


def test_the_command_writes_law_table_and_picture(case, capsys):
    assert main(["cohesive", "case.yaml", "-o", "out", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    found = said["figures"]
    assert found["work_of_adhesion"]["value"] == pytest.approx(2.71, rel=0.01)  # published, as the peak
    assert found["peak_traction"]["value"] == pytest.approx(36.1, rel=0.01)
    assert found["peak_opening"]["value"] == pytest.approx(0.6, abs=0.05)
    assert said["warnings"] == [] and said["source"]["normal"] == [1.0, 1.0, 1.0]
    assert set(found["sliding"]["straight"]) == {"a/2[1-10]", "a/2[10-1]", "a/2[01-1]"}
    law, header = read_law("out/law.json")
    assert isinstance(law, Derived) and header["checks"]["loop"] < 1e-10
    with open("out/table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == law.table.energy.size
    assert float(rows[-1]["energy_J_per_m2"]) == pytest.approx(found["work_of_adhesion"]["value"], rel=1e-6)
    assert (case / "out" / "law.png").stat().st_size > 20_000


@pytest.mark.parametrize("law", ["derive", "uber"])
def test_the_picture_is_drawn_again_from_the_files(case, capsys, law):
    """Of a fitted law too, whose file has neither the potential's points nor, but in its source, periods of sliding."""
    assert main(["cohesive", "case.yaml", "--law", law, "-o", "out"]) == 0
    path = case / "out" / "law.png"
    first = imread(path)
    path.unlink()
    capsys.readouterr()
    assert main(["plot", "out"]) == 0 and capsys.readouterr().out == "out/law.png\n"
    assert np.array_equal(imread(path), first)
    (case / "out" / "table.csv").unlink()
    assert main(["plot", "out"]) == 0
    assert np.array_equal(imread(path), first) == (law == "derive")  # whose file has the points


def test_sliding_with_atoms_that_relax_costs_less(case, capsys):
    assert main(["cohesive", "case.yaml", "-o", "out", "--json", "--relax"]) == 0
    sliding = json.loads(capsys.readouterr().out)["figures"]["sliding"]
    (name,) = sliding["straight_relaxed"]
    relaxed, rigid = sliding["straight_relaxed"][name]["value"], sliding["straight"][name]["value"]
    assert 0.5 * rigid < relaxed < rigid


def test_a_fit_that_is_far_off_is_said_and_its_file_can_be_looked_at(case, capsys):
    assert main(["cohesive", "case.yaml", "--law", "uber", "-o", "out"]) == 0
    assert "warning: the fit is off by 2" in capsys.readouterr().out
    assert main(["cohesive", "case.yaml", "--law", "out/law.json"]) == 0
    assert "work of adhesion" in capsys.readouterr().out
    assert sorted(p.name for p in case.iterdir()) == ["case.yaml", "out"]


TURNED = "orientation={x: [-1, -1, 2], y: [1, 1, 1], z: [-1, 1, 0]}"


def test_another_crystal_above_the_plane(case, capsys):
    """A twin costs nothing where third neighbours are out of reach, so it holds as the crystal does; a body with a
    larger lattice is strained as is said."""
    upper = [
        "--set",
        "interface.upper={structure: diamond, symbol: Si}",
        "--set",
        f"interface.upper.{TURNED}",
    ]
    quick = [
        "--json",
        "-o",
        "out",
        "--set",
        "interface.surfaces=rigid",
        "--set",
        "interface.grid.openings=12",
    ]
    assert main(["cohesive", "case.yaml", *upper, *quick]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["figures"]["work_of_adhesion"]["value"] == pytest.approx(2.7198, rel=1e-3)
    assert said["source"]["upper"]["orientation"]["x"] == [-1, -1, 2]
    assert "strain_of_upper_body" not in said["errors"]
    larger = ["--set", "interface.upper.a=5.48 Å"]
    assert main(["cohesive", "case.yaml", *upper, *larger, *quick]) == 0
    strain = json.loads(capsys.readouterr().out)["errors"]["strain_of_upper_body"]
    assert strain["value"] == pytest.approx(100.0 * (1.0 - 5.43095 / 5.48), rel=1e-3)


@pytest.mark.parametrize(
    "more, said",
    [
        (["--law", "ubre"], "--law: must be one of derive, uber, xu-needleman, ppr"),
        (["--law", "none.json"], "--law: none.json cannot be read"),
        (
            ["--set", "interface.upper={structure: diamond, symbol: Sj}"],
            "interface.upper.symbol: 'Sj' is no chemical",
        ),
        (
            ["--set", "interface.upper={structure: diamond, symbol: Ge}"],
            "interface.upper.symbol: the potential knows",
        ),
        (
            ["--set", "interface.upper={structure: diamond, symbol: Si}"],
            "interface.surfaces: must be rigid with interface.upper",
        ),
        (
            [
                "--set",
                "interface.upper={structure: diamond, symbol: Si, a: 5.6 Å}",
                "--set",
                f"interface.upper.{TURNED}",
            ],
            "interface.law: the two bodies have no common period within a strain of 1 %",
        ),
        (["--law", "some.json", "--relax"], "--relax: needs one crystal, and no law file"),
        (["--set", "interface.grid.openings=2"], "interface.grid.openings: must be at least 6, got 2"),
        (["--set", "interface.grid.sliding=-1"], "interface.grid.sliding: must be positive"),
    ],
)
def test_wrong_input_ends_in_one_message(case, capsys, more, said):
    if "rigid" not in said and "upper" in more[1]:
        more = [*more, "--set", "interface.surfaces=rigid"]
    assert main(["cohesive", "case.yaml", *more]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
