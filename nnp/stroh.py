"""Near-tip field of a sharp crack in an anisotropic solid, by Stroh's formalism.

Fields depend on x, y only; the crack lies on y = 0, x < 0 with its front along z (Ting, Anisotropic
Elasticity, 1996; Sih, Paris & Irwin, 10.1007/BF00186854). Stress intensities: K = (K_I, K_II, K_III):
ahead of the tip σ_yy, σ_xy, σ_yz = K / √(2πr). Units: C in eV/Å³, lengths Å, K in eV/Å^2.5, G in eV/Å².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray

_MODES = [1, 0, 2]  # K_I loads y, K_II x, K_III z
_SPLIT = 1e-8
"""Relative change of one modulus that parts equal eigenvalues (isotropy); it is the relative error made."""


@dataclass(frozen=True)
class Stroh:
    """u = Σ_α a_α f(x + p_α y), with Im p > 0. p: (3,); A, B: (3, 3) columns a_α, b_α, complex, normalised
    to 2 a·b = 1; b_α is the stress function's amplitude, σ_i1 = −φ_i,2, σ_i2 = φ_i,1."""

    p: Array
    A: Array
    B: Array

    @property
    def compliance(self) -> Array:
        """L⁻¹ = Re(i A B⁻¹), (3, 3), symmetric and positive: G = ½ t·L⁻¹·t with t = (K_II, K_I, K_III)."""
        H = (1j * self.A @ np.linalg.inv(self.B)).real
        return 0.5 * (H + H.T)


def stroh(C: Array) -> Stroh:
    """Solve Stroh's eigenproblem for an elastic tensor C (3, 3, 3, 3) in the laboratory frame.

    Degenerate materials (isotropic) get one modulus changed by one part in 10⁸. ValueError when C is not
    positive definite.
    """
    C = np.asarray(C, float)
    if np.linalg.eigvalsh(_mandel(C)).min() <= 0.0:
        raise ValueError("the elastic tensor is not positive definite")
    scale = np.abs(C).max()
    p, A, B = _eigen(C / scale)
    if np.linalg.cond(B) > 1e6:
        nudged = C / scale
        nudged[0, 0, 0, 0] *= 1.0 + _SPLIT
        p, A, B = _eigen(nudged)
    norm = np.sqrt(2.0 * np.sum(A * B, axis=0))  # b scales with C, so a and b share the unit evenly
    return Stroh(p, A / norm / np.sqrt(scale), B / norm * np.sqrt(scale))


def energy_release(C: Array, K: Array) -> float:
    """Energy release rate G = ½ t·L⁻¹·t (Irwin), eV/Å², of K (3,) in eV/Å^2.5."""
    t = np.asarray(K, float)[_MODES]
    return float(0.5 * t @ stroh(C).compliance @ t)


def griffith_k(C: Array, two_gamma: float) -> float:
    """K_I at which G = 2γ, eV/Å^2.5; two_gamma: energy of both surfaces, eV/Å²."""
    if not two_gamma > 0.0:
        raise ValueError("the surface energy must be positive")
    return float(np.sqrt(2.0 * two_gamma / stroh(C).compliance[1, 1]))


def displacement(field: Stroh, x: Array, y: Array, K: Array) -> Array:
    """Displacement (n, 3), Å, of the K field at (x, y) relative to the tip: u = √(2/π) Re[A √z B⁻¹] t.

    The branch cut is the crack: y = +0.0 is its upper face and y = −0.0 its lower one.
    """
    root = np.sqrt(_complex_coordinates(field, x, y))
    return np.sqrt(2.0 / np.pi) * ((root * _amplitudes(field, K)) @ field.A.T).real


def displacement_gradient(field: Stroh, x: Array, y: Array, K: Array) -> Array:
    """∂u_i/∂(x, y, z), (n, 3, 3), of the K field; the z column is zero. Singular at the tip."""
    slope = _amplitudes(field, K) / (2.0 * np.sqrt(_complex_coordinates(field, x, y)))
    out = np.zeros((len(slope), 3, 3))
    out[:, :, 0] = np.sqrt(2.0 / np.pi) * (slope @ field.A.T).real
    out[:, :, 1] = np.sqrt(2.0 / np.pi) * ((slope * field.p) @ field.A.T).real
    return out


def _amplitudes(field: Stroh, K: Array) -> Array:
    return np.linalg.solve(field.B, np.asarray(K, float)[_MODES].astype(complex))


def _complex_coordinates(field: Stroh, x: Array, y: Array) -> Array:
    """z_α = x + p_α y, (n, 3); written part by part because complex addition loses the sign of y = −0."""
    x, y = np.asarray(x, float)[:, None], np.asarray(y, float)[:, None]
    z = np.empty((len(x), 3), dtype=complex)
    z.real, z.imag = x + field.p.real * y, field.p.imag * y
    return z


def _eigen(C: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues with Im p > 0 and their vectors a, b of N [a; b] = p [a; b]."""
    Q, R, T = C[:, 0, :, 0], C[:, 0, :, 1], C[:, 1, :, 1]
    Ti = np.linalg.inv(T)
    N = np.block([[-Ti @ R.T, Ti], [R @ Ti @ R.T - Q, -R @ Ti]])
    p, v = np.linalg.eig(N)
    up = np.argsort(-p.imag)[:3]
    return p[up], v[:3, up], v[3:, up]


def _mandel(C: Array) -> Array:
    i, j = np.array([0, 1, 2, 1, 0, 0]), np.array([0, 1, 2, 2, 2, 1])
    w = np.where(i == j, 1.0, np.sqrt(2.0))
    return C[i[:, None], j[:, None], i[None], j[None]] * np.outer(w, w)
