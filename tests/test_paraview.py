"""Files and script in ParaView, where `pvpython` is installed; elsewhere the names that the script uses."""

import json
import os
import runpy
import shutil
import subprocess
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import pyvista
from PIL import Image

from multiscale import Result
from multiscale.cli import main
from tests.mpi import run_ranks

ROOT = Path(__file__).parent.parent
VIEW = ROOT / "docs" / "paraview" / "view.py"
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
    """ParaView replaced by a recorder."""
    simple = MagicMock()
    reader = simple.PVDReader.return_value
    reader.GetDataInformation.return_value.GetBounds.return_value = (-9.0, 9.0, -9.0, 9.0, 0.0, 0.0)
    reader.PointData.__getitem__.return_value.GetRange.return_value = (0.0, 1.0)
    monkeypatch.setitem(sys.modules, "paraview", types.SimpleNamespace(simple=simple))
    monkeypatch.setitem(sys.modules, "paraview.simple", simple)
    monkeypatch.setattr(sys, "argv", ["view.py", str(run), "view.png"])
    script = runpy.run_path(str(VIEW))

    opened = [Path(call.kwargs["FileName"]).stem for call in simple.PVDReader.call_args_list]
    assert opened == ["fields", "atoms", "surface"]
    coloured = [call.args[1] for call in simple.ColorBy.call_args_list]
    fields = [script["MESH"]["stress_yy"], script["ATOMS"], script["SURFACE"]]
    assert coloured == [field[:2] for field in fields]
    moved = (*script["DISPLACEMENT"], 2)
    wanted = {
        "fields": [*script["MESH"].values(), (*script["CARRIES"], 0), moved],
        "atoms": [script["ATOMS"], moved],
        "surface": [script["SURFACE"]],
    }
    for name, arrays in wanted.items():
        found = pyvista.get_reader(str(run / f"{name}.pvd")).read()[0]
        for association, array, component, *_ in arrays:
            values = (found.point_data if association == "POINTS" else found.cell_data)[array]
            assert component < int(np.prod(values.shape[1:]))
    assert simple.SaveScreenshot.call_args.args[0] == "view.png"


READ = """
import json, sys
from paraview.simple import PVDReader
from paraview.servermanager import Fetch
found = {}
for name in ("fields", "atoms", "surface"):
    series = PVDReader(FileName=sys.argv[1] + "/" + name + ".pvd")
    series.UpdatePipeline()
    times = series.TimestepValues
    series.UpdatePipeline(max(times) if hasattr(times, "__len__") else times)
    arrays = {a.Name: [a.GetRange(c) for c in range(a.GetNumberOfComponents())] for a in series.PointData.values()}
    about = series.GetDataInformation()
    found[name] = {"cells": about.GetNumberOfCells(), "points": about.GetNumberOfPoints(), "arrays": arrays,
                   "times": list(times) if hasattr(times, "__len__") else [times]}
atoms = PVDReader(FileName=sys.argv[1] + "/atoms.pvd")
atoms.UpdatePipeline(found["atoms"]["times"][-1])
data = Fetch(atoms).GetPointData()
mask, energy = data.GetArray("mask"), data.GetArray("site_energy")
found["energy"] = sum(mask.GetValue(i) * energy.GetValue(i) for i in range(mask.GetNumberOfTuples()))
with open(sys.argv[2], "w") as file:
    json.dump(found, file)
"""


def pvpython(*arguments: object) -> None:
    """Debian's needs a screen, real or not."""
    program = shutil.which("pvpython")
    if program is None:
        pytest.skip("pvpython is not installed")
    screen = shutil.which("xvfb-run") if "DISPLAY" not in os.environ else None
    command = [*([screen, "-a"] if screen else []), program, *map(str, arguments)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_paraview_finds_what_the_run_says(run, tmp_path) -> None:
    (tmp_path / "read.py").write_text(READ)
    pvpython(tmp_path / "read.py", run, tmp_path / "found.json")
    found, result = json.loads((tmp_path / "found.json").read_text()), Result.load(run)
    counts, last = result.record["counts"], result.steps[-1]
    for name in ("fields", "atoms", "surface"):
        assert found[name]["times"] == [s["step"] for s in result.steps]
    assert found["fields"]["points"] == counts["mesh_nodes"]
    assert found["atoms"]["points"] == found["atoms"]["cells"] == counts["atoms"]
    assert found["energy"] == pytest.approx(last["energy"]["atomistic"], abs=1e-9)
    atoms, ranges = result.atoms(last["step"]), found["atoms"]["arrays"]
    for array in ("displacement", "force", "mask", "site_energy"):
        values = atoms.arrays[array].reshape(len(atoms), -1)
        whole = np.array(ranges[array])[: values.shape[1]]
        np.testing.assert_allclose(whole, np.stack([values.min(0), values.max(0)], axis=1), atol=1e-9)


@pytest.mark.parametrize("options", [[], ["field=displacement_y", "scale=3", "step=1"]])
def test_paraview_draws_the_view(run, tmp_path, options) -> None:
    pvpython(VIEW, run, tmp_path / "view.png", *options)
    picture = drawn(tmp_path / "view.png")
    if not options:
        assert (np.abs(picture.astype(int) - [5, 74, 54]).max(1) < 4).mean() > 0.002  # atoms of the core


def test_paraview_draws_what_two_ranks_wrote(run, tmp_path) -> None:
    """Several times, as its Threshold crashes on pieces only now and then."""
    if shutil.which("pvpython") is None:
        pytest.skip("pvpython is not installed")
    run_ranks(2, "multiscale", "run", run / "case.yaml", "-o", tmp_path / "two")
    for name in ("a.png", "b.png", "c.png"):
        pvpython(VIEW, tmp_path / "two", tmp_path / name)
        drawn(tmp_path / name)


def drawn(path: Path) -> np.ndarray:
    """Colours (pixels, 3) of a picture that is not empty."""
    picture = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    assert len(picture) == 1400 * 900
    assert len(np.unique(picture, axis=0)) > 500  # a view without mesh or legend has few
    return picture


def test_page_describes_the_arrays_of_the_files(run) -> None:
    page = (ROOT / "docs" / "paraview.md").read_text(encoding="utf-8")
    for name in ("fields", "atoms", "surface"):
        found = pyvista.get_reader(str(run / f"{name}.pvd")).read()[0]
        for array in [*found.point_data, *found.cell_data]:
            assert f"`{array}`" in page, f"{name}.pvd has {array}"
