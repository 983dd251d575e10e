"""Smoothest periodic function of two variables through values and slopes on a grid."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

Array = np.ndarray
_ROUGHNESS = 4.0
"""Power of the wave number by which waves are held down where the data leave a choice."""
_RIDGE, _REFINED = 1e-13, 4


def frequencies(n: int) -> Array:
    """−K … K with K = n − 1: the waves that n values and n slopes determine."""
    return np.arange(1 - n, n)


def fit_values(cell: Array, value: Array, slope: Array) -> Array:
    """Coefficients (k, 2 n1 − 1, 2 n2 − 1) of `tones` in both directions, of the functions through value
    (k, n1, n2) with slope (k, n1, n2, 2) in (t1, t2) at t = (i/n1) a_1 + (j/n2) a_2.

    Among the trigonometric polynomials f = Σ c_k exp(i k·t) that do, the one with the least Σ (1 + |k|²)⁴ |c_k|²
    (k in units of the period), so that values and slopes on the grid are exact and there is little between them
    that was not asked for.
    """
    k, n1, n2 = value.shape
    data = np.concatenate(
        [value.reshape(k, -1), slope[..., 0].reshape(k, -1), slope[..., 1].reshape(k, -1)], 1
    )
    waves = _least_norm(*_conditions(np.asarray(cell, float), n1, n2), data.T)
    waves = waves.T.reshape(k, 2 * n1 - 1, 2 * n2 - 1)
    return np.einsum("kpq,pa,qb->kab", waves, _tone_matrix(n1), _tone_matrix(n2), optimize=True).real


def _conditions(cell: Array, n1: int, n2: int) -> tuple[Array, Array]:
    """Values and slopes on the grid of each wave, A (3 n1 n2, waves), and the weight W⁻² of each wave."""
    p, q = (m.ravel() for m in np.meshgrid(frequencies(n1), frequencies(n2), indexing="ij"))
    k = 2.0 * np.pi * np.stack([p, q], 1) @ np.linalg.inv(cell).T
    i, j = (m.ravel() for m in np.meshgrid(np.arange(n1) / n1, np.arange(n2) / n2, indexing="ij"))
    wave = np.exp(2j * np.pi * (np.outer(i, p) + np.outer(j, q)))
    unit = 4.0 * np.pi**2 / abs(np.linalg.det(cell))
    weight = (1.0 + (k**2).sum(1) / unit) ** -_ROUGHNESS
    return np.concatenate([wave, 1j * k[:, 0] * wave, 1j * k[:, 1] * wave]), weight


def _least_norm(A: Array, weight: Array, data: Array) -> Array:
    """c with A c = data and the least norm: W⁻² Aᴴ (A W⁻² Aᴴ)⁻¹ data, whose matrix is real since waves come in
    pairs ±k; refined, because it is ill-conditioned."""
    back = (A * weight).conj().T
    gram = (A @ back).real
    size = np.sqrt(np.diag(gram))  # values and slopes differ in unit
    factor = cho_factor(gram / np.outer(size, size) + _RIDGE * np.eye(len(gram)))
    c = np.zeros((A.shape[1], data.shape[1]), complex)
    for _ in range(_REFINED):
        left = data - (A @ c).real
        c += back @ (cho_solve(factor, left / size[:, None]) / size[:, None])
    return c


def _tone_matrix(n: int) -> Array:
    """exp(2πi k s) in terms of the tones of s, (waves, tones)."""
    out = np.zeros((2 * n - 1, 2 * n - 1), complex)
    for row, k in enumerate(frequencies(n)):
        out[row, 2 * abs(k) - 1 if k else 0] = 1.0
        if k:
            out[row, 2 * abs(k)] = 1j * np.sign(k)
    return out


def tones(s: Array, count: int) -> Array:
    """1, cos 2πs, sin 2πs, cos 4πs, … and their first two derivatives in s, (m, 3, count); count is odd."""
    top = (count - 1) // 2
    w = 2.0 * np.pi * np.arange(1, top + 1)
    phase = np.outer(s, w)
    c, d = np.cos(phase), np.sin(phase)
    out = np.zeros((len(s), 3, count))
    out[:, 0, 0] = 1.0
    out[:, 0, 1::2], out[:, 0, 2::2] = c, d
    out[:, 1, 1::2], out[:, 1, 2::2] = -w * d, w * c
    out[:, 2, 1::2], out[:, 2, 2::2] = -(w**2) * c, -(w**2) * d
    return out
