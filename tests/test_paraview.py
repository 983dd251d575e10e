"""The ParaView script against the names in the files of a run: ParaView itself is replaced by a recorder."""

import runpy
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import pyvista

from multiscale.cli import main

ROOT = Path(__file__).parent.parent
CASE = """
title: A cohesive beam of argon
crystal: {structure: fcc, symbol: Ar}
potential: {type: lennard-jones}
geometry: {shape: disc, radius: 6 nm, crack: {tip: [0.1 nm, 0.1 nm]}}
regions: {core: {shape: disc, center: tip, radius: 1 nm}, blend: 1.3 nm}
interface: {law: uber, grid: {openings: 6, sliding: 1 Å}}
load: {type: k-field, K: {from: 0.5, to: 0.5, steps: 1, unit: K_G}}
output: {pictures: false}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "case.yaml").write_text(CASE)
    assert main(["run", str(folder / "case.yaml"), "-o", str(folder / "out")]) == 0
    return folder / "out"


def test_script_names_arrays_that_the_files_have(run, monkeypatch) -> None:
    simple = MagicMock()
    monkeypatch.setitem(sys.modules, "paraview", types.SimpleNamespace(simple=simple))
    monkeypatch.setitem(sys.modules, "paraview.simple", simple)
    monkeypatch.setattr(sys, "argv", ["view.py", str(run), "view.png"])
    script = runpy.run_path(str(ROOT / "docs" / "paraview" / "view.py"))

    opened = [Path(call.kwargs["FileName"]).stem for call in simple.PVDReader.call_args_list]
    assert opened == ["fields", "atoms", "surface"]
    coloured = [call.args[1] for call in simple.ColorBy.call_args_list]
    assert coloured == [script["MESH"], script["ATOMS"], script["SURFACE"]]
    wanted = {
        "fields": [script["MESH"], script["CARRIES"]],
        "atoms": [script["ATOMS"]],
        "surface": [script["SURFACE"]],
    }
    components = {"stress": script["YY"], "opening": script["NORMAL"]}
    for name, arrays in wanted.items():
        found = pyvista.get_reader(str(run / f"{name}.pvd")).read()[0]
        for association, array in arrays:
            values = (found.point_data if association == "POINTS" else found.cell_data)[array]
            assert values.ndim == 1 or values.shape[1] > components[array]
    assert simple.SaveScreenshot.call_args.args[0] == "view.png"


def test_page_describes_the_arrays_of_the_files(run) -> None:
    page = (ROOT / "docs" / "paraview.md").read_text(encoding="utf-8")
    for name in ("fields", "atoms", "surface"):
        found = pyvista.get_reader(str(run / f"{name}.pvd")).read()[0]
        for array in [*found.point_data, *found.cell_data]:
            assert f"`{array}`" in page, f"{name}.pvd has {array}"
