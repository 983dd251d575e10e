"""Whole runs of a small crack through the command line: files, restart, ranks, comparison, bad builds."""

import json
import shutil
from pathlib import Path

import ase.io
import numpy as np
import pytest
import pyvista

from meshes.box import box_mesh
from meshes.disc import graded_disc
from meshes.importing import write_mesh
from multiscale.build import make_material
from multiscale.cli import main
from multiscale.config import load_case
from multiscale.meshing import make_mesh_data
from multiscale.placement import Placement
from multiscale.result import read_result
from tests.mpi import run_ranks

CASE = """
title: small crack
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 6 nm, crack: {tip: [0.1 nm, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1.2 nm}, blend: 0.9 nm}
load: {type: k-field, K: {from: 0.9, to: 1.1, steps: 3, unit: K_G, return: true}}
solver: {force_tolerance: 0.01 meV/Å}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def case(folder) -> Path:
    path = folder / "crack.yaml"
    path.write_text(CASE)
    return path


@pytest.fixture(scope="module")
def done(folder, case) -> Path:
    assert main(["run", str(case), "-o", str(folder / "done")]) == 0
    return folder / "done"


def test_result_says_what_happened(done) -> None:
    result = read_result(done)
    assert result["status"] == "done"
    assert [s["K_over_K_G"] for s in result["steps"]] == pytest.approx([0.9, 1.0, 1.1, 1.0, 0.9])
    assert [s["turned"] for s in result["steps"]] == [False, False, False, True, True]
    for step in result["steps"]:
        assert step["converged"] and step["residual"] < 1e-5
        parts = step["energy"]
        assert parts["total"] == pytest.approx(parts["atomistic"] + parts["continuum"] + parts["correction"])
        assert parts["total"] < parts["predictor"]
    # Stillinger–Weber's K_G by an independent code
    assert result["results"]["K_G"] == pytest.approx(0.615, rel=5e-3)
    up, down = result["steps"][1]["energy"]["total"], result["steps"][3]["energy"]["total"]
    assert up == pytest.approx(down, abs=1e-5)  # below the snap the way back is the way forth


def test_paraview_reads_the_fields(done) -> None:
    mesh = pyvista.PVDReader(done / "fields.pvd")
    assert mesh.time_values == [1.0, 2.0, 3.0, 4.0, 5.0]
    mesh.set_active_time_value(3.0)
    grid = mesh.read()[0]
    assert grid.n_cells > 100 and {"stress", "strain", "fraction", "energy_density"} <= set(grid.cell_data)
    assert np.isfinite(grid.cell_data["stress"]).all()
    ahead = np.linalg.norm(grid.cell_centers().points[:, :2] - [30.0, 0.0], axis=1).argmin()
    stress = grid.cell_data["stress"].reshape(-1, 3, 3)[ahead]
    assert 2.0 < stress[1, 1] < 12.0  # K_I / √(2πr) at 3 nm is 4.9 GPa
    rim = grid.points[
        np.linalg.norm(grid.points[:, :2] - grid.point_data["displacement"][:, :2], axis=1) > 59.9
    ]
    assert len(rim) > 10


def test_atoms_are_the_same_in_both_files(done) -> None:
    reader = pyvista.PVDReader(done / "atoms.pvd")
    reader.set_active_time_value(2.0)
    points = reader.read()[0]
    atoms = ase.io.read(done / "atoms.extxyz", index=1)
    assert len(atoms) == points.n_points == read_result(done)["counts"]["atoms"]
    for name in ("displacement", "force", "site_energy", "mask"):
        np.testing.assert_allclose(points.point_data[name], atoms.arrays[name], atol=1e-9)
    free = atoms.arrays["free"] == 1
    core = free & (atoms.arrays["mask"] == 1.0)
    inner = np.linalg.norm(atoms.positions[:, :2], axis=1) < 5.0
    assert np.abs(atoms.arrays["force"][core & inner]).max() < 2e-5  # in equilibrium
    assert atoms.arrays["site_energy"][~(atoms.arrays["mask"] > 0)].max() == 0.0


def test_pictures_and_resolved_case_are_there(done, case) -> None:
    for name in ("regions.png", "site_energy.png", "history.png"):
        assert (done / name).read_bytes()[:4] == b"\x89PNG"
    text = (done / "case.yaml").read_text()
    assert "force_tolerance" in text and "elastic-series" in text
    again = main(["check", str(done / "case.yaml")])
    assert again == 0


def test_a_killed_run_goes_on_to_the_same_end(folder, case, done) -> None:
    """Cut a finished run back to its second step, as a kill would leave it, and restart."""
    out = folder / "killed"
    assert main(["run", str(case), "-o", str(out), "--set", "load.K.steps=3"]) == 0
    _stop_after(out, case, steps=2)
    assert main(["run", str(case), "-o", str(out), "--restart"]) == 0
    whole, resumed = read_result(done), read_result(out)
    assert [s["energy"] for s in resumed["steps"]] == [s["energy"] for s in whole["steps"]]
    a, b = (ase.io.read(p / "atoms.extxyz", index=":") for p in (done, out))
    assert len(a) == len(b) == 5
    np.testing.assert_array_equal(a[-1].positions, b[-1].positions)


def _stop_after(out: Path, case: Path, steps: int) -> None:
    """Run anew and raise in the middle of step `steps` + 1."""
    import multiscale.stepping as stepping

    shutil.rmtree(out)
    whole, calls = stepping.minimise, []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) > steps:
            raise KeyboardInterrupt
        return whole(*args, **kwargs)

    stepping.minimise = dies
    try:
        assert main(["run", str(case), "-o", str(out)]) == 130
    finally:
        stepping.minimise = whole


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_do_not_change_the_answer(ranks, folder, case, done) -> None:
    out = folder / f"ranks{ranks}"
    run_ranks(ranks, "multiscale", "run", case, "-o", out)
    alone, together = read_result(done), read_result(out)
    for a, b in zip(alone["steps"], together["steps"], strict=True):
        assert b["energy"]["total"] == pytest.approx(a["energy"]["total"], rel=1e-9)
        assert b["crack_tip"] == a["crack_tip"]
    grids = []
    for path in (done, out):
        reader = pyvista.PVDReader(path / "fields.pvd")
        reader.set_active_time_value(5.0)
        grids.append(reader.read()[0])
    assert grids[0].n_cells == grids[1].n_cells


def test_coupled_run_agrees_with_full_atomistics(folder, case, done, capsys) -> None:
    reference = folder / "atomistic"
    assert main(["run", str(case), "-o", str(reference), "--set", "coupling.scheme=atomistic"]) == 0
    capsys.readouterr()
    assert main(["compare", str(done), str(reference), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["worst"]["near_tip_relative"] < 0.01
    assert len(found["steps"]) == 5
    for step in found["steps"][1:3]:
        assert step["energy"]["relative"] < 0.03


def test_a_mesh_from_a_file_gives_the_same_run(folder, case, done, capsys) -> None:
    """The program's own mesh through a gmsh file; a mesh without the crack, or of balls, is refused."""
    config = load_case(case)
    material = make_material(config)
    mesh = make_mesh_data(config, material.crystal, Placement.of(config).mask(config))
    write_mesh(folder / "crack.msh", mesh)
    out = folder / "imported"
    assert (
        main(["run", str(case), "-o", str(out), "--set", f"continuum.mesh.file={folder / 'crack.msh'}"]) == 0
    )
    for a, b in zip(read_result(done)["steps"], read_result(out)["steps"], strict=True):
        assert b["energy"]["total"] == pytest.approx(a["energy"]["total"], rel=1e-9)
    write_mesh(folder / "whole.msh", graded_disc(60.0))
    write_mesh(folder / "solid.msh", box_mesh((0, 0, 0), (9, 9, 9), (2, 2, 2)))
    for name, message in (
        ("whole", "lacks the boundary crack_upper and crack_lower"),
        ("solid", "in 3 dimensions"),
    ):
        override = f"continuum.mesh.file={folder / name}.msh"
        assert main(["check", str(case), "--set", override]) == 2
        assert message in capsys.readouterr().err


