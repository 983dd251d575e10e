"""A tip over a block: derivatives of the gap's law, bodies apart, balance of forces, the atomistic run, ranks, wrong
input."""

# ruff: noqa: E501 (a row of a table is one line)

import json
from typing import Any

import numpy as np
import pytest

from coupling.gap import Gap
from multiscale.build import Simulation, build
from multiscale.cli import main
from multiscale.config import parse_case
from multiscale.stepping import Stepper
from multiscale.tip_record import dissipation, tip_row
from tests.mpi import COMM, largest, run_ranks, total

CASE = """
crystal: {structure: fcc, symbol: Ar, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: lennard-jones, parameters: {epsilon: 0.1, sigma: 2.4, cutoff: 5.0}}
geometry: {shape: tip, size: [9 nm, 5 nm], tip: {radius: 4 nm}}
regions: {core: {shape: box, size: [3.4 nm, 3 nm]}, blend: 0.81 nm}
load:
  type: tip
  path: [[0, 0.03 nm], [0, 0]]
  step: 0.01 nm
solver: {force_tolerance: 0.1 meV/Å}
"""
LAW = (
    CASE.replace("size: [3.4 nm, 3 nm]", "size: [2 nm, 3 nm]")
    + "interface: {law: derive, surfaces: rigid, compliance: keep}\n"
)


def built(text: str = CASE) -> Simulation:
    return build(parse_case(text), COMM)


def marched(sim: Simulation) -> list[dict[str, Any]]:
    stepper, rows = Stepper.start(sim), []
    while (step := stepper.step()) is not None:
        assert step.solution.converged
        rows.append(tip_row(sim, stepper.q, step.value) | {"energy": {"total": step.solution.energy.total}})
    return rows


@pytest.fixture(scope="module")
def coupled() -> tuple[Simulation, list[dict[str, Any]]]:
    sim = built()
    return sim, marched(sim)


def moved(sim: Simulation, u: list[float], noise: float = 0.0, seed: int = 1) -> Any:
    q = sim.model.unknowns(lambda x: np.where(x[:, 1:2] > 1e-6, u, 0.0))
    q.array[:] += noise * np.random.default_rng(seed).normal(size=q.getLocalSize())
    return q


@pytest.fixture(scope="module")
def with_law() -> Simulation:
    return built(LAW)


def gap_of(sim: Simulation) -> Gap:
    return next(term for term in sim.model.terms if isinstance(term, Gap))


@pytest.mark.parametrize("u", [[0.0, 0.4, 0.0], [3.0, -0.4, 0.2], [11.0, 0.3, 0.0]])
def test_derivatives_of_the_gap(with_law, u) -> None:
    model, gap = with_law.model, gap_of(with_law)
    q, v, g, product = (
        moved(with_law, u, 0.02),
        moved(with_law, [0.0] * 3, 1.0, 2),
        model.vector(),
        model.vector(),
    )
    assert np.abs(gap.openings(q)[0][:, 0]).min() < gap.law.reach
    gap.energy_gradient(q, g)
    gap.stiffness(q).mult(v, product)
    step, energies, slopes = 1e-5, [], []
    for sign in (1, -1):
        at, slope = q.copy(), model.vector()
        at.axpy(sign * step, v)
        energies.append(gap.energy_gradient(at, slope))
        slopes.append(slope.array.copy())
    assert g.dot(v) == pytest.approx((energies[0] - energies[1]) / (2 * step), rel=1e-5)
    difference = (slopes[0] - slopes[1]) / (2 * step)
    np.testing.assert_allclose(product.array, difference, atol=1e-6 * largest(difference))
    # action and reaction
    np.testing.assert_allclose(total(g.array.reshape(-1, 3).sum(axis=0)), 0.0, atol=1e-12)


def test_a_rigid_slide_by_a_period_changes_registry_by_nothing(with_law) -> None:
    """The tip's points face a flat block: δ is their height and how far the tip has slid; the law has the period of
    the plane."""
    gap, period = gap_of(with_law), with_law.material.crystal.period((1.0, 0.0, 0.0))
    for u in ([0.7, 0.5, 0.0], [period + 0.7, 0.5, 0.0]):
        opening, index = gap.openings(moved(with_law, u))
        at = np.flatnonzero(index < len(gap.upper.reference))
        rest = gap.upper.reference[index[at]]
        at, rest = (
            at[rest[:, 0] < 30.0],
            rest[rest[:, 0] < 30.0],
        )  # the others slide over the edge of the block
        np.testing.assert_allclose(opening[at, 1], u[0], atol=1e-9)
        np.testing.assert_allclose(opening[at, 0], rest[:, 1] + u[1], atol=1e-9)
    near, far = (gap.law(np.array([[0.5, s, 0.0]])) for s in (0.7, 0.7 + period))
    np.testing.assert_allclose(near.traction, far.traction, atol=1e-9)


