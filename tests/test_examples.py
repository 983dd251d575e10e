"""The examples and the README's case do what they say."""

import re
from pathlib import Path

import pytest

from multiscale.cli import main
from multiscale.config import parse_case
from multiscale.result import read_result

ROOT = Path(__file__).parent.parent
CASES = sorted((ROOT / "examples" / "fracture").glob("silicon_c*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_first_step_of_an_example(case, tmp_path) -> None:
    override = ["--set", "load.K={from: 0.9, to: 0.9, steps: 1, unit: K_G}"]
    assert main(["run", str(case), "-o", str(tmp_path / "out"), *override]) == 0
    result = read_result(tmp_path / "out")
    step = result["steps"][0]
    assert step["converged"] and step["residual"] <= 1e-3
    # relaxed from the linear field by less than a hundredth of the elastic energy, but relaxed
    assert 0.0 < step["energy"]["predictor"] - step["energy"]["total"] < 0.1 * step["energy"]["total"]


ALL = sorted(p for kind in ("contact", "fracture") for p in (ROOT / "examples" / kind).glob("*.yaml"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_example_is_valid_and_explained(path) -> None:
    case = parse_case(path.read_text())
    pages = "".join(page.read_text() for page in path.parent.glob("*.md"))
    assert case.title and path.name in pages


def test_first_step_of_a_cylinder_on_silicon(tmp_path) -> None:
    case = ROOT / "examples" / "contact" / "silicon_cylinder.yaml"
    override = ["--set", "load.depth={from: 0.04 nm, to: 0.04 nm, steps: 1}"]
    assert main(["run", str(case), "-o", str(tmp_path / "out"), *override]) == 0
    step = read_result(tmp_path / "out")["steps"][0]
    assert step["converged"] and step["force_balance"] < 1e-7
    assert step["force"] == pytest.approx(1.72, rel=0.01)  # as in the README's picture


def test_readme_case_is_the_main_example() -> None:
    text = (ROOT / "README.md").read_text()
    shown = parse_case(re.search(r"```yaml\n(.*?)```", text, re.DOTALL).group(1))
    example = parse_case((ROOT / "examples" / "fracture" / "silicon_crack.yaml").read_text())
    assert shown == example


def test_pages_name_only_files_that_exist() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("examples/*/*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target and not target.startswith("generated/"):  # made when the site is built
                assert (page.parent / target).exists(), f"{page.name} names {target}"


@pytest.mark.parametrize(("name", "force"), [("tip_adhesion", -6.38), ("tip_sliding", -5.54)])
def test_a_tip_that_has_snapped_on(name, force, tmp_path) -> None:
    case = ROOT / "examples" / "contact" / f"{name}.yaml"
    override = ["--set", "load.path=[[0, 0.15 nm], [0, 0.1 nm]]"]
    assert main(["run", str(case), "-o", str(tmp_path / "out"), *override]) == 0
    apart, on = read_result(tmp_path / "out")["steps"]
    assert on["converged"] and abs(apart["force"]) < 1e-3 and on["force_balance"] < 1e-4
    assert on["force"] == pytest.approx(force, rel=0.01)  # as in the README's picture
