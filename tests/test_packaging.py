"""What the program needs is listed in one place; the lists for conda follow it."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
CONDA = {
    "gmsh": "python-gmsh",
    "matplotlib": "matplotlib-base",
    "torch": "pytorch-cpu",
    "vesin": "python-vesin",
}


def name(requirement):
    return re.split(r"[ <>=!~\[;]", requirement)[0]


def test_the_conda_environment_has_every_requirement():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    missing = {CONDA.get(name(r), name(r)) for r in wanted} - {name(r) for r in listed}
    assert not missing


def test_only_compat_looks_at_a_version():
    looks = re.compile(
        r"(dolfinx|ufl|basix|petsc4py|numpy|np|torch|MPI)\.(__version__|VERSION\b)|sys\.version_info"
    )
    files = [
        p for package in ("multiscale", "coupling", "nnp", "meshes") for p in (ROOT / package).rglob("*.py")
    ]
    found = [p.relative_to(ROOT) for p in files if looks.search(p.read_text(encoding="utf-8"))]
    assert found == [Path("multiscale/continuum/compat.py")]
