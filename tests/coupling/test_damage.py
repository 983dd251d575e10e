"""Irreversible debonding: a potential at fixed history, linear unloading, and never a gain."""

from itertools import pairwise

import numpy as np
import pytest

from coupling.cohesive.damage import Irreversible, peak_opening
from coupling.cohesive.uber import Uber

CELL = np.array([[3.8, 0.0], [0.0, 5.4]])
LAW = Uber.of(work=0.2, peak=0.15, unstable=0.1, cell=CELL)
rng = np.random.default_rng(2)


def path(
    law: Irreversible, *corners: float, n: int = 400, slide: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Openings along straight ways between the corners, committed step by step, and the normal tractions."""
    ways = [np.linspace(a, b, n) for a, b in pairwise(corners)]
    opening, traction = np.concatenate(ways), []
    for o in opening:
        δ = np.array([[o, slide, 0.0]])
        traction.append(law(δ).traction[0, 0])
        law.commit(δ)
    return opening, np.array(traction)


def work(opening: np.ndarray, traction: np.ndarray) -> float:
    return float(np.sum(0.5 * (traction[1:] + traction[:-1]) * np.diff(opening)))


@pytest.mark.parametrize("depth", [-0.3, 0.4, 1.6])
def test_force_and_stiffness_are_derivatives_at_fixed_history(depth) -> None:
    law = Irreversible(LAW, np.array([0.2, 1.2, 1.7, 4.0]))
    δ = np.column_stack([np.full(4, depth), rng.uniform(-2, 2, (4, 2))])
    at, h = law(δ), 1e-5
    for k in range(3):
        step = h * np.eye(3)[k]
        up, down = law(δ + step), law(δ - step)
        np.testing.assert_allclose(at.traction[:, k], (up.energy - down.energy) / (2 * h), atol=1e-9)
        np.testing.assert_allclose(at.stiffness[:, k], (up.traction - down.traction) / (2 * h), atol=1e-7)


def test_traction_is_continuous_where_branches_meet() -> None:
    law, slide = Irreversible(LAW, np.full(2, 1.3)), np.array([0.7, -1.1])
    for where in (0.0, 1.3):
        δ = np.array([[where - 1e-9, *slide], [where + 1e-9, *slide]])
        at = law(δ)
        assert at.energy[0] == pytest.approx(at.energy[1], abs=1e-9)
        np.testing.assert_allclose(at.traction[0], at.traction[1], atol=1e-8)


def test_a_cycle_past_the_peak_loses_the_area_that_it_encloses() -> None:
    law = Irreversible(LAW, np.zeros(1))
    assert law.peak == pytest.approx(LAW.length, rel=1e-3) == peak_opening(LAW)
    up_and_down = path(law, 0.0, 1.5, -0.2, 0.0)
    lost = work(*up_and_down)
    z = 1.5 / LAW.length
    assert lost == pytest.approx(LAW.work * (1 - (1 + z + z**2 / 2) * np.exp(-z)), rel=1e-4)
    assert law.dissipated[0] == pytest.approx(lost, rel=1e-4)
    opening, traction = path(law, 0.0, 1.5, n=50)  # the second time along the secant
    np.testing.assert_allclose(traction, opening / 1.5 * traction[-1], atol=1e-12)
    assert law.dissipated[0] == pytest.approx(lost, rel=1e-4)
    path(law, 1.5, 30.0)
    assert law.damage[0] == pytest.approx(1.0, rel=1e-6)
    assert np.abs(law(np.array([[0.5, 1.0, 1.0]])).traction).max() < 1e-9  # nothing holds
    assert law(np.array([[-0.1, 1.0, 1.0]])).traction[0, 0] < -0.01  # but nothing interpenetrates


def test_before_the_peak_everything_comes_back_and_loss_only_grows() -> None:
    law = Irreversible(LAW, np.zeros(1))
    assert abs(work(*path(law, 0.0, 0.9 * law.peak, 0.0))) < 1e-12
    assert law.damage[0] == 0.0
    history = []
    for top in (0.3, 1.0, 0.4, 1.7, 0.2, 3.0):
        path(law, 0.0, top, 0.0, n=20, slide=0.8)
        history.append(law.dissipated[0])
    assert np.all(np.diff(history) >= 0.0) and history[-1] > 2 * history[1] > 0.0
