"""A small network N(x) = c·tanh(V tanh(A x + b) + d) with the derivatives that a law and its fit need, all in
closed form and analytic in x, so that a complex step gives one derivative more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Network:
    """A (h, k), b (h,), V (m, h), d (m,), c (m,)."""

    A: Array
    b: Array
    V: Array
    d: Array
    c: Array

    @classmethod
    def random(cls, inputs: int, hidden: tuple[int, int], seed: int = 0) -> Network:
        """Weights of such a size that every layer's sums are about one when the inputs are."""
        rng, (h, m) = np.random.default_rng(seed), hidden
        return cls(
            rng.normal(size=(h, inputs)) / inputs**0.5,
            0.5 * rng.normal(size=h),
            rng.normal(size=(m, h)) / h**0.5,
            0.5 * rng.normal(size=m),
            rng.normal(size=m) / m**0.5,
        )

    @property
    def parameters(self) -> Array:
        return np.concatenate([part.ravel() for part in (self.A, self.b, self.V, self.d, self.c)])

    def with_parameters(self, p: Array) -> Network:
        parts = (self.A, self.b, self.V, self.d, self.c)
        ends = np.cumsum([part.size for part in parts])[:-1]
        return Network(*(v.reshape(part.shape) for v, part in zip(np.split(p, ends), parts)))

    def value(self, x: Array) -> tuple[Array, Array]:
        """N (n,) and ∂N/∂x (n, k) at x (n, k)."""
        t, s = self._layers(x)
        return s @ self.c, (((1.0 - s * s) * self.c) @ self.V * (1.0 - t * t)) @ self.A

    def curvature(self, x: Array) -> Array:
        """∂²N/∂x² (n, k, k)."""
        t, s = self._layers(x)
        t1, s1 = 1.0 - t * t, 1.0 - s * s
        inner = self.V @ (t1[:, :, None] * self.A)  # ∂(V t)/∂x (n, m, k)
        outer = np.swapaxes(inner, 1, 2) @ ((-2.0 * s * s1 * self.c)[:, :, None] * inner)
        through = ((s1 * self.c) @ self.V) * (-2.0 * t * t1)
        return outer + self.A.T @ (through[:, :, None] * self.A)

    def value_by_parameters(self, x: Array) -> Array:
        """∂N/∂parameters (n, p)."""
        t, s = self._layers(x)
        q = (1.0 - s * s) * self.c
        r = (q @ self.V) * (1.0 - t * t)
        parts = (r[:, :, None] * x[:, None], r, q[:, :, None] * t[:, None], q, s)
        return np.concatenate([part.reshape(len(x), -1) for part in parts], axis=1)

    def slope_by_parameters(self, x: Array, v: Array) -> Array:
        """∂(v·∂N/∂x)/∂parameters (n, r, p) for r directions v (n, r, k): the reverse pass of a forward one."""
        t, s = (layer[:, None] for layer in self._layers(x))
        t1, s1 = 1.0 - t * t, 1.0 - s * s
        du = v @ self.A.T
        dt = t1 * du
        dw = dt @ self.V.T
        q, m = self.c * s1, -2.0 * self.c * s * s1 * dw
        through = q @ self.V
        r, k = through * t1, (m @ self.V) * t1 - 2.0 * through * t * t1 * du
        parts = (
            k[..., None] * x[:, None, None] + r[..., None] * v[:, :, None],
            k,
            m[..., None] * t[:, :, None] + q[..., None] * dt[:, :, None],
            m,
            s1 * dw,
        )
        return np.concatenate([part.reshape(*v.shape[:2], -1) for part in parts], axis=2)

    def _layers(self, x: Array) -> tuple[Array, Array]:
        t = np.tanh(x @ self.A.T + self.b)
        return t, np.tanh(t @ self.V.T + self.d)
