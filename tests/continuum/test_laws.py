"""Every registered law: energy, stress and tangent belong together and fit the potential at small strain."""

from __future__ import annotations

import numpy as np
import pytest

from multiscale.continuum.laws import LAWS
from multiscale.continuum.laws.cauchy_born import CauchyBorn
from multiscale.continuum.laws.elastic_series import ElasticSeries
from multiscale.continuum.laws.linear import Linear
from nnp.native import build
from tests.continuum.materials import OTHERS, law_of_silicon, random_tensor, silicon


def deformations(n, size, seed=0):
    return np.eye(3) + size * np.random.default_rng(seed).normal(size=(n, 3, 3))


@pytest.mark.parametrize("name", [*LAWS, *OTHERS])
def test_stress_and_tangent_are_derivatives(name):
    law = law_of_silicon(name)
    W0, P0 = law.evaluate(np.eye(3)[None])
    scale = np.abs(law.tangent(np.eye(3)[None])).max()
    assert abs(W0[0]) < 1e-12 * scale and np.abs(P0).max() < 1e-8 * scale
    F = np.concatenate([deformations(4, 0.03), deformations(4, 0.15, seed=1)])  # some far beyond any fit
    P, A = law.evaluate(F)[1], law.tangent(F)
    h = 1e-5
    D = np.random.default_rng(7).normal(size=(8, 3, 3))
    (Wp, Pp), (Wm, Pm) = law.evaluate(F + h * D), law.evaluate(F - h * D)
    assert np.sum(P * D, (1, 2)) == pytest.approx((Wp - Wm) / (2 * h), abs=1e-8 * scale)
    dP = (A @ D.reshape(8, 9, 1)).reshape(8, 3, 3)
    assert dP == pytest.approx((Pp - Pm) / (2 * h), abs=1e-6 * scale)
    assert pytest.approx(np.swapaxes(A, 1, 2), abs=1e-9 * scale) == A


@pytest.mark.parametrize("name", LAWS)
def test_a_closed_cycle_returns_its_energy(name):
    """∮ P : dF over a loop through compression, shear and tension, against the energy stored on its way; P alone is
    used, so a stress that is no derivative would show. The rule is spectral on a smooth loop."""
    law, t = law_of_silicon(name), 2.0 * np.pi * np.arange(512) / 512
    A, B = 0.01 * np.random.default_rng(3).normal(size=(2, 3, 3))
    F = (
        np.eye(3)
        + np.cos(t)[:, None, None] * A
        + np.sin(t)[:, None, None] * B
        + np.sin(2 * t)[:, None, None] * A.T
    )
    rate = (
        np.cos(t)[:, None, None] * B - np.sin(t)[:, None, None] * A + 2 * np.cos(2 * t)[:, None, None] * A.T
    )
    W, P = law.evaluate(F)
    work = 2.0 * np.pi / 512 * np.sum(P * rate)
    assert abs(work) < 1e-10 * np.ptp(W)


def test_linear_ignores_rotation_to_first_order_and_symmetrises():
    C = random_tensor()
    law = Linear(C)
    assert pytest.approx(C) == law.C
    W = np.array([[0.0, -1, 2], [1, 0, -3], [-2, 3, 0]])
    energy, stress = law.evaluate(np.eye(3)[None] + 0.1 * W)
    assert abs(energy[0]) < 1e-15 and np.abs(stress).max() < 1e-14


def test_linear_is_the_limit_of_cauchy_born():
    linear, crystal = (LAWS[name](*silicon()) for name in ("linear", "cauchy-born"))
    H = np.random.default_rng(1).normal(size=(1, 3, 3))
    H = 0.5 * (H + np.swapaxes(H, 1, 2))
    gap = [np.abs(linear.evaluate(np.eye(3) + s * H)[1] - crystal.evaluate(np.eye(3) + s * H)[1]).max()
           for s in (1e-3, 5e-4)]  # fmt: skip
    assert gap[0] / gap[1] == pytest.approx(4.0, rel=0.02)  # second order
    assert gap[0] < 1e-2 * np.abs(linear.evaluate(np.eye(3) + 1e-3 * H)[1]).max()


def test_a_warm_start_changes_nothing_but_the_work():
    law, fresh = CauchyBorn(*silicon()), CauchyBorn(*silicon())
    law.evaluate(deformations(5, 0.02, seed=1))
    F = deformations(5, 0.025, seed=2)
    for mine, its in zip((*law.evaluate(F), law.tangent(F)), (*fresh.evaluate(F), fresh.tangent(F))):
        assert mine == pytest.approx(its, rel=1e-7, abs=1e-8)
    law.evaluate(F[:2])  # another number of points starts afresh
    assert law.evaluate(F[:2])[0] == pytest.approx(fresh.evaluate(F[:2])[0], rel=1e-10)


def test_the_compiled_series_is_the_one_in_numpy(monkeypatch):
    rng = np.random.default_rng(4)
    series = ElasticSeries(*(rng.normal(size=shape) for shape in ((6, 6), (6, 36), (36, 36))))
    e = rng.normal(size=(37, 6))
    compiled = series.stress(e)
    monkeypatch.setenv("NNP_KERNEL", "off")
    build.reset()
    plain = series.stress(e)
    build.reset()
    for one, other in zip(compiled, plain):
        assert one == pytest.approx(other, rel=1e-12, abs=1e-12 * np.abs(other).max())
