"""Laws whose energy is a function of the Green–Lagrange strain, W(E) with E = ½ (FᵀF − 1): frame-indifferent.

Symmetric tensors are Mandel vectors e (n, 6). With S = ∂W/∂E (that is 2 ∂W/∂C) and D = ∂S/∂E,

    P = F S,     A_iJkL = F_iM D_MJNL F_kN + δ_ik S_JL
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

Array = np.ndarray
_I, _J = np.array([0, 1, 2, 1, 0, 0]), np.array([0, 1, 2, 2, 2, 1])
_ROOT = np.array([1.0, 1.0, 1.0, 2**0.5, 2**0.5, 2**0.5])


def mandel(tensor: Array) -> Array:
    """Symmetric tensors (…, 3, 3) as vectors (…, 6) whose dot product is the tensors' double contraction."""
    return tensor[..., _I, _J] * _ROOT


def unmandel(vector: Array) -> Array:
    """The inverse of `mandel`."""
    out = np.empty((3, 3, *vector.shape[:-1]), vector.dtype)
    out[_I, _J] = out[_J, _I] = np.moveaxis(vector, -1, 0) / _ROOT.reshape(6, *[1] * (vector.ndim - 1))
    return np.moveaxis(out, (0, 1), (-2, -1))


def mandel_stiffness(C: Array) -> Array:
    """C (3, 3, 3, 3) with its symmetries as a matrix (6, 6) between Mandel vectors."""
    return C[_I[:, None], _J[:, None], _I, _J] * np.outer(_ROOT, _ROOT)


def mandel_rotation(Q: Array) -> Array:
    """E → Q E Qᵀ as matrices (…, 6, 6) between Mandel vectors; Q (…, 3, 3)."""
    basis = unmandel(np.eye(6))
    turned = Q[..., None, :, :] @ basis @ np.swapaxes(Q, -1, -2)[..., None, :, :]
    return np.swapaxes(mandel(turned), -1, -2)


def green_lagrange(F: Array) -> Array:
    """Mandel vectors (n, 6) of E = ½ (FᵀF − 1)."""
    out = np.empty((6, len(F)), F.dtype)
    for row, i, j, root in zip(out, _I, _J, _ROOT):
        np.einsum("nk,nk->n", F[:, :, i], F[:, :, j], out=row)
        row -= float(i == j)
        row *= 0.5 * root
    return out.T


def stretch(e: Array) -> Array:
    """The symmetric F (n, 3, 3) that has the strains e (n, 6), √(1 + 2E)."""
    value, vector = np.linalg.eigh(np.eye(3) + 2.0 * unmandel(e))
    return np.einsum("nij,nj,nkj->nik", vector, np.sqrt(value), vector)


class Density(Protocol):
    """An energy of the strain, zero at rest, whose formulas also hold for complex e."""

    @property
    def second(self) -> Array:
        """D at e = 0, (6, 6), eV/Å³."""
        ...

    def stress(self, e: Array) -> tuple[Array, Array]:
        """W (n,) and S (n, 6), eV/Å³; both zero at e = 0."""
        ...

    def stiffness(self, e: Array) -> Array:
        """D = ∂S/∂e (n, 6, 6)."""
        ...


@dataclass(frozen=True)
class Known:
    """The strains that a law was made from: √(e·M e) ≤ 1. metric: M (6, 6), positive, or zero along components
    that do not matter."""

    metric: Array

    def size(self, e: Array) -> Array:
        """√(e·M e), (n,): beyond one, the law extrapolates."""
        return np.sqrt(np.maximum(np.einsum("na,na->n", e, _turned(self.metric, e)), 0.0))


