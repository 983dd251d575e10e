"""An indenter on a block: derivatives, balance of forces, the fully atomistic run beside it, ranks, wrong input."""

# ruff: noqa: E501 (a row of a table is one line)

import json
from dataclasses import replace

import numpy as np
import pytest

from coupling.wall import Adhesive, Repulsive
from multiscale.build import Simulation, build
from multiscale.cli import main
from multiscale.config import parse_case
from multiscale.contact import contact_row, indenter_of
from multiscale.stepping import Stepper
from tests.mpi import COMM, largest, run_ranks, total

# The held layers of the atomistic run begin exactly where the mesh is held.
CASE = """
crystal: {structure: fcc, symbol: Ar}
potential: {type: lennard-jones, parameters: {epsilon: 0.1, sigma: 2.4, cutoff: 5.0}}
geometry: {shape: block, size: [111.095, 54.621]}
regions: {core: {shape: box, size: [2.6 nm, 2.6 nm]}, blend: 0.9 nm}
load:
  type: indent
  shape: cylinder
  radius: 10 nm
  depth: {from: 0.02 nm, to: 0.06 nm, steps: 2}
solver: {force_tolerance: 0.001 meV/Å}
"""
SPHERE = (
    CASE.replace("[111.095, 54.621]", "[7 nm, 3.5 nm, 7 nm]")
    .replace(
        "{shape: box, size: [2.6 nm, 2.6 nm]}, blend: 0.9 nm", "{shape: ball, radius: 0.4 nm}, blend: 0.81 nm"
    )
    .replace("cutoff: 5.0", "cutoff: 3.6")
    .replace("cylinder", "sphere")
)


def built(text: str = CASE) -> Simulation:
    return build(parse_case(text), COMM)


