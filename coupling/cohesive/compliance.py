"""A cohesive law between elastic bodies: without the elastic compliance that the bodies have already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coupling.cohesive.halves import AXES
from coupling.cohesive.law import CohesiveLaw, Response
from coupling.cohesive.storage import Stored, stored

Array = np.ndarray
_SAMPLES = 4000
_MARGIN = 0.5
"""Share of 1/ratio that must be left everywhere, so that δ(Δ) stays monotone."""
_SHARES = (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1, 0.05)
_TOLERANCE = 1e-13
_ROUNDING = 1e-9
_ITERATIONS = 100
_HALVINGS = 25
_STARTS = (0.0, 0.3, 0.8, 2.0, -0.3, -1.0)
"""Å further open than δ: where Newton's method starts, one after the other."""


def layer_compliance(C: Array, spacing: float) -> Array:
    """S = d (n·C·n)⁻¹, (3, 3) Å⁴/eV in the axes (n, t1, t2), of a layer of thickness d (Å) on the plane normal to
    y; C (3, 3, 3, 3) eV/Å³. Under a traction T it opens by S T."""
    acoustic = np.asarray(C, float)[:, 1, :, 1][np.ix_(AXES, AXES)]
    return spacing * np.linalg.inv(acoustic)


@dataclass(frozen=True)
class Subtracted:
    """The law of the opening δ = Δ − ∇U(T(Δ)) that is left when the layer's own elastic opening is taken out of
    the opening Δ of two rigid bodies (Rice 1992, doi:10.1016/S0022-5096(05)80012-2; Nguyen & Ortiz 2002,
    doi:10.1016/S0022-5096(01)00133-8):

        Γ_c(δ) = Γ(Δ) − [T·∇U − U],   T_c(δ) = T(Δ),   D_c = (D⁻¹ − U″)⁻¹,   U = ½ T·S·T.

    It is a potential with the same work. S is `compliance`, normal and sliding parts, but never more than
    (1 − 1/ratio) of the law's own at rest, so that what is left is at most `ratio` times stiffer than the law,
    and δ(Δ) is monotone. Where the lattice gets stiffer than the layer, U grows more slowly than ½ T·S·T: for
    compressive T_n, and for shear that stores more than a sixteenth of the work. limit: factors on the
    normal and the sliding part of S that monotony asked for besides.
    """

    law: CohesiveLaw
    compliance: Array
    ratio: float = 20.0

    @property
    def reach(self) -> float:
        return self.law.reach

    @property
    def work(self) -> float:
        return self.law.work

    @property
    def limit(self) -> tuple[float, float]:
        return self._setting[:2]

    def __call__(self, opening: Array) -> Response:
        δ = np.asarray(opening, float).reshape(-1, 3)
        Δ = self._solve(δ)
        found = self.law(Δ)
        at = self._layer(found.traction)
        energy = found.energy - (found.traction * at.opening).sum(1) + at.energy
        left = np.eye(3) - found.stiffness @ at.bend
        stiffness = np.linalg.solve(left, found.stiffness)
        return Response(energy, found.traction, 0.5 * (stiffness + stiffness.transpose(0, 2, 1)))

    def rigid(self, opening: Array) -> Array:
        """Δ (m, 3), Å: the opening of rigid bodies that the law sees at the remaining opening δ (m, 3)."""
        return self._solve(np.asarray(opening, float).reshape(-1, 3))

    @cached_property
    def _capped(self) -> Array:
        """S with its blocks within (1 − 1/ratio) of the law's compliance at rest, in the sense of symmetric
        matrices."""
        most = (1.0 - 1.0 / self.ratio) * np.linalg.inv(self.law(np.zeros((1, 3))).stiffness[0])
        out = np.zeros((3, 3))
        for block in (slice(0, 1), slice(1, 3)):
            out[block, block] = _smaller(np.asarray(self.compliance, float)[block, block], most[block, block])
        return out

    @cached_property
    def _setting(self) -> tuple[float, float, float, float]:
        """Factors on the normal and the sliding part of S, and how fast they fall with compressive traction, so
        that the layer is softer than the law in every state sampled."""
        found = self.law(_sampled(self.reach))
        T, D = found.traction, found.stiffness
        most, room = 1.0 - 1.0 / self.ratio, 1.0 - _MARGIN / self.ratio
        pressed = T[:, 0] < 0.0
        part = min(1.0, most / (self._capped[0, 0] * float(D[~pressed, 0, 0].max())))
        stiff = np.sqrt(np.maximum(part * self._capped[0, 0] / most * D[pressed, 0, 0], 1.0)) - 1.0
        fall = (stiff / np.maximum(-T[pressed, 0], 1e-3 * self.work)).max(initial=1.0 / self.work)
        for share in _SHARES:
            for fade in np.array([1.0, 2.0, 4.0]) * float(fall):
                root = _root(stored(T, *self._parts(part, float(share)), float(fall), fade, self.work).bend)
                if np.linalg.eigvalsh(root @ D @ root).max() <= room:
                    return part, float(share), float(fall), float(fade)
        return part, 0.0, float(fall), float(fall)

    def _parts(self, normal: float, shear: float) -> tuple[float, Array]:
        return normal * float(self._capped[0, 0]), shear * self._capped[1:, 1:]

    def _layer(self, T: Array) -> Stored:
        normal, shear, fall, fade = self._setting
        return stored(T, *self._parts(normal, shear), fall, fade, self.work)

    def _solve(self, δ: Array) -> Array:
        """Newton's method for all points at once; those that it fails start again further open, then further
        closed. ArithmeticError where none converges."""
        Δ = np.empty_like(δ)
        left = np.arange(len(δ))
        for lift in _STARTS:
            found, good = self._newton(δ[left] + np.array([lift, 0.0, 0.0]), δ[left])
            Δ[left[good]] = found[good]
            left = left[~good]
            if len(left) == 0:
                return Δ
        raise ArithmeticError(
            f"no opening of rigid bodies belongs to {δ[left[0]]} Å and {len(left) - 1} others"
        )

    def _newton(self, Δ: Array, δ: Array) -> tuple[Array, Array]:
        """Solutions from given starts, each with steps halved until its residual falls, and which converged."""
        r, J = self._residual(Δ, δ)
        size = np.linalg.norm(r, axis=1)
        goal = _TOLERANCE * (1.0 + np.abs(δ).max(1))
        stuck = np.zeros(len(δ), dtype=bool)
        for _ in range(_ITERATIONS):
            rows = np.flatnonzero((size > goal) & ~stuck)
            if len(rows) == 0:
                break
            step = np.linalg.solve(J[rows], r[rows][..., None])[..., 0]
            scale = np.minimum(1.0, 0.5 / np.maximum(np.linalg.norm(step, axis=1), 1e-300))
            for _ in range(_HALVINGS):
                trial = Δ[rows] - scale[:, None] * step
                new, slope = self._residual(trial, δ[rows])
                length = np.linalg.norm(new, axis=1)
                better = (length < (1.0 - 1e-4 * scale) * size[rows]) | (length <= goal[rows])
                done = rows[better]
                Δ[done], r[done], J[done], size[done] = (v[better] for v in (trial, new, slope, length))
                rows, step, scale = rows[~better], step[~better], 0.5 * scale[~better]
                if len(rows) == 0:
                    break
            stuck[rows] = True  # no step lowers what is rounding only, nor leaves a fold
        return Δ, size <= np.maximum(goal, _ROUNDING)

    def _residual(self, Δ: Array, δ: Array) -> tuple[Array, Array]:
        found = self.law(Δ)
        at = self._layer(found.traction)
        return Δ - at.opening - δ, np.eye(3) - at.bend @ found.stiffness


