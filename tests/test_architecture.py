"""Who may import whom, and how long a file may get."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("multiscale", "coupling", "nnp", "meshes")
LONGEST = 400


def test_imports_go_one_way():
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_files_hold_one_idea(package):
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in (ROOT / package).rglob("*.py")}
    assert lengths and not {str(p): n for p, n in lengths.items() if n >= LONGEST}


@pytest.mark.parametrize("package", ["coupling", "nnp", "meshes"])
def test_physics_names_no_communicator(package):
    named = [p for p in (ROOT / package).rglob("*.py") if "COMM_WORLD" in p.read_text(encoding="utf-8")]
    assert named == []
