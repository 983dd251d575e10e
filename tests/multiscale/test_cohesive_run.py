"""A crack that leaves the atoms and runs on in the mesh, as a cohesive surface derived from the potential."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import pyvista

import multiscale.stepping as stepping
from multiscale.build import build
from multiscale.cli import main
from multiscale.config import parse_case
from multiscale.energy_release import Ring, energy_release
from multiscale.result import read_result
from multiscale.stepping import Stepper
from tests.mpi import COMM, run_ranks

# Lennard-Jones fcc cleaves on (001) with hardly any lattice trapping: 2γ is what the crack needs all along its way.
CASE = """
title: crack through the core and on
crystal: {structure: fcc, symbol: Ar, orientation: {x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1]}}
potential: {type: lennard-jones, parameters: {epsilon: 0.1, sigma: 2.4, cutoff: 6.0, symbol: Ar}}
geometry: {shape: disc, radius: 13 nm, crack: {tip: [-0.9 nm, 0], plane: y}}
regions: {core: {shape: disc, center: origin, radius: 1.2 nm}, blend: 0.9 nm}
continuum: {mesh: {interface_h: 2 Å, interface_length: 6 nm}}
interface: {law: derive, irreversible: true, grid: {openings: 16, sliding: 0.6 Å}}
load: {type: k-field, mode: I, K: {from: 1.05, to: 1.5, steps: 3, unit: K_G, return: true, return_to: 1.2}}
output: {pictures: false, atoms: false}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cohesive")


@pytest.fixture(scope="module")
def case(folder) -> Path:
    path = folder / "crack.yaml"
    path.write_text(CASE)
    return path


@pytest.fixture(scope="module")
def done(folder, case) -> Path:
    assert main(["run", str(case), "-o", str(folder / "done")]) == 0
    return folder / "done"


def surface_at(folder: Path, step: int) -> pyvista.DataSet:
    reader = pyvista.PVDReader(folder / "surface.pvd")
    reader.set_active_time_value(float(step))
    return reader.read()[0]


def test_the_crack_needs_the_surface_energy_in_the_core_and_on_the_mesh(done) -> None:
    result = read_result(done)
    up = [s for s in result["steps"] if not s["turned"]]
    tips = [s["crack_tip"] for s in up]
    assert -9.0 < tips[0] < 5.0 and 12.0 < tips[1] < 30.0 and tips[2] > 35.0  # core, blend, mesh
    griffith = 2.0 * result["results"]["surface_energy"]
    core, blend, mesh = np.array([s["energy_release_rate"] for s in up]) / griffith
    assert [core, mesh] == pytest.approx([1.0, 1.0], abs=0.025) and abs(mesh - core) < 0.03
    assert 0.95 < blend < 1.08  # atoms that follow the mesh hold on a little longer
    assert result["results"]["work_of_adhesion"] == pytest.approx(griffith, rel=1e-3)


def test_what_has_opened_stays_broken_and_what_is_lost_only_grows(done) -> None:
    steps = read_result(done)["steps"]
    lost = [s["energy"]["dissipated"] for s in steps]
    assert np.all(np.diff(lost) >= 0.0) and lost[2] > 5.0
    assert [s["crack_tip"] for s in steps[3:]] == [steps[2]["crack_tip"]] * (len(steps) - 3)
    for s in steps:
        assert lost[0] == 0.0 and s["energy"]["dissipated"] <= s["energy"]["interface"]


def test_paraview_reads_opening_traction_and_damage(done) -> None:
    top, last = surface_at(done, 3), surface_at(done, 4)
    tip = read_result(done)["steps"][2]["crack_tip"]
    ahead, share = top.points[:, 0] > tip + 15.0, top.point_data["share"] == 1.0
    open_ = (top.points[:, 0] < tip - 5.0) & share
    assert open_.sum() > 5 and ahead.sum() > 10
    opening, traction, damage = (top.point_data[k] for k in ("opening", "traction", "damage"))
    assert opening[open_, 0].min() > 1.0 > 0.2 > opening[ahead, 0].max()
    assert 9.0 < traction[:, 0].max() < 10.5 and damage[ahead].max() == 0.0  # GPa; the law's peak is 10.45
    assert damage[open_].min() > 0.4 and damage.max() < 1.01
    np.testing.assert_allclose(last.point_data["damage"], damage, atol=1e-12)
    assert last.point_data["opening"][open_, 0].max() < opening[open_, 0].max()