@pytest.mark.parametrize("wall", [Repulsive(3.0), Adhesive(0.03, 2.5, 7.0)], ids=["repulsive", "adhesive"])
def test_derivatives_of_a_wall(wall) -> None:
    gap, step = np.array([-2.1, -0.4, 0.3, 1.72, 2.2, 2.5, 4.0, 11.0, 29.8, 31.0]), 1e-5
    _, slope, curvature = wall(gap)
    high, low = wall(gap + step), wall(gap - step)
    np.testing.assert_allclose(slope, (high[0] - low[0]) / (2 * step), rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(curvature, (high[1] - low[1]) / (2 * step), rtol=1e-7, atol=1e-10)


def test_an_adhesive_wall_has_its_work_and_ends() -> None:
    wall = Adhesive(0.03, 2.5, 7.0)
    gap = np.linspace(1.0, 40.0, 400_001)
    energy = wall(gap)[0]
    assert energy.min() == pytest.approx(-0.03 * 7.0, rel=1e-5)
    assert gap[energy.argmin()] == pytest.approx(2.5, rel=1e-3)
    assert np.all(energy[gap > wall.reach] == 0.0)


@pytest.mark.parametrize("text", [CASE, SPHERE], ids=["cylinder", "sphere"])
def test_forces_and_stiffness_of_an_indenter(text) -> None:
    adhesive = text.replace(
        "steps: 2}", "steps: 2}\n  contact: {law: adhesive, work: 0.5 J/m^2, range: 0.2 nm}"
    )
    sim = built(adhesive)
    indenter, model = indenter_of(sim), sim.model
    random = np.random.default_rng(2)
    q, v, g = model.vector(), model.vector(), model.vector()
    q.array[:], v.array[:] = (0.1 * random.normal(size=q.getLocalSize()) for _ in range(2))
    indenter.energy_gradient(q, g)
    step, energies, slopes = 1e-4, [], []
    for sign in (1, -1):
        moved, at = q.copy(), model.vector()
        moved.axpy(sign * step, v)
        energies.append(indenter.energy_gradient(moved, at))
        slopes.append(at.array.copy())
    assert g.dot(v) == pytest.approx((energies[0] - energies[1]) / (2 * step), rel=1e-6)
    product = model.vector()
    indenter.stiffness(q).mult(v, product)
    np.testing.assert_allclose(
        product.array, (slopes[0] - slopes[1]) / (2 * step), atol=1e-5 * largest(product.array)
    )
    convex, exact = indenter.convex_stiffness(q), indenter.stiffness(q)
    random_q = [model.vector() for _ in range(20)]
    for direction in random_q:
        direction.array[:] = random.normal(size=direction.getLocalSize())
        assert direction.dot(convex * direction) >= max(0.0, direction.dot(exact * direction)) - 1e-12
    # the work of lifting the indenter is the force on it
    force = indenter.force(q)
    lifted = [
        replace(indenter, depth=indenter.depth + d).energy_gradient(q, model.vector()) for d in (step, -step)
    ]
    assert force[1] == pytest.approx((lifted[0] - lifted[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("text", [CASE, SPHERE], ids=["cylinder", "sphere"])
def test_atoms_and_elements_fill_the_block(text) -> None:
    sim = built(text)
    model, size = sim.model, sim.case.geometry.extent
    depth = model.atoms.cell[2, 2] if len(size) == 2 else 1.0
    elements = (
        float(model.bulk.volumes @ model.bulk.cell_fields(np.zeros(model.bulk.n_owned))["fraction"]) * depth
    )
    atoms = float(model.atoms.weights.sum()) * model.crystal.site_volume
    assert total(elements + atoms) == pytest.approx(np.prod(size) * depth, rel=1e-4)
    assert model.atoms.reference[:, 1].max(initial=-1.0) < 0.0


@pytest.fixture(scope="module")
def coupled() -> list[dict[str, float]]:
    return marched(built())


def marched(sim: Simulation) -> list[dict[str, float]]:
    stepper, rows = Stepper.start(sim), []
    while (step := stepper.step()) is not None:
        assert step.solution.converged
        rows.append(contact_row(sim, stepper.q))
    return rows


def test_a_free_surface_is_at_rest(coupled) -> None:
    sim = built(CASE.replace("from: 0.02 nm", "from: -0.01 nm"))
    g = sim.model.vector()
    sim.scheme.residual(sim.model.vector(), g)
    assert sim.model.block_norm(g) < 1e-5
    assert abs(sim.material.free_surface.displacement[:, 1]).max() > 0.02  # it did relax, by itself


def test_force_is_that_of_the_atomistic_run_and_balanced(coupled) -> None:
    atomistic = marched(built(CASE + "coupling: {scheme: atomistic}\n"))
    for a, b in zip(coupled, atomistic):
        assert a["force"] == pytest.approx(b["force"], rel=0.01)
        assert a["contact_radius"] == pytest.approx(b["contact_radius"], rel=0.01)
        assert a["force_balance"] < 1e-10 and b["force_balance"] < 1e-10


def test_run_on_one_and_two_ranks(tmp_path, coupled) -> None:
    path = tmp_path / "indent.yaml"
    path.write_text(CASE)
    assert main(["run", str(path), "-o", str(tmp_path / "one")]) == 0
    run_ranks(2, "multiscale", "run", path, "-o", tmp_path / "two")
    one, two = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("one", "two"))
    assert one["results"]["pull_off_force"] == 0.0
    assert one["results"]["max_force"] == pytest.approx(coupled[-1]["force"])
    for a, b in zip(one["steps"], two["steps"]):
        assert a["force"] == pytest.approx(b["force"], rel=1e-5)
        assert a["contact_radius"] == pytest.approx(b["contact_radius"], rel=1e-5)
    assert (tmp_path / "one" / "history.png").exists()


WRONG = [
    ("shape: block, size: [111.095, 54.621]", "shape: disc, radius: 9 nm", "geometry.shape: must be block; load.type indent needs"),
    ("size: [111.095, 54.621]", "radius: 5 nm", "geometry.size: is missing"),
    ("size: [111.095, 54.621]", "size: [11 nm]", "geometry.size: must have 2 or 3 entries, got 1"),
    ("size: [111.095, 54.621]", "size: [111.095, 54.621], center: [0, 0]", "geometry.center: does not belong to a block"),
    ("size: [111.095, 54.621]", "size: [11 nm, 2 nm]", "regions: core and blend reach 2.2 nm along y, where the block ends at 2 nm"),
    ("size: [111.095, 54.621]", "size: [5 nm, 5.5 nm]", "geometry.size: the pad, 1.47 nm wide with this potential, reaches 1.17 nm beyond"),
    ("size: [111.095, 54.621]", "size: [111.095, 54.621], crack: {tip: [0, 0]}", "geometry.crack: does not go together with a block"),
    ("size: [2.6 nm, 2.6 nm]", "size: [2 nm, 2 nm], center: [0, -2 nm]", "regions.core: must reach the surface y = 0"),
    ("shape: cylinder", "shape: sphere", "load.shape: must be cylinder in a 2D block, got sphere"),
    ("radius: 10 nm", "radius: 10 nm\n  center: [0, 0]", "load.center: must have 1 entries in a 2D block, got 2"),
    ("radius: 10 nm", "radius: 900 nm", "load: the indenter may touch the surface up to"),
    ("to: 0.06 nm", "to: -1 nm", "load.depth.to: must be more than from = 0.02 nm, got -1 nm"),
    ("steps: 2}", "steps: 1}", "load.depth.steps: must be at least 2"),
    ("steps: 2}", "steps: 2, return_to: 0}", "load.depth.return_to: needs return: true"),
    ("steps: 2}", "steps: 2, return: true, return_to: 1 nm}", "load.depth.return_to: must lie below to = 0.06 nm, got 1 nm"),
    ("steps: 2}", "steps: 2}\n  contact: {law: adhesive}", "load.contact.work: is missing"),
    ("solver: {", "solver: {path: arc-length, ", "solver.path: must be load"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_wrong_input_ends_in_one_message(old, new, message, tmp_path, capsys) -> None:
    path = tmp_path / "indent.yaml"
    path.write_text(CASE.replace(old, new))
    code = main(["run", str(path), "-o", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert code == 2 and error.startswith(f"indent.yaml: {message}"), error
    assert not (tmp_path / "out").exists()
