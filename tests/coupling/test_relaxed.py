"""Laws whose open faces relax: less work, the same stiffness at rest, and never a push where there was a pull."""

import numpy as np
import pytest

from coupling.cohesive.relaxed import Relaxed
from coupling.cohesive.uber import Uber

RIGID = Uber.of(work=0.2, peak=0.15, unstable=0.1, cell=np.array([[3.8, 0.0], [0.0, 5.4]]))
LAW = Relaxed(RIGID, 0.17)


def test_force_and_stiffness_are_derivatives() -> None:
    rng, h = np.random.default_rng(4), 1e-5
    δ = np.column_stack([rng.uniform(-0.6, 3.0, 60), rng.uniform(-3, 3, (60, 2))])
    at = LAW(δ)
    for k, step in enumerate(h * np.eye(3)):
        up, down = LAW(δ + step), LAW(δ - step)
        np.testing.assert_allclose(at.traction[:, k], (up.energy - down.energy) / (2 * h), atol=1e-8)
        np.testing.assert_allclose(at.stiffness[:, k], (up.traction - down.traction) / (2 * h), atol=1e-7)


def test_only_the_open_faces_relax() -> None:
    far, rest = np.array([[60.0, 0, 0]]), np.zeros((1, 3))
    assert LAW(far).energy[0] == pytest.approx(0.17, rel=1e-9)
    np.testing.assert_allclose(LAW(rest).stiffness, RIGID(rest).stiffness, rtol=1e-12)
    pressed = np.array([[-1.5, 0, 0]])
    np.testing.assert_allclose(LAW(pressed).traction, RIGID(pressed).traction, rtol=1e-12)
    opening = np.zeros((500, 3))
    opening[:, 0] = np.linspace(0.01, 6.0, 500)
    ratio = LAW(opening).traction[:, 0] / RIGID(opening).traction[:, 0]
    assert 0.6 < ratio.min() < 0.8 and ratio.max() <= 1.0
    with pytest.raises(ValueError, match="do not belong"):
        Relaxed(RIGID, 0.21)
