"""Quintic splines through values and slopes, with three continuous derivatives."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import BSpline
from scipy.linalg import lu_factor, lu_solve

Array = np.ndarray


def quintic(x: Array, value: Array, slope: Array) -> Array:
    """Coefficients (k − 1, 6, p) of Σ_r c_r (ξ − x_j)^r on each interval, through value (k, p) with slope (k, p)
    at x (k,). The second derivative is zero at the last point and the fourth continuous at the second."""
    k = len(x)
    t = np.concatenate([[x[0]] * 6, np.repeat(x[1:-1], 2), [x[-1]] * 6])
    basis = BSpline(t, np.eye(len(t) - 6), 5)
    jump = basis(x[1], nu=4) - basis(x[1] - 1e-9 * (x[1] - x[0]), nu=4)
    rows = [basis(x), basis(x, nu=1), basis(x[-1:], nu=2), jump[None]]
    data = np.concatenate([value, slope, np.zeros((2, value.shape[1]))])
    A = np.concatenate(rows)
    size = np.abs(A).max(1, keepdims=True)
    factor = lu_factor(A / size)
    c = lu_solve(factor, data / size)
    c += lu_solve(factor, (data - A @ c) / size)
    spline = BSpline(t, c, 5)
    factorial = np.array([1.0, 1.0, 2.0, 6.0, 24.0, 120.0])
    return np.stack([spline(x[: k - 1], nu=r) for r in range(6)], 1) / factorial[:, None]
