"""Indentation moduli against the isotropic value and the integral of Barnett and Lothe."""

import numpy as np
import pytest

from nnp.indentation import contact_radius, indentation_modulus, line_modulus, sphere_force


def cubic(c11: float, c12: float, c44: float) -> np.ndarray:
    d = np.eye(3)
    C = c12 * np.einsum("ij,kl->ijkl", d, d)
    C += c44 * (np.einsum("ik,jl->ijkl", d, d) + np.einsum("il,jk->ijkl", d, d))
    for i in range(3):
        C[i, i, i, i] = c11
    return C


def impedance(C: np.ndarray, m: np.ndarray, n: np.ndarray) -> np.ndarray:
    """L = −1/π ∫₀^π N₃(θ) dθ (D. M. Barnett, J. Lothe, Phys. Norv. 7, 13, 1973), no eigenvalues."""
    total = np.zeros((3, 3))
    angles = np.pi * (np.arange(400) + 0.5) / 400
    for t in angles:
        p, q = m * np.cos(t) + n * np.sin(t), -m * np.sin(t) + n * np.cos(t)
        Q, R, T = (np.einsum("ijkl,j,l->ik", C, a, b) for a, b in ((p, p), (p, q), (q, q)))
        total += R @ np.linalg.solve(T, R.T) - Q
    return -total / len(angles)


def test_isotropic_solid_has_its_plane_strain_modulus() -> None:
    young, nu = 1.3, 0.27
    lam, mu = young * nu / (1 + nu) / (1 - 2 * nu), young / 2 / (1 + nu)
    C = cubic(lam + 2 * mu, lam, mu)
    assert line_modulus(C) == pytest.approx(young / (1 - nu**2), rel=1e-6)
    assert indentation_modulus(C) == pytest.approx(young / (1 - nu**2), rel=1e-6)


def test_copper_by_an_integral_without_eigenvalues() -> None:
    C = cubic(168.4, 121.4, 75.4)
    y = np.array([0.0, 1.0, 0.0])
    directions = [np.array([np.cos(a), 0.0, np.sin(a)]) for a in np.pi * np.arange(12) / 12]
    inverse = [np.linalg.inv(impedance(C, m, y))[1, 1] for m in directions]
    assert line_modulus(C) == pytest.approx(2.0 / inverse[0], rel=1e-6)
    assert indentation_modulus(C) == pytest.approx(2.0 / np.mean(inverse), rel=1e-4)


def test_hertz_of_a_sphere_is_consistent() -> None:
    R, M, depth = 80.0, 0.9, 1.7
    force = sphere_force(np.array(depth), R, M)
    assert contact_radius(force, R, M, line=False) ** 2 == pytest.approx(R * depth)
