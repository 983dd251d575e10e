"""Few-term Fourier series of the sliding, zero where nothing slid."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Waves:
    """f(t) = Σ_k c_k (1 − cos k·t) + s_k sin k·t of t (m, 2). vectors: k (p, 2) 1/Å; cosine: c (p,); sine: s (p,)."""

    vectors: Array = field(default_factory=lambda: np.zeros((0, 2)))
    cosine: Array = field(default_factory=lambda: np.zeros(0))
    sine: Array = field(default_factory=lambda: np.zeros(0))

    def __call__(self, t: Array) -> tuple[Array, Array, Array]:
        """f (m,), its gradient (m, 2) and its second derivatives (m, 2, 2)."""
        phase = t @ self.vectors.T
        c, s = np.cos(phase), np.sin(phase)
        value = (1.0 - c) @ self.cosine + s @ self.sine
        slope = (self.cosine * s + self.sine * c) @ self.vectors
        square = self.vectors[:, :, None] * self.vectors[:, None, :]
        return value, slope, np.tensordot(self.cosine * c - self.sine * s, square, axes=1)


def reciprocal(cell: Array) -> Array:
    """Rows b_i with a_i·b_j = 2π δ_ij of the rows of cell (2, 2), Å."""
    return 2.0 * np.pi * np.linalg.inv(np.asarray(cell, float)).T


def barrier(cell: Array, height: float) -> Waves:
    """Σ_i ½ height (1 − cos b_i·t): `height` half a period from the start along either lattice vector."""
    return Waves(reciprocal(cell), np.full(2, 0.5 * height), np.zeros(2))


def shortest(cell: Array, count: int) -> Array:
    """The `count` shortest vectors of the reciprocal lattice of cell, one of each pair ±k, (count, 2) 1/Å."""
    n = np.arange(-4, 5)
    p, q = (m.ravel() for m in np.meshgrid(n, n, indexing="ij"))
    half = (p > 0) | ((p == 0) & (q > 0))
    k = np.stack([p[half], q[half]], 1) @ reciprocal(cell)
    return k[np.argsort(np.round(np.linalg.norm(k, axis=1), 6), kind="stable")][:count]
