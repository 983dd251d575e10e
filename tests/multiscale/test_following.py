"""The path of equilibria through the fold at which a crack heals: Stillinger–Weber silicon, a small core."""

from types import SimpleNamespace

import numpy as np
import pytest

from multiscale.build import build
from multiscale.config import load_case
from multiscale.following import Follower
from multiscale.schedule import Schedule
from multiscale.stepping import Stepper
from tests.mpi import COMM, largest

CASE = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 8 nm, crack: {tip: [0.1 nm, 0 nm], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1.2 nm}, blend: 0.8 nm}
continuum: {law: linear, mesh: {growth: 1.3}}
load: {type: k-field, mode: I, K: {from: 0.57, to: 0.56, steps: 2, unit: K_G}}
solver: {path: arc-length, arc: {first: 0.1}}
"""


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    path = tmp_path_factory.mktemp("case") / "case.yaml"
    path.write_text(CASE)
    return build(load_case(path, []), COMM)


def _to_the_end(follower):
    steps = []
    while (step := follower.step()) is not None:
        steps.append(step)
    return steps


def test_path_turns_where_load_steps_snap(simulation) -> None:
    """Below the fold of the path nothing holds the crack open; above it both branches are in equilibrium."""
    follower, K_G = Follower.start(simulation), simulation.material.griffith
    steps = _to_the_end(follower)
    assert all(s.solution.converged for s in steps) and steps[-1].value > steps[0].value
    folds = [s.fold for s in steps if s.fold is not None]
    assert len(folds) == 1 and folds[0] == pytest.approx(min(s.value for s in steps), rel=1e-4)
    stepper = Stepper(simulation, Schedule(simulation.load), simulation.model.vector(), 1e-4)
    stepper.step()
    held = []
    for value in (1.004 * folds[0], 0.996 * folds[0]):
        stepper.schedule.next = lambda grown, value=value: value
        before = simulation.model.positions(stepper.q)
        stepper.step()
        held.append(largest(simulation.model.positions(stepper.q) - before) < 0.4)
    assert held == [True, False]
    assert 0.52 < folds[0] / K_G < 0.56


def test_a_resumed_path_is_the_same(simulation) -> None:
    first = Follower.start(simulation)
    for _ in range(5):
        first.step()
    second = Follower.start(simulation)
    second.resume(first.save())
    one, other = first.step(), second.step()
    assert one.value == other.value
    np.testing.assert_array_equal(first.q.array_r, second.q.array_r)


def test_fold_is_the_vertex_of_the_parabola() -> None:
    places = (-1.0, 0.2, 0.7)
    path = SimpleNamespace(distance=lambda a, b: abs(b.z - a.z))
    points = [SimpleNamespace(z=s, load=2.0 + (s - 0.3) ** 2) for s in places]
    assert Follower(None, path, 1.0, points)._fold() == pytest.approx(2.0)
    assert Follower(None, path, 1.0, points[1:])._fold() is None
