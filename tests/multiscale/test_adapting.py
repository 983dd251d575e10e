"""The core follows a crack that runs: what is carried over, what it leaves behind, restart, ranks, bad input."""

import json
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest

from coupling.atoms import thickness
from coupling.continuation import continued
from coupling.cut import Cut
from coupling.solve import Settings, minimise
from multiscale.adapting import next_placement, remeshed
from multiscale.build import build, rebuilt
from multiscale.cli import main
from multiscale.config import load_case
from multiscale.placement import Placement
from multiscale.result import read_result
from multiscale.stepping import Stepper
from tests.mpi import COMM, run_ranks
from tests.multiscale.test_indent import CASE as INDENT

# Stillinger–Weber with twice its three-body strength cleaves (Hauch, Holland, Marder & Swinney, Phys. Rev. Lett. 82,
# 3823, 1999, doi:10.1103/PhysRevLett.82.3823).
CASE = """
title: a crack that runs
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber, parameters: {strength: 42}}
geometry: {shape: disc, radius: 8 nm, crack: {tip: [0.1 nm, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1.8 nm, adaptive: true}, blend: 0.9 nm}
load: {type: k-field, K: {from: 1.4, to: 1.8, steps: 5, unit: K_G}}
solver: {force_tolerance: 0.1 meV/Å}
output: {pictures: false}
"""
BOND = 3.3258
"""Å between two bonds along the crack, half a lattice period."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def case(folder) -> Path:
    path = folder / "crack.yaml"
    path.write_text(CASE)
    return path


@pytest.fixture(scope="module")
def sim(case):
    return build(load_case(case, ["load.K={from: 1.2, to: 1.2, steps: 1, unit: K_G}"]), COMM)


@pytest.fixture(scope="module")
def equilibrium(sim):
    stepper = Stepper.start(sim, 1e-6)
    return stepper, stepper.step().solution.energy


@pytest.fixture(scope="module")
def done(folder, case) -> Path:
    assert main(["run", str(case), "-o", str(folder / "done")]) == 0
    return folder / "done"


def _period(sim) -> float:
    return sim.material.crystal.period((1.0, 0.0, 0.0))


def test_a_model_made_anew_in_its_place_has_the_state_it_had(sim, equilibrium) -> None:
    stepper, energy = equilibrium
    new, q, _ = remeshed(sim, stepper.q, stepper.value, "a test", sim.placement, energy)
    assert new.scheme.energy_gradient(q, new.model.vector()).total == pytest.approx(energy.total, abs=1e-9)
    np.testing.assert_allclose(new.model.positions(q), sim.model.positions(stepper.q), atol=1e-12)


@pytest.mark.parametrize("periods", [2, -2])
def test_a_homogeneous_strain_is_carried_over_exactly(sim, periods) -> None:
    """Nodes in what was the core included, where only shifted sublattices tell the displacement."""
    gradient = np.array([[0.01, 0.02, 0.0], [-0.005, 0.03, 0.0], [0.004, -0.01, 0.0]])
    new = rebuilt(sim, sim.placement.shifted(periods * _period(sim))).model
    q = sim.model.unknowns(lambda x: x @ gradient.T)
    wanted = new.unknowns(lambda x: x @ gradient.T)
    got = continued(sim.model, q, new, lambda x: 0.0 * x)
    free = np.setdiff1d(np.arange(new.layout.n_local), new.fixed)
    np.testing.assert_allclose(got.array[free], wanted.array[free], atol=1e-7)
    assert np.abs(got.array[new.fixed]).max() == 0.0


def test_the_faces_of_the_new_slit_take_the_side_they_belong_to(sim) -> None:
    """An open crack whose tip has run to the middle of the new core: rigid halves, 1 Å apart."""
    tip = sim.material.tip[0] + 2.0 * _period(sim)
    new = rebuilt(sim, sim.placement.shifted(2.0 * _period(sim))).model

    def opened(x):
        u = np.zeros_like(x)
        u[:, 1] = np.where(x[:, 0] < tip, 0.5 * np.sign(x[:, 1]), 0.0)
        return u

    got = continued(sim.model, sim.model.unknowns(opened), new, lambda x: 0.0 * x, Cut((tip, 0.0)))
    face = (np.abs(new.nodes[:, 1]) < 1e-3) & (np.abs(new.nodes[:, 1]) > 1e-8) & (new.nodes[:, 0] > -30.0)
    u = got.array[new.layout.mesh].reshape(-1, 3)[face, 1]
    inside_old_core = new.nodes[face, 0] > -13.0
    assert inside_old_core.sum() >= 4
    np.testing.assert_allclose(u, 0.5 * np.sign(new.nodes[face, 1]), atol=1e-9)


def test_what_is_left_behind_is_the_energy_of_the_new_faces(sim, equilibrium) -> None:
    """Moved on by one period under a load at which the crack stays: the energy falls by 2γ of one period."""
    stepper, before = equilibrium
    placement = sim.placement.shifted(_period(sim))
    new, q, _ = remeshed(sim, stepper.q, stepper.value, "a test", placement, before)
    after = minimise(new.scheme, q, new.precondition, Settings(1e-6)).energy
    area = _period(sim) * thickness(sim.material.crystal, 2)
    assert before.total - after.total == pytest.approx(2.0 * sim.material.surface_energy * area, rel=5e-3)
    assert new.bonds.tip(new.model.positions(q)) == sim.bonds.tip(sim.model.positions(stepper.q))


def test_the_crack_runs_as_in_a_large_core(folder, case, done) -> None:
    out = folder / "large"
    fixed = "regions.core={shape: disc, center: tip, radius: 3.6 nm}"
    assert main(["run", str(case), "-o", str(out), "--set", fixed]) == 0
    small, large = read_result(done), read_result(out)
    assert small["results"]["K_plus"] == large["results"]["K_plus"]
    tips = np.array([[s["crack_tip"] for s in r["steps"]] for r in (small, large)])
    assert tips[0, -1] > 18.0  # farther than the first core reached
    assert np.abs(tips[0] - tips[1]).max() < 1.1 * BOND  # trapped a bond earlier or later
    gained = [r["steps"][-1]["energy"]["total"] - r["steps"][0]["energy"]["total"] for r in (small, large)]
    assert tips[0, 0] == tips[1, 0] and tips[0, -1] == tips[1, -1]
    assert gained[0] == pytest.approx(gained[1], abs=0.01 * large["steps"][-1]["energy"]["total"])
    assert small["counts"]["evaluated_sites"] < 0.5 * large["counts"]["evaluated_sites"]


def test_remeshings_are_recorded_and_drawn(done) -> None:
    result = read_result(done)
    assert result["remeshings"] and not result["warnings"]
    for row in result["remeshings"]:
        assert row["reason"] == "the crack" and row["bridges"] == 0
        assert row["energy_after"] < row["energy_before"]
    last = result["remeshings"][-1]
    assert abs(result["steps"][-1]["crack_tip"] - last["center"][0]) < 18.0
    assert result["counts"]["atoms"] == last["atoms"]
    frames = ase.io.read(done / "atoms.extxyz", index=":")
    middle = [f.positions[f.arrays["mask"] == 1.0, 0].mean() for f in (frames[0], frames[-1])]
    assert middle[1] - middle[0] == pytest.approx(last["center"][0] - 1.0, abs=1.0)


def test_a_run_that_has_moved_its_core_can_be_restarted(folder, case, done) -> None:
    """Killed in the step after the one that first moved the core."""
    import multiscale.stepping as stepping

    out, whole, moved = folder / "killed", stepping.minimise, read_result(done)["remeshings"][0]["step"]
    calls = []

    def dies(scheme, *args):
        calls.append(scheme)
        if len(set(map(id, calls))) > 1 and len(calls) > moved + 1 and calls[-1] is calls[-2]:
            raise KeyboardInterrupt
        return whole(scheme, *args)

    stepping.minimise = dies
    try:
        assert main(["run", str(case), "-o", str(out)]) == 130
    finally:
        stepping.minimise = whole
    cut = read_result(out)
    assert cut["remeshings"] and len(cut["steps"]) == moved
    assert main(["run", str(case), "-o", str(out), "--restart"]) == 0
    a, b = read_result(done), read_result(out)
    assert b["remeshings"] == a["remeshings"]
    for s, t in zip(a["steps"], b["steps"], strict=True):
        assert t["energy"]["total"] == pytest.approx(s["energy"]["total"], rel=1e-10)
        assert t["crack_tip"] == s["crack_tip"]


def test_two_ranks_move_the_core_alike(folder, case) -> None:
    short = ["--set", "load.K={from: 1.6, to: 1.6, steps: 1, unit: K_G}"]
    short += ["--set", "solver.force_tolerance=1 meV/Å", "--set", "regions.core.tolerance=0.017"]
    assert main(["run", str(case), "-o", str(folder / "one"), *short]) == 0
    run_ranks(2, "multiscale", "run", case, "-o", folder / "two", *short)
    alone, together = read_result(folder / "one"), read_result(folder / "two")
    assert alone["remeshings"]
    for a, b in zip(alone["remeshings"], together["remeshings"], strict=True):
        assert b["center"] == a["center"] and b["unknowns"] == a["unknowns"]
        assert b["energy_after"] == pytest.approx(a["energy_after"], rel=1e-7)
    assert [s["crack_tip"] for s in together["steps"]] == [s["crack_tip"] for s in alone["steps"]]


def test_a_crack_that_heals_takes_the_core_back(folder, case) -> None:
    out = folder / "back"
    back = "load.K={from: 1.2, to: 1.8, steps: 3, unit: K_G, return: true, return_to: 0.3}"
    assert main(["run", str(case), "-o", str(out), "--set", back]) == 0
    result = read_result(out)
    centres = [r["center"][0] for r in result["remeshings"]]
    assert max(centres) > 10.0 and centres[-1] == pytest.approx(1.0)
    assert result["steps"][-1]["crack_tip"] is None  # closed as far as the first core sees


def test_the_core_grows_until_the_tolerance_holds(folder, case, capsys) -> None:
    """Displacements near the tip against full atomistics: the error falls with the tolerance."""
    load = ["--set", "load.K={from: 1.0, to: 1.2, steps: 2, unit: K_G}"]
    reference, errors = folder / "reference", []
    assert main(["run", str(case), "-o", str(reference), *load, "--set", "coupling.scheme=atomistic"]) == 0
    for tolerance in (0.016, 0.008):
        out = folder / f"tolerance{tolerance}"
        assert (
            main(["run", str(case), "-o", str(out), *load, "--set", f"regions.core.tolerance={tolerance}"])
            == 0
        )
        result = read_result(out)
        assert all(s["indicator"] <= tolerance for s in result["steps"]) and not result["warnings"]
        errors.append(_near_tip(out, reference, capsys))
    assert len(result["remeshings"]) >= 2 and "indicator" in result["remeshings"][0]["reason"]
    assert errors[1] < 0.7 * errors[0]
    first, last = result["steps"][0]["energy"], result["steps"][-1]["energy"]
    whole = [s["energy"]["inside"] for s in read_result(reference)["steps"]]
    assert last["total"] - first["total"] == pytest.approx(
        whole[1] - whole[0], rel=3e-3
    )  # in spite of the faces


def _near_tip(out, reference, capsys) -> float:
    capsys.readouterr()
    assert main(["compare", str(out), str(reference), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["worst"]["near_tip_max"]


def test_a_committee_that_disagrees_in_the_blend_zone_moves_the_core(sim, equilibrium) -> None:
    """0.5 eV/Å on one atom at the outer edge of the blend zone is a strain of 0.5 / (‖C‖ Ω^⅔) = 0.04 there."""
    stepper, _ = equilibrium
    config = replace(sim.case.regions, core=replace(sim.case.regions.core, tolerance=0.03))
    atoms, near = sim.model.atoms, replace(sim, case=replace(sim.case, regions=config))
    outermost = np.where(
        atoms.weights > 0.0, np.linalg.norm(atoms.reference[:, :2] - sim.placement.centre, axis=1), 0
    )
    forces = np.where(np.arange(len(atoms)) == outermost.argmax(), 0.5, 0.0)
    assert next_placement(near, stepper.q, 0.0) is None
    unsure = replace(near, trust=replace(near.trust, spread=lambda positions: (forces, forces)))
    reason, wanted = next_placement(unsure, stepper.q, 0.0)
    assert wanted.extent[0] == pytest.approx(outermost.max()) and "indicator" in reason


def test_a_core_off_the_tip_is_centred_before_it_grows(sim, equilibrium) -> None:
    stepper, _ = equilibrium
    config = replace(sim.case.regions, core=replace(sim.case.regions.core, tolerance=1e-3))
    strict = replace(sim, case=replace(sim.case, regions=config))
    reason, wanted = next_placement(strict, stepper.q, 1.4 * _period(sim))
    assert wanted == sim.placement.shifted(_period(sim)) and "indicator" in reason
    _, wanted = next_placement(strict, stepper.q, -1.4 * _period(sim))  # never back behind its first place
    assert wanted.centre == sim.placement.centre
    assert wanted.extent[0] == pytest.approx(
        1.5 * sim.placement.extent[0]
    )  # all is above: as far as it may at once


def test_bonds_that_hold_behind_the_core_are_counted(sim, equilibrium) -> None:
    """The closed crystal: all of them."""
    stepper, energy = equilibrium
    placement = sim.placement.shifted(2.0 * _period(sim))
    back = placement.centre[0] - placement.extent[0]
    closed = remeshed(sim, sim.model.vector(), 0.0, "a test", placement, energy)[2]
    assert closed.bridges == (sim.bonds.x < back).sum() > 2
    assert remeshed(sim, stepper.q, stepper.value, "a test", placement, energy)[2].bridges == 0


def test_a_box_grows_on_the_sides_that_need_it() -> None:
    box = Placement((1.0, 0.0), (10.0, 6.0), None)
    grown = box.grown("box", np.array([[12.0, 0.0], [0.0, -4.0]]), 2.0, 1.0, 3.0)
    assert grown.extent == (13.0, 6.0) and grown.centre == (2.5, 0.0)  # to the right by at most 3
    grown = box.grown("box", np.array([[0.0, -5.5]]), 2.0, 1.0, 3.0)
    assert grown.extent == (10.0, 7.0) and grown.centre == (1.0, -0.5)  # downwards by at least 1


def test_an_indenter_stays_pressed_in_when_the_core_grows(folder) -> None:
    """Its force is that of a core which was made so large from the start."""
    forces, core = {}, "{shape: box, size: [2.6 nm, 2.6 nm]}"
    for name, other in {"small": core, "grown": core[:-1] + ", adaptive: true, tolerance: 0.002}"}.items():
        path = folder / f"indent_{name}.yaml"
        path.write_text(INDENT.replace(core, other))
        assert main(["run", str(path), "-o", str(folder / name)]) == 0
        forces[name] = read_result(folder / name)["steps"][-1]["force"]
    placed = read_result(folder / "grown")["remeshings"][-1]
    centre, size = placed["center"], placed["extent"]
    large = f"{{shape: box, center: {centre}, size: {size}}}"
    (folder / "indent_large.yaml").write_text(INDENT.replace(core, large))
    assert main(["run", str(folder / "indent_large.yaml"), "-o", str(folder / "indent_large")]) == 0
    forces["large"] = read_result(folder / "indent_large")["steps"][-1]["force"]
    assert forces["grown"] == pytest.approx(forces["large"], rel=1e-6)
    assert abs(forces["small"] / forces["large"] - 1.0) > 1e-3


def test_a_domain_that_ends_stops_the_core(folder, case, capsys) -> None:
    out = folder / "end"
    more = ["--set", "geometry.radius=5.6 nm", "--set", "load.K={from: 1.8, to: 2.2, steps: 2, unit: K_G}"]
    assert main(["run", str(case), "-o", str(out), *more]) == 0
    assert "its pad would leave the domain" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("regions.core.radius=1.2 nm", "regions.core.radius: an adaptive core must reach at least"),
        ("solver.path=arc-length", "regions.core.adaptive: must be false with solver.path arc-length"),
        ("continuum.mesh.file=a.msh", "regions.core.adaptive: must be false with continuum.mesh.file"),
        ("regions.core.tolerance=0", "regions.core.tolerance: must be positive, got 0"),
        (
            "regions.core={shape: disc, center: tip, radius: 2 nm, tolerance: 0.01}",
            "regions.core.tolerance: needs adaptive: true",
        ),
        ("regions.core.adaptive=1", "regions.core.adaptive: must be true or false"),
    ],
)
def test_wrong_input(override, message, case, capsys) -> None:
    assert main(["check", str(case), "--set", override]) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1


def test_the_atomistic_reference_of_an_adaptive_case_needs_no_core(case) -> None:
    found = build(load_case(case, ["coupling.scheme=atomistic", "geometry.radius=3 nm"]), COMM)
    assert found.placement is None and replace(found).model.bulk is None