@pytest.mark.parametrize(
    ("u", "past", "rel"),
    [
        ([0.0, 0.3, 0.0], 0.0, 1e-3),
        ([0.0, 1.0, 0.0], 0.0, 1e-3),
        ([1.3, 0.5, 0.0], 0.0, 1e-3),
        ([6.1, 0.5, 0.0], 6.1, 0.01),
    ],
    ids=["ajar", "open", "slid", "far"],
)
def test_atoms_blend_and_law_together_hold_a_flat_tip(u, past, rel) -> None:
    """Nothing is counted twice or left out: rigid flat bodies have the law's energy times the area, however the
    adhesion is shared, after sliding past the core's edge too; past the block's end, as far as whole elements
    lie there, there is none."""
    sim = built(LAW.replace("radius: 4 nm", "radius: 1 mm"))
    width, depth = sim.case.geometry.extent[0], sim.model.atoms.cell[2, 2]
    closed, opened = (sim.scheme.energy_gradient(moved(sim, v), sim.model.vector()) for v in ([0.0] * 3, u))
    law = gap_of(sim).law
    one = float(law(np.array([[u[1], u[0], u[2]]])).energy[0])
    expected = depth * ((width - past) * one + past * law.work)
    assert opened.total - closed.total == pytest.approx(expected, rel=rel)
    assert 0.1 < (opened.interface - closed.interface) / expected < 0.9


@pytest.mark.parametrize("text", [CASE, LAW], ids=["atoms", "law"])
def test_bodies_apart_do_not_feel_each_other(text) -> None:
    sim = built(text)
    energies = []
    for u in ([0.0, 9.0, 0.0], [7.0, 12.0, 0.0]):
        g = sim.model.vector()
        energies.append(sim.scheme.energy_gradient(moved(sim, u), g).total)
    assert energies[0] == pytest.approx(energies[1], abs=1e-9)


def test_forces_are_balanced_and_work_is_stored(coupled) -> None:
    sim, rows = coupled
    assert all(row["force_balance"] < 1e-3 for row in rows)
    work, lost = dissipation(sim, rows)
    assert np.abs(lost).max() < 2e-3 * np.abs(work).max()


def test_force_is_that_of_the_atomistic_run(coupled) -> None:
    atomistic = marched(built(CASE + "coupling: {scheme: atomistic}\n"))
    scale = np.ptp([row["force"] for row in atomistic])
    for a, b in zip(coupled[1], atomistic):
        assert a["force"] == pytest.approx(b["force"], abs=0.03 * scale)


def test_run_on_one_and_two_ranks(tmp_path) -> None:
    path = tmp_path / "tip.yaml"
    path.write_text(LAW.replace("[[0, 0.03 nm], [0, 0]]", "[[0, 0.01 nm], [0.01 nm, 0.01 nm]]"))
    assert main(["run", str(path), "-o", str(tmp_path / "one")]) == 0
    run_ranks(2, "multiscale", "run", path, "-o", tmp_path / "two")
    one, two = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("one", "two"))
    for a, b in zip(one["steps"], two["steps"]):
        for key in ("force", "lateral_force"):
            assert a[key] == pytest.approx(b[key], rel=1e-3, abs=2e-3)
        assert a["energy"]["interface"] == pytest.approx(b["energy"]["interface"], rel=1e-5)
    assert one["results"]["lateral_stiffness"] > 0.0
    assert (tmp_path / "one" / "history.png").exists()


WRONG = [
    ("shape: tip, size: [9 nm, 5 nm], tip: {radius: 4 nm}", "shape: tip, size: [9 nm, 5 nm]", "geometry.tip: is missing"),
    ("size: [9 nm, 5 nm], ", "", "geometry.size: is missing"),
    ("size: [9 nm, 5 nm]", "size: [9 nm, 5 nm, 9 nm]", "geometry.size: must have 2 entries, got 3"),
    ("tip: {radius: 4 nm}", "tip: {radius: 4 nm}, crack: {tip: [0, 0]}", "geometry.crack: does not go together with a tip"),
    ("shape: tip, size: [9 nm, 5 nm]", "shape: disc, radius: 9 nm", "geometry.tip: does not belong to a disc"),
    ("shape: tip, size: [9 nm, 5 nm], tip: {radius: 4 nm}", "shape: disc, radius: 9 nm", "geometry.shape: must be tip; load.type tip moves one, got disc"),
    ("tip: {radius: 4 nm}", "tip: {radius: 1 nm}", "continuum.mesh: the gap under the tip reaches its top"),
    ("size: [9 nm, 5 nm]", "size: [5 nm, 5 nm]", "geometry.size: the pad, 1.47 nm wide with this potential, reaches 1.48 nm beyond the domain"),
    ("[[0, 0.03 nm], [0, 0]]", "[[0, 0]]", "load.path: must have at least 2 corners, got 1"),
    ("[[0, 0.03 nm], [0, 0]]", "[[0, 0], [0, 0]]", "load.path[1]: must differ from the corner before it"),
    ("load:\n  type: tip\n  path: [[0, 0.03 nm], [0, 0]]\n  step: 0.01 nm", "load: {type: strain, gradient: [[0, 0, 0], [0, 0, 0], [0, 0, 0]]}", "load.type: must be tip with geometry.shape tip, got strain"),
    ("solver: {", "interface: {law: derive, irreversible: true}\nsolver: {", "interface.irreversible: is for crack planes"),
    ("solver: {", "solver: {path: arc-length, ", "solver.path: must be load"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_wrong_input_ends_in_one_message(old, new, message, tmp_path, capsys) -> None:
    path = tmp_path / "tip.yaml"
    assert old in CASE
    path.write_text(CASE.replace(old, new))
    code = main(["run", str(path), "-o", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert code == 2 and error.startswith(f"tip.yaml: {message}"), error
    assert not (tmp_path / "out").exists()