def _sampled(reach: float) -> Array:
    """Openings at which a law is asked how stiff it gets: everywhere, and along pure opening."""
    rng = np.random.default_rng(0)
    deep, n = min(0.5, 0.2 * reach), _SAMPLES
    spread = rng.uniform(-4.0, 4.0, (3 * n, 3))
    spread[:n, 0] = rng.uniform(-deep, deep, n)
    spread[n : 2 * n, 0] = rng.uniform(0.0, 0.6 * reach, n)
    spread[2 * n :, 0] = rng.uniform(-6.0 * deep, 0.0, n)
    spread[:200, 1:] *= 0.05
    line = np.zeros((400, 3))
    line[:, 0] = np.linspace(-2.0 * deep, 0.3 * reach, 400)
    return np.concatenate([spread, line])


def _smaller(S: Array, most: Array) -> Array:
    """The largest symmetric matrix with the axes common to S and `most` that is above neither."""
    root = np.linalg.cholesky(most)
    inverse = np.linalg.inv(root)
    value, axes = np.linalg.eigh(inverse @ S @ inverse.T)
    both = root @ axes
    return both @ np.diag(np.clip(value, 0.0, 1.0)) @ both.T


def _root(U: Array) -> Array:
    value, axes = np.linalg.eigh(U)
    return axes @ (np.sqrt(np.maximum(value, 0.0))[:, :, None] * axes.transpose(0, 2, 1))
