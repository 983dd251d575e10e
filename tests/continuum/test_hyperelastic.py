"""Laws written in UFL: closed forms, the crystal's average, and the same form assembled by DOLFINx alone."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import ufl
from dolfinx import fem

from multiscale.continuum import compat
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.laws import make_law
from multiscale.continuum.laws.hyperelastic import (
    Hyperelastic,
    isotropic_average,
    neo_hookean,
    neo_hookean_energy,
    saint_venant_kirchhoff,
)
from multiscale.continuum.laws.linear import Linear
from multiscale.continuum.mismatch import elastic_mismatch
from nnp.crystal import make_crystal
from nnp.homogeneous import elastic_tensor, lattice_constant
from nnp.registry import make_potential
from tests.continuum.materials import NeoHooke
from tests.continuum.test_bulk import distorted, sparse
from tests.mpi import COMM, largest, total

YOUNG, POISSON = 0.8, 0.3


@cache
def compiled():
    return Hyperelastic(neo_hookean_energy, mu=NeoHooke.mu, lam=NeoHooke.lam)


def test_neo_hookean_is_its_closed_form():
    F = np.eye(3) + 0.15 * np.random.default_rng(0).normal(size=(5000, 3, 3))  # more than one chunk
    mine, its = (
        (*compiled().evaluate(F), compiled().tangent(F)),
        (*NeoHooke().evaluate(F), NeoHooke().tangent(F)),
    )
    for a, b in zip(mine, its):
        assert a.shape == b.shape and np.abs(a - b).max() < 1e-12 * np.abs(b).max()
    energy, stress = compiled().evaluate(-np.eye(3)[None])
    assert energy[0] == np.inf and np.isnan(stress).all()
    assert compiled().tangent(F[:0]).shape == (0, 9, 9)


def test_simple_shear_of_neo_hookean():
    """det F = 1: the Cauchy stress is μ (F Fᵀ − 1), with μγ across and the normal stress μγ² of Poynting."""
    gamma = 0.4
    F = np.eye(3)[None] + gamma * np.eye(3)[0][:, None] * np.eye(3)[1]
    sigma = neo_hookean(young=YOUNG, poisson=POISSON).evaluate(F)[1][0] @ F[0].T
    mu = YOUNG / (2 * (1 + POISSON))
    assert sigma == pytest.approx(mu * np.array([[gamma**2, gamma, 0], [gamma, 0, 0], [0, 0, 0]]), abs=1e-13)


def test_uniaxial_tension_of_saint_venant_kirchhoff():
    """Linear in Green–Lagrange strain: S₁₁ = Y E₁₁ and E₂₂ = −ν E₁₁ with free sides, at any stretch."""
    E = 0.2
    F = np.diag(np.sqrt([1 + 2 * E, 1 - 2 * POISSON * E, 1 - 2 * POISSON * E]))[None]
    W, P = saint_venant_kirchhoff(young=YOUNG, poisson=POISSON).evaluate(F)
    assert P[0] == pytest.approx(np.diag([np.sqrt(1 + 2 * E) * YOUNG * E, 0, 0]), abs=1e-14)
    assert W[0] == pytest.approx(YOUNG * E**2 / 2, rel=1e-13)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("dim", [2, 3])
def test_the_bulk_is_the_form_that_dolfinx_assembles(dim, degree):
    """Energy, residual and stiffness of ∫ W(1 + ∇u) dx by UFL alone, with the same quadrature."""
    bulk = Bulk(COMM, distorted(dim, 3), compiled(), 1.0, degree)
    space = bulk._space
    u, v = fem.Function(space), ufl.TestFunction(space)
    u.x.array[:] = 0.02 * np.random.default_rng(1).normal(size=len(u.x.array))
    u.x.scatter_forward()
    slope = (
        ufl.grad(u)
        if dim == 3
        else ufl.as_matrix([[ufl.grad(u)[i, 0], ufl.grad(u)[i, 1], 0] for i in range(3)])
    )
    W = neo_hookean_energy(ufl.Identity(3) + slope, NeoHooke.mu, NeoHooke.lam)
    energy = W * ufl.dx(metadata={"quadrature_degree": 2 * (degree - 1) or 1})
    residual = ufl.derivative(energy, u, v)
    force = fem.Function(space)
    compat.assemble_vector(force, compat.form(residual))
    K = sparse(compat.assemble_matrix(compat.form(ufl.derivative(residual, u))))
    own = u.x.array[: bulk.n_owned]
    mine, gradient = bulk.energy_gradient(own)
    assert total(mine) == pytest.approx(total(fem.assemble_scalar(compat.form(energy))), rel=1e-12)
    assert largest(gradient - force.x.array[: bulk.n_owned]) < 1e-12 * largest(gradient)
    assert abs(sparse(bulk.stiffness(own)) - K).max() < 1e-12 * abs(K).max()


def test_a_law_of_ones_own():
    """Any energy density in UFL, with any constants: here W = k (det F − 1)², whose pressure is 2k (J − 1)."""
    law = Hyperelastic(lambda F, k: k * (ufl.det(F) - 1) ** 2, k=0.5)
    F = 1.1 * np.eye(3)[None]
    cauchy = law.evaluate(F)[1][0] @ F[0].T / 1.331
    assert cauchy == pytest.approx(2 * 0.5 * 0.331 * np.eye(3), abs=1e-14)


def test_average_of_a_crystal():
    """Voigt and Reuss of a cubic crystal in closed form; an isotropic solid and the flat crystal are their own."""
    potential = make_potential("stillinger-weber")
    crystal = make_crystal(
        "diamond", "Si", lattice_constant(potential, "diamond", "Si"), {"x": (1, 1, 0), "y": (-1, 1, 0)}
    )
    upright = make_crystal("diamond", "Si", crystal.a)
    C = elastic_tensor(potential, upright)
    c11, c12, c44 = C[0, 0, 0, 0], C[0, 0, 1, 1], C[1, 2, 1, 2]
    voigt = (c11 - c12 + 3 * c44) / 5
    reuss = 5 * (c11 - c12) * c44 / (4 * c44 + 3 * (c11 - c12))
    mu, lam = isotropic_average(elastic_tensor(potential, crystal))
    assert mu == pytest.approx(0.5 * (voigt + reuss), rel=1e-8)
    assert lam + 2 * mu / 3 == pytest.approx((c11 + 2 * c12) / 3, rel=1e-8)
    assert isotropic_average(_isotropic(1.3, 0.7)) == pytest.approx((1.3, 0.7))
    flat = make_potential("triangular")
    crystal = make_crystal("triangular", "Si", lattice_constant(flat, "triangular", "Si"))
    assert elastic_mismatch(make_law("neo-hookean", flat, crystal), elastic_tensor(flat, crystal)) < 1e-8


def _isotropic(mu, lam):
    one = np.eye(3)
    both = np.einsum("ik,jl->ijkl", one, one) + np.einsum("il,jk->ijkl", one, one)
    return lam * np.einsum("ij,kl->ijkl", one, one) + mu * both


def test_mismatch_is_seen():
    C = _isotropic(1.0, 0.8)
    law = neo_hookean(young=2.0 * 1.01 * (1 + 4 / 9), poisson=4 / 9 - 1e-3)
    assert elastic_mismatch(Linear(C), C) < 1e-14
    assert elastic_mismatch(Linear(1.02 * C), C) == pytest.approx(0.02)
    assert elastic_mismatch(law, C) > 0.01


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("neo-hookean", {"young": 1.0}, "given together"),
        ("neo-hookean", {"young": 1.0, "poisson": 0.5}, "poisson between -1 and 0.5"),
        (
            "linear",
            {"poisson": 0.3},
            "law linear takes no 'poisson'; neo-hookean, saint-venant-kirchhoff would",
        ),
    ],
)
def test_constants_that_make_no_law(name, given, message):
    with pytest.raises(ValueError, match=message):
        make_law(name, None, None, **given)
