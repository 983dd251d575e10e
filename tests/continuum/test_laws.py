"""Every registered law: energy, stress and tangent belong together and fit the potential at small strain."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from multiscale.continuum.laws import LAWS
from multiscale.continuum.laws.cauchy_born import CauchyBorn
from multiscale.continuum.laws.linear import Linear
from nnp.crystal import make_crystal
from nnp.homogeneous import lattice_constant
from nnp.registry import make_potential
from tests.continuum.materials import NeoHooke, random_tensor


@cache
def silicon():
    potential = make_potential("stillinger-weber")
    a = lattice_constant(potential, "diamond", "Si")
    return potential, make_crystal("diamond", "Si", a, {"x": (1, 1, -2), "y": (1, 1, 1), "z": (1, -1, 0)})


def deformations(n, size, seed=0):
    return np.eye(3) + size * np.random.default_rng(seed).normal(size=(n, 3, 3))


@pytest.mark.parametrize("name", [*LAWS, "neo-hooke of the tests", "linear without symmetry"])
def test_stress_and_tangent_are_derivatives(name):
    others = {"neo-hooke of the tests": NeoHooke, "linear without symmetry": lambda: Linear(random_tensor())}
    law = others[name]() if name in others else LAWS[name](*silicon())
    W0, P0 = law.evaluate(np.eye(3)[None])
    scale = np.abs(law.tangent(np.eye(3)[None])).max()
    assert abs(W0[0]) < 1e-12 * scale and np.abs(P0).max() < 1e-8 * scale
    F = deformations(4, 0.03)
    P, A = law.evaluate(F)[1], law.tangent(F)
    h = 1e-5
    D = np.random.default_rng(7).normal(size=(4, 3, 3))
    (Wp, Pp), (Wm, Pm) = law.evaluate(F + h * D), law.evaluate(F - h * D)
    assert np.sum(P * D, (1, 2)) == pytest.approx((Wp - Wm) / (2 * h), abs=1e-8 * scale)
    dP = (A @ D.reshape(4, 9, 1)).reshape(4, 3, 3)
    assert dP == pytest.approx((Pp - Pm) / (2 * h), abs=1e-6 * scale)
    assert pytest.approx(np.swapaxes(A, 1, 2), abs=1e-9 * scale) == A


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
