"""Benchmarks start, have a quick form, and the one of the main claim holds in it."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"
SCRIPTS = sorted(p for p in FOLDER.glob("*.py") if "argparse" in p.read_text())


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_every_benchmark_starts_and_has_a_quick_form(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [script.name, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    assert end.value.code == 0 and "--quick" in capsys.readouterr().out


def test_the_coupled_crack_costs_a_tenth_at_one_percent(monkeypatch, tmp_path, capsys):
    import efficiency

    monkeypatch.setattr(efficiency, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["efficiency.py", "--quick"])
    efficiency.main()
    (disc,) = json.loads((tmp_path / "efficiency_quick.json").read_text())["discs"]
    (coupled,) = disc["coupled"]
    assert coupled["error"] < 0.01
    assert disc["atomistic"]["site_evaluations"] > 10 * coupled["site_evaluations"]
    assert "times fewer site energies" in capsys.readouterr().out