@dataclass(frozen=True)
class StrainLaw:
    """A Law (see multiscale.continuum.laws) of a Density that is trusted where the strain is `known`.

    Beyond, where a fit may do anything, it is continued from the point ē = e/√(e·M e) on the same ray with the
    stiffness at rest: W(ē) + S(ē)·d + ½ d·C d, d = e − ē. Energy and stress are continuous there, and the tangent
    is exact on either side. axes: (3, 3) rows are the laboratory axes in the axes that the density counts in.
    error: rms error of the stress over what the law was fitted to, relative to its rms.
    """

    density: Density
    known: Known
    axes: Array
    error: float = 0.0

    def evaluate(self, F: Array) -> tuple[Array, Array]:
        energy, s = self._stress(_turned(self._turn, green_lagrange(F)))
        return energy, _product(F, unmandel(_turned(self._turn.T, s)))

    def tangent(self, F: Array) -> Array:
        turn = self._turn
        e = _turned(turn, green_lagrange(F))
        D = turn.T @ self._stiffness(e) @ turn
        full = unmandel(np.swapaxes(unmandel(D), 1, 3).swapaxes(1, 2).reshape(len(F), 9, 6))
        material = np.einsum("niM,nMJNL,nkN->niJkL", F, full.reshape(-1, 3, 3, 3, 3), F, optimize=True)
        geometric = np.einsum("ik,nJL->niJkL", np.eye(3), unmandel(_turned(turn.T, self._stress(e)[1])))
        return (material + geometric).reshape(-1, 9, 9)

    def extrapolation(self, F: Array) -> Array:
        """(n,): above one where the strain lies beyond what the law was made from."""
        return self.known.size(_turned(self._turn, green_lagrange(F)))

    @cached_property
    def _turn(self) -> Array:
        """From laboratory to the density's axes, (6, 6)."""
        return mandel_rotation(self.axes.T)

    def _stress(self, e: Array) -> tuple[Array, Array]:
        size = self.known.size(e)
        far = size > 1.0
        energy, stress = self.density.stress(_within(e, size))
        if far.any():
            ray = _Ray(e[far], size[far], self.known.metric)
            energy[far] += np.einsum("na,na->n", ray.d, stress[far] + 0.5 * ray.d @ self.density.second)
            stress[far] += ray.d @ self.density.second + ray.pull(self._softening(ray))
        return energy, stress

    def _softening(self, ray: _Ray) -> Array:
        """v = (D(ē) − C) d, the derivative of the energy by ē."""
        return np.einsum("nab,nb->na", self.density.stiffness(ray.inner) - self.density.second, ray.d)

    def _stiffness(self, e: Array) -> Array:
        size = self.known.size(e)
        far = size > 1.0
        D = self.density.stiffness(_within(e, size))
        if far.any():
            D[far] = self._far_stiffness(_Ray(e[far], size[far], self.known.metric), D[far])
        return D

    def _far_stiffness(self, ray: _Ray, D: Array) -> Array:
        C, h = self.density.second, 1e-30
        soft, J = D - C, ray.jacobian
        third = self.density.stiffness(ray.inner + 1j * h * ray.d).imag / h  # ∂D/∂e · d, by the complex step
        mixed = soft @ J
        inner = np.swapaxes(J, 1, 2) @ (third @ J - mixed)
        return C + mixed + np.swapaxes(mixed, 1, 2) + inner + ray.curvature(self._softening(ray))


def _turned(matrix: Array, e: Array) -> Array:
    """matrix · e of each e (n, 6), component by component in memory."""
    return (matrix @ e.T).T


def _product(A: Array, B: Array) -> Array:
    """A B of tensors (n, 3, 3), component by component in memory."""
    a, b = A.transpose(1, 2, 0), B.transpose(1, 2, 0)
    return (a[:, 0, None] * b[0] + a[:, 1, None] * b[1] + a[:, 2, None] * b[2]).transpose(2, 0, 1)


def _within(e: Array, size: Array) -> Array:
    """The strains, those beyond the known ones brought back to their boundary."""
    return (e.T / np.maximum(size, 1.0)).T if (size > 1.0).any() else e


class _Ray:
    """The map e → ē = e/√(e·M e) at strains (n, 6) beyond the known ones."""

    def __init__(self, e: Array, size: Array, metric: Array):
        self.e, self.metric, self.r = e, metric, 1.0 / size
        self.inner = self.r[:, None] * e
        self.d = e - self.inner
        self._slope = (-(self.r**3))[:, None] * (e @ metric)  # ∂r/∂e

    @property
    def jacobian(self) -> Array:
        """∂ē/∂e (n, 6, 6)."""
        return self.r[:, None, None] * np.eye(6) + self.e[:, :, None] * self._slope[:, None, :]

    def pull(self, v: Array) -> Array:
        """vᵀ ∂ē/∂e (n, 6)."""
        along = np.einsum("na,na->n", self.e, v)
        return self.r[:, None] * v + along[:, None] * self._slope

    def curvature(self, v: Array) -> Array:
        """v·∂²ē/∂e² (n, 6, 6)."""
        along = np.einsum("na,na->n", self.e, v)[:, None, None]
        cross = self._slope[:, :, None] * v[:, None, :]
        slopes = 3.0 / self.r[:, None, None] * self._slope[:, :, None] * self._slope[:, None, :]
        bend = slopes - (self.r**3)[:, None, None] * self.metric
        return cross + np.swapaxes(cross, 1, 2) + along * bend