def test_a_killed_run_goes_on_with_its_damage(folder, case, done, monkeypatch) -> None:
    out, whole, calls = folder / "killed", stepping.minimise, []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return whole(*args, **kwargs)

    shutil.rmtree(out, ignore_errors=True)
    with monkeypatch.context() as patch:
        patch.setattr(stepping, "minimise", dies)
        assert main(["run", str(case), "-o", str(out)]) == 130
    assert main(["run", str(case), "-o", str(out), "--restart"]) == 0
    a, b = read_result(done)["steps"], read_result(out)["steps"]
    assert [s["energy"] for s in a] == [s["energy"] for s in b]
    np.testing.assert_array_equal(*(surface_at(path, len(a)).point_data["damage"] for path in (done, out)))


SMALL = (
    CASE.replace("radius: 13 nm, crack: {tip: [-0.9 nm, 0]", "radius: 8 nm, crack: {tip: [0.1 nm, 0]")
    .replace("interface_length: 6 nm", "interface_length: 4 nm")
    .replace(", irreversible: true", "")
)


def test_two_ranks_give_the_same_answer(folder) -> None:
    path, load = folder / "small.yaml", "K: {from: 1.1, to: 1.1, steps: 1, unit: K_G}}"
    path.write_text(SMALL[: SMALL.index("K: {")] + load + "\noutput: {pictures: false, atoms: false}\n")
    assert main(["run", str(path), "-o", str(folder / "one")]) == 0
    run_ranks(2, "multiscale", "run", path, "-o", folder / "two")
    (a,), (b,) = (read_result(folder / name)["steps"] for name in ("one", "two"))
    assert b["crack_tip"] == a["crack_tip"] and a["energy"]["interface"] > 0.005
    for part in ("total", "interface"):
        assert b["energy"][part] == pytest.approx(a["energy"][part], rel=1e-5, abs=1e-6)
    assert b["energy_release_rate"] == pytest.approx(a["energy_release_rate"], rel=1e-5)
    assert surface_at(folder / "one", 1).n_cells == surface_at(folder / "two", 1).n_cells


def test_the_release_rate_is_that_of_the_k_field_whatever_the_ring() -> None:
    sim = build(parse_case(SMALL), COMM)
    stepper = Stepper.start(sim)
    q = sim.model.unknowns(sim.load.field(0.3 * sim.material.griffith))
    stepper.q = q
    rings = [Ring(np.zeros(2), a, b) for a, b in ((32.0, 50.0), (45.0, 60.0), (40.0, 78.0))]
    found = [energy_release(sim.model, q, ring, sim.interface) for ring in rings]
    assert found == pytest.approx([0.09 * 2.0 * sim.material.surface_energy] * 3, rel=0.02)


@pytest.mark.parametrize(
    "gradient", [[[0, 0, 0], [0, 0.002, 0], [0, 0, 0]], [[0, 0.002, 0], [0, 0, 0], [0, 0, 0]]]
)
def test_a_uniform_strain_opens_the_closed_surface_by_its_compliance_alone(gradient) -> None:
    H = np.array(gradient, float)
    text = SMALL[: SMALL.index("load:")].replace("interface: {", "interface: {where: plane, ")
    load = f"load: {{type: strain, gradient: {gradient}}}\nsolver: {{force_tolerance: 0.01 meV/Å}}\n"
    sim = build(parse_case(text + load + "coupling: {scheme: bqcf}\n"), COMM)
    stepper = Stepper.start(sim)
    step = stepper.step()
    assert step is not None and step.solution.converged and sim.interface is not None
    T = np.einsum("ijkl,kl->ij", sim.material.elastic, H)[:, 1][[1, 0, 2]]
    left = np.linalg.solve(sim.interface.law(np.zeros((1, 3))).stiffness[0], T)
    faces = sim.interface.faces
    free = (faces.share == 1.0) & (np.abs(faces.points[:, 0]) < 79.0)  # the circle itself is held
    opening = faces.opening(stepper.q)[free, :2]
    np.testing.assert_allclose(opening, np.tile(left[:2], (len(opening), 1)), atol=0.2 * np.abs(left).max())
    exact = sim.model.unknowns(lambda x: x @ H.T)
    assert np.abs(stepper.q.array - exact.array).max() < 0.75 * np.abs(left).max()
