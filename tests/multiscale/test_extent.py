"""The domain's radius where the case leaves it out."""

import json

import pytest

from multiscale.cli import main
from multiscale.config import InputError, parse_case
from multiscale.extent import chosen_radius

CASE = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, crack: {tip: [0, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1.2 nm}, blend: 0.9 nm}
load: {type: k-field, mode: I, K: {from: 0.7, to: 1.4, steps: 15, unit: MPa*sqrt(m)}}
"""
BOND = 3**0.5 / 4 * 5.431


def test_it_grows_with_the_square_of_the_regions() -> None:
    """8 (12 + 9)² / 2.352 Å, and four times that with both doubled; never less than half as much again as the pad."""
    case = parse_case(CASE)
    twice = parse_case(CASE, ["regions.core.radius=2.4 nm", "regions.blend=1.8 nm"])
    assert chosen_radius(case, 5.431, 10.0) == pytest.approx(8 * 21.0**2 / BOND, rel=1e-2)
    assert chosen_radius(twice, 5.431, 10.0) == pytest.approx(8 * 42.0**2 / BOND, rel=1e-2)
    assert chosen_radius(case, 5.431, 2000.0) == pytest.approx(1.5 * 2021.0, rel=1e-2)


def test_it_reaches_as_far_around_a_tip_off_the_centre() -> None:
    off = parse_case(CASE, ["geometry.crack.tip=[5 nm, 0]"])
    assert chosen_radius(off, 5.431, 10.0) == pytest.approx(50.0 + 8 * 21.0**2 / BOND, rel=1e-2)


def test_check_shows_it_and_the_resolved_case_has_it(tmp_path, capsys) -> None:
    (tmp_path / "case.yaml").write_text(CASE)
    assert main(["check", str(tmp_path / "case.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["domain radius"] == {"value": 151.0, "unit": "nm"}
    more = ["--set", "load.K={from: 0.5, to: 0.5, steps: 1}", "--set", "output.pictures=false"]
    assert main(["run", str(tmp_path / "case.yaml"), "-o", str(tmp_path / "out"), *more]) == 0
    assert "radius: 151 nm" in (tmp_path / "out" / "case.yaml").read_text()


def test_without_regions_it_must_be_given() -> None:
    text = "\n".join(line for line in CASE.splitlines() if not line.startswith("regions"))
    with pytest.raises(InputError, match="radius"):
        chosen_radius(parse_case(text, ["coupling.scheme=atomistic"]), 5.431, 10.0)
