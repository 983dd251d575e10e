"""The form that the classical laws share: two exponentials of the opening, with weights that depend on sliding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from coupling.cohesive.decay import decay
from coupling.cohesive.law import Response

Array = np.ndarray
Landscape = Callable[[Array], tuple[Array, Array, Array]]
"""From sliding (m, 2) to a value (m,), its gradient (m, 2) and its second derivatives (m, 2, 2)."""

TAIL = 16.7
"""z at which (1 + z) e^−z is 10⁻⁶."""


def binding(opening: Array, work: float, length: float, contact: Landscape, lift: Landscape) -> Response:
    """Γ = work [1 − (1 + z) e^−z] + [A(t) + z B(t)] e^−z with z = δ_n/length, A contact and B lift, eV/Å²."""
    δ = np.asarray(opening, float).reshape(-1, 3)
    f, g = decay(δ[:, 0] / length)  # e^−z and z e^−z, with derivatives
    A, dA, ddA = contact(δ[:, 1:])
    B, dB, ddB = lift(δ[:, 1:])
    a, b = A - work, B - work
    scale = 1.0 / length
    traction, stiffness = np.empty((len(δ), 3)), np.empty((len(δ), 3, 3))
    traction[:, 0] = (a * f[1] + b * g[1]) * scale
    traction[:, 1:] = dA * f[0, :, None] + dB * g[0, :, None]
    stiffness[:, 0, 0] = (a * f[2] + b * g[2]) * scale**2
    stiffness[:, 0, 1:] = (dA * f[1, :, None] + dB * g[1, :, None]) * scale
    stiffness[:, 1:, 0] = stiffness[:, 0, 1:]
    stiffness[:, 1:, 1:] = ddA * f[0, :, None, None] + ddB * g[0, :, None, None]
    return Response(work + a * f[0] + b * g[0], traction, stiffness)
