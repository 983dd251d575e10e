"""The exponentials of the classical laws, tame in strong compression."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
DEEPEST = -3.0
"""Compression, in units of a law's length, below which exponentials go on as parabolas."""


def decay(z: Array) -> tuple[Array, Array]:
    """e^−z and z e^−z, each (3, m): value, first and second derivative. Below DEEPEST both go on as the parabola
    with the same value, slope and curvature there, so that no compression overflows."""
    x = np.maximum(z, DEEPEST)
    e = np.exp(-x)
    f, g = np.stack([e, -e, e]), np.stack([x * e, (1.0 - x) * e, (x - 2.0) * e])
    u = z - x  # zero where nothing is changed
    return _onward(f, u), _onward(g, u)


def _onward(f: Array, u: Array) -> Array:
    return np.stack([f[0] + u * (f[1] + 0.5 * u * f[2]), f[1] + u * f[2], f[2]])