def test_not_converged_keeps_results_and_says_so(folder, case) -> None:
    out = folder / "short"
    assert main(["run", str(case), "-o", str(out), "--set", "solver.max_iterations=1"]) == 3
    result = read_result(out)
    assert result["status"] == "not-converged" and not result["steps"][-1]["converged"]
    assert (out / "fields.pvd").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("geometry.radius=2.8 nm", "geometry.radius: the pad leaves the mesh"),
        ("regions.blend=0.5 nm", "regions.blend: must be at least 3 lattice spacings"),
        ("crystal.symbol=Ge", "crystal.symbol: the potential knows Si, not Ge"),
        ("potential={type: nnp, model: nothing}", "potential"),
        (
            "potential.parameters={epsilom: 1}",
            "potential.parameters.epsilom: potential 'stillinger-weber' has no parameter 'epsilom'",
        ),
        (
            "crystal.orientation={x: [1, 2, 3], y: [3, 0, -1], z: [-2, 10, -6]}",
            "crystal.orientation: the crystal has no short period",
        ),
    ],
)
def test_wrong_input_found_while_building(override, message, folder, case, capsys) -> None:
    out = folder / "wrong"
    assert main(["run", str(case), "-o", str(out), "--set", override]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error and len(error.splitlines()) == 1
    assert not out.exists()


def test_a_bulk_strained_beyond_its_law_is_said(folder, case, capsys) -> None:
    """K_I large enough to strain the mesh by more than the elastic series was made from."""
    far = "load.K={from: 3.5, to: 3.5, steps: 1, unit: K_G}"
    main(["run", str(case), "-o", str(folder / "far"), "--set", far, "--set", "solver.max_iterations=3"])
    assert "times what it was made from: enlarge the core" in capsys.readouterr().out
