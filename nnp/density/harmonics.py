"""Real spherical harmonics as polynomials of the unit vector."""

from __future__ import annotations

from math import sqrt

import torch

from nnp.state import Tensor

MAX_DEGREE = 4


def block(degree: int) -> slice:
    """Where the 2l + 1 harmonics of one degree stand among all of them."""
    return slice(degree * degree, (degree + 1) ** 2)


def real_harmonics(x: Tensor, y: Tensor, z: Tensor, degree: int) -> list[Tensor]:
    """Racah-normalised real harmonics of the unit vectors (x, y, z), (degree + 1)² tensors like x.

    Σ_m Y_lm(u) Y_lm(v) = P_l(u·v), so Σ_m Y_lm² = 1 for every degree l. Within a degree m runs from −l to l.
    Polynomials after the table of solid harmonics in Varshalovich, Moskalev, Khersonskii, Quantum Theory of
    Angular Momentum (1988), doi:10.1142/0270. ValueError above degree 4.
    """
    if not 0 <= degree <= MAX_DEGREE:
        raise ValueError(f"harmonics go from degree 0 to {MAX_DEGREE}, not {degree}")
    xx, yy, zz = x * x, y * y, z * z
    out = [torch.ones_like(x)]
    if degree >= 1:
        out += [y, z, x]
    if degree >= 2:
        xy, flat = x * y, xx - yy
        out += [sqrt(3) * xy, sqrt(3) * y * z, 1.5 * zz - 0.5, sqrt(3) * x * z, sqrt(0.75) * flat]
    if degree >= 3:
        odd_x, odd_y, five = xx - 3.0 * yy, 3.0 * xx - yy, 5.0 * zz - 1.0
        out += [sqrt(5 / 8) * y * odd_y, sqrt(15) * xy * z, sqrt(3 / 8) * y * five, z * (2.5 * zz - 1.5)]
        out += [sqrt(3 / 8) * x * five, sqrt(15 / 4) * z * flat, sqrt(5 / 8) * x * odd_x]
    if degree >= 4:
        seven = 7.0 * zz - 1.0
        third = sqrt(5 / 8) * z * (7.0 * zz - 3.0)
        out += [sqrt(35 / 4) * xy * flat, sqrt(35 / 8) * y * z * odd_y, sqrt(5 / 4) * xy * seven, y * third]
        out += [zz * (4.375 * zz - 3.75) + 0.375, x * third, sqrt(5 / 16) * flat * seven]
        out += [sqrt(35 / 8) * x * z * odd_x, sqrt(35 / 64) * (xx * odd_x - yy * odd_y)]
    return out
