"""How two density moments couple to a third: Gaunt tensors of the real harmonics."""

from __future__ import annotations

from math import sqrt

import numpy as np
import torch

from nnp.density.harmonics import block, real_harmonics


def _sphere(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions and weights that integrate polynomials up to degree 2·points − 1 over the sphere exactly."""
    t, w = np.polynomial.legendre.leggauss(points)
    phi = np.pi * np.arange(2 * points) / points
    s = np.sqrt(1.0 - t * t)[:, None]
    u = np.stack([s * np.cos(phi), s * np.sin(phi), np.repeat(t[:, None], len(phi), 1)], -1)
    return u.reshape(-1, 3), np.repeat(w * np.pi / points, len(phi))


def couplings(degree: int) -> list[tuple[int, int, int, np.ndarray]]:
    """(l1, l2, l3, C) for 1 ≤ l1 ≤ l2 ≤ degree, l3 ≤ degree, l1 + l2 + l3 even; C (2l1+1, 2l2+1, 2l3+1).

    C ∝ ∫ Y_{l1} Y_{l2} Y_{l3} dΩ (the only even-parity invariant tensor of the three degrees), with the norm
    √(2·l3 + 1). The contraction Σ C a b of two moments turns with the atoms as a moment of degree l3.
    """
    u, w = _sphere(3 * degree // 2 + 2)
    x, y, z = torch.as_tensor(u).unbind(1)
    harmonics = torch.stack(real_harmonics(x, y, z, degree), 1).numpy()
    out = []
    for l1 in range(1, degree + 1):
        for l2 in range(l1, degree + 1):
            for l3 in range((l1 + l2) % 2, degree + 1, 2):
                if abs(l1 - l2) <= l3 <= l1 + l2:
                    parts = [harmonics[:, block(l)] for l in (l1, l2, l3)]
                    tensor = np.einsum("p,pa,pb,pc->abc", w, *parts)
                    out.append((l1, l2, l3, tensor * (sqrt(2 * l3 + 1) / np.linalg.norm(tensor))))
    return out
