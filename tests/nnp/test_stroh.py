"""The near-tip field: equilibrium, free faces, energy release, and another code."""

import numpy as np
import pytest
from matscipy.fracture_mechanics.crack import CubicCrystalCrack

from nnp.crystal import make_crystal
from nnp.observables import CRACKS
from nnp.stroh import displacement, displacement_gradient, energy_release, griffith_k, stroh

C11, C12, C44 = 151.4, 76.4, 56.4
d = np.eye(3)


def isotropic(E=1.0, nu=0.3):
    lam, mu = E * nu / (1 + nu) / (1 - 2 * nu), 0.5 * E / (1 + nu)
    pairs = np.einsum("ik,jl->ijkl", d, d) + np.einsum("il,jk->ijkl", d, d)
    return lam * np.einsum("ij,kl->ijkl", d, d) + mu * pairs


def cubic(orientation):
    R = make_crystal("diamond", "Si", 1.0, orientation).frame
    axes = np.einsum("ai,aj,ak,al->ijkl", d, d, d, d)
    pairs = np.einsum("ik,jl->ijkl", d, d) + np.einsum("il,jk->ijkl", d, d)
    C = C12 * np.einsum("ij,kl->ijkl", d, d) + C44 * pairs + (C11 - C12 - 2 * C44) * axes
    return np.einsum("ai,bj,ck,dl,ijkl->abcd", R, R, R, R, C)


def triclinic():
    Q = np.random.default_rng(0).normal(size=(6, 6))
    V = 5 * np.eye(6) + 0.5 * Q @ Q.T
    v = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
    return V[v[:, :, None, None], v[None, None]]


MATERIALS = {"isotropic": isotropic(), "triclinic": triclinic()} | {k: cubic(o) for k, o in CRACKS.items()}
every = pytest.mark.parametrize("C", MATERIALS.values(), ids=MATERIALS.keys())
K = np.array([1.0, 0.4, -0.3])


def stress(C, x, y):
    return np.einsum("ijkl,nkl->nij", C, displacement_gradient(stroh(C), x, y, K))


@every
def test_gradient_is_the_derivative_of_the_displacement(C):
    rng, h, field = np.random.default_rng(1), 1e-5, stroh(C)
    x, y = rng.normal(size=(2, 40))
    gradient = displacement_gradient(field, x, y, K)
    for axis, (dx, dy) in enumerate([(h, 0.0), (0.0, h)]):
        up, down = (displacement(field, x + s * dx, y + s * dy, K) for s in (1, -1))
        far = np.hypot(x, y) > 0.1
        off_cut = (x > 0) | (np.abs(y) > 10 * h)
        keep = far & off_cut
        assert np.allclose(((up - down) / (2 * h))[keep], gradient[keep, :, axis], rtol=1e-5, atol=1e-6)


@every
def test_equilibrium_free_faces_and_intensities(C):
    r, zero = np.array([0.5, 3.0]), np.zeros(2)
    ahead = stress(C, r, zero)[:, :, 1] * np.sqrt(2 * np.pi * r)[:, None]
    assert np.allclose(ahead, K[[1, 0, 2]], atol=1e-6)  # σ_xy, σ_yy, σ_zy carry K_II, K_I, K_III
    for face in (0.0, -0.0):
        assert np.allclose(stress(C, -r, np.full(2, face))[:, :, 1], 0.0, atol=1e-6)
    x, y, h = np.array([0.7, -0.8]), np.array([0.9, -0.6]), 1e-4
    out_x = (stress(C, x + h, y) - stress(C, x - h, y))[:, :, 0]
    out_y = (stress(C, x, y + h) - stress(C, x, y - h))[:, :, 1]
    assert np.allclose((out_x + out_y) / (2 * h), 0.0, atol=1e-6)


@every
def test_energy_release_is_irwins_crack_closure(C):
    # traction ahead times the opening behind: G = lim 1/(2Δ) ∫ t(s)·[u](Δ − s) ds, exact for a K field
    field, s = stroh(C), 0.5 * (1 - np.cos(np.pi * (np.arange(400) + 0.5) / 400))
    t = stress(C, s, 0 * s)[:, :, 1]
    up, down = (displacement(field, s - 1.0, np.full_like(s, f), K) for f in (0.0, -0.0))
    weight = 0.5 * np.pi * np.sin(np.pi * (np.arange(400) + 0.5) / 400) / 400
    closure = 0.5 * np.sum(weight[:, None] * t * (up - down))
    assert energy_release(C, K) == pytest.approx(closure, rel=1e-4)


def test_isotropic_energy_release_is_the_textbooks():
    E, nu = 1.0, 0.3
    expected = (1 - nu**2) / E * (K[0] ** 2 + K[1] ** 2) + (1 + nu) / E * K[2] ** 2
    assert energy_release(isotropic(E, nu), K) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", CRACKS)
def test_against_matscipy(name):
    C = cubic(CRACKS[name])
    other = CubicCrystalCrack(CRACKS[name]["y"], CRACKS[name]["z"], C11, C12, C44)
    # its k1g takes S66 for the reduced compliance; the two differ where S36 ≠ 0, as on (111)
    assert griffith_k(C, 2.0) == pytest.approx(other.k1g(1.0), rel=5e-3)
    other.crack.a66 = other.S[5, 5] - other.S[2, 5] ** 2 / other.S[2, 2]
    other.crack._init_crack()
    assert griffith_k(C, 2.0) == pytest.approx(other.k1g(1.0), rel=1e-6)
    x, y = 5.0 * np.random.default_rng(2).normal(size=(2, 50))
    ux, uy = other.crack.displacements(np.hypot(x, y), np.arctan2(y, x), 1.0)
    u = displacement(stroh(C), x, y, np.array([1.0, 0.0, 0.0]))
    # rigid rotations and translations have no stress: none may be left between the two
    assert np.allclose(u, np.stack([ux, uy, 0 * ux], 1), atol=1e-8)


def test_the_crack_opens_across_its_faces():
    u = [
        displacement(stroh(cubic(CRACKS["(111)[1-10]"])), np.array([-2.0]), np.array([f]), K)
        for f in (0.0, -0.0)
    ]
    assert np.all((u[0] - u[1])[0, :2] > 0.0)


def test_an_unstable_tensor_is_refused():
    with pytest.raises(ValueError, match="positive definite"):
        stroh(-isotropic())
