"""The elastic energy of a layer as a function of the traction on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_SHARE = 0.0625
"""Elastic energy of shear, over the work of adhesion, up to which a layer is linear."""


@dataclass(frozen=True)
class Stored:
    """U(T) (m,) eV/Å²; opening ∇U (m, 3) Å; bend U″ (m, 3, 3) Å⁴/eV."""

    energy: Array
    opening: Array
    bend: Array


def stored(T: Array, normal: float, shear: Array, fall: float, fade: float, work: float) -> Stored:
    """U = u(T_n) + w(T_n) v(y), y² = T_t·S_t·T_t.

    u = ½ s T_n² and w = 1 in tension; for T_n < 0 u″ = s/(1 + k |T_n|)² and w = 1/(1 + |m T_n|³). v = ½ y² up
    to y₁ = (work/8)^½, beyond v′ = y₁ + y₁ tanh(y/y₁ − 1). normal: s; shear: S_t (2, 2); fall: k; fade: m.
    """
    u, du, ddu = _normal(T[:, 0], normal, fall)
    pull = T[:, 1:] @ shear
    y = np.sqrt(np.maximum((pull * T[:, 1:]).sum(1), 0.0))
    v, dv, ddv = _saturating(y, np.sqrt(2.0 * _SHARE * work))
    safe = np.maximum(y, 1e-150)
    share = np.where(y > 1e-12, dv / safe, 1.0)
    along = np.where(y > 1e-12, (ddv - share) / safe**2, 0.0)
    w, dw, ddw = _fading(T[:, 0], fade)
    slope = share[:, None] * pull
    bend = np.empty((len(T), 3, 3))
    bend[:, 0, 0] = ddu + ddw * v
    bend[:, 0, 1:] = bend[:, 1:, 0] = dw[:, None] * slope
    curved = share[:, None, None] * shear + along[:, None, None] * pull[:, :, None] * pull[:, None, :]
    bend[:, 1:, 1:] = w[:, None, None] * curved
    return Stored(u + w * v, np.column_stack([du + dw * v, w[:, None] * slope]), bend)


def _fading(T: Array, k: float) -> tuple[Array, Array, Array]:
    """w = 1/(1 + |k T|³) for T < 0, 1 above; w′, w″."""
    x = k * np.maximum(-T, 0.0)
    q = 1.0 / (1.0 + x**3)
    return q, 3.0 * k * x**2 * q**2, 6.0 * k**2 * x * (2.0 * x**3 - 1.0) * q**3


def _normal(T: Array, s: float, k: float) -> tuple[Array, Array, Array]:
    up, down = np.maximum(T, 0.0), np.maximum(-T, 0.0)
    if k == 0.0:
        return 0.5 * s * T**2, s * T, np.full_like(T, s)
    fallen = 1.0 + k * down
    u = 0.5 * s * up**2 + s * (k * down - np.log1p(k * down)) / k**2
    return u, s * up - s * down / fallen, s / fallen**2


def _saturating(y: Array, edge: float) -> tuple[Array, Array, Array]:
    """v, v′, v″ with v″ = 1 up to the edge, then falling to nothing."""
    z = np.maximum(y / edge - 1.0, 0.0)
    inside = np.minimum(y, edge)
    log = z + np.log1p(np.exp(-2.0 * z)) - np.log(2.0)  # ln cosh z
    tail = np.exp(-2.0 * z)
    tanh, sech2 = (1.0 - tail) / (1.0 + tail), 4.0 * tail / (1.0 + tail) ** 2
    return 0.5 * inside**2 + edge**2 * (z + log), inside + edge * tanh, sech2
