"""How far the bulk's elastic constants are from the crystal's that it is joined to."""

from __future__ import annotations

import numpy as np

from multiscale.continuum.laws import Law
from multiscale.continuum.laws.strain import mandel_stiffness

Array = np.ndarray
TOLERANCE = 1e-3
"""A misfit above this is larger than all other errors of a blended scheme."""


def elastic_mismatch(law: Law, C: Array) -> float:
    """‖C_law − C‖ / ‖C‖ (Frobenius) with the law's constants at F = 1, initial stress taken out; C (3, 3, 3, 3),
    eV/Å³. Of a flat crystal, which has no constants along its normal, in its plane."""
    one = np.eye(3)[None]
    own = law.tangent(one)[0].reshape(3, 3, 3, 3) - np.einsum("ik,jl->ijkl", one[0], law.evaluate(one)[1][0])
    own = 0.5 * (own + own.transpose(1, 0, 2, 3))
    own = 0.5 * (own + own.transpose(0, 1, 3, 2))
    a, b = mandel_stiffness(0.5 * (own + own.transpose(2, 3, 0, 1))), mandel_stiffness(C)
    felt = np.abs(b).max(axis=1) > 1e-9 * np.abs(b).max()
    a, b = a[felt][:, felt], b[felt][:, felt]
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))
