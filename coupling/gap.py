"""Adhesion and contact of two surfaces that do not match and slide far: gap by closest-point projection.

Each point p of a surface is projected onto the nearest straight segment (a, b) of the other. With the segment's
normal n, which points from the lower body to the upper one, and the fraction ξ of it, from 0 to 1, that is nearest,

    δ_n = ± n·(x_p − x_a),   δ_t = ± [X(ξ) − X_p]_x − (its value at rest)

(+ for points of the upper body; where a corner is nearest, |δ_n| is the distance from it: the energy has no jump
where a point goes from one segment to the next). δ_t, the reference place that is faced less that which was faced at
rest, is how far the lattices have slid past each other, so that a law that is periodic in sliding stays right however
far. And

    E(q) = Σ_p a_p s_p Γ(δ_p)

over the points of both surfaces, each with half its area and the share s = 1 − w of its own mask w: atoms i, j of the
two bodies carry (w_i + w_j)/2 of what holds them together, the law the rest, wherever either has slid to.
P. Wriggers, Computational Contact Mechanics, Springer 2006, doi:10.1007/978-3-540-32609-0, has the geometry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from petsc4py import PETSc

from coupling.cohesive.law import CohesiveLaw, Response
from coupling.term import Part

Array = np.ndarray

_ON = 1e-9
"""Å that the nearest point of a line may lie beyond a segment and still be on it: points on a straight line have no
corner."""


@dataclass(frozen=True)
class Line:
    """A surface seen along z: points in the order of x. reference: (k, 3) Å, the same on every rank; share: (k,) of
    the area that the law acts on, Å² (half of each point's own, by its mask)."""

    reference: Array
    share: Array


@dataclass(frozen=True)
class Gap:
    """Two lines as a part of the energy of a model.

    upper, lower: the lines; follow: matrix from the unknowns to the displacements of the points of both, upper first,
    each rank with a stretch of these rows; law: Γ. Points with a share are projected onto the other line, which has at
    least two points.
    """

    upper: Line
    lower: Line
    follow: PETSc.Mat
    law: CohesiveLaw
    part: Part = "interface"

    @cached_property
    def _sides(self) -> tuple[_Side, _Side]:
        n = len(self.upper.reference)
        return _Side(self.upper, self.lower, 1.0, 0, n), _Side(self.lower, self.upper, -1.0, n, 0)

    def positions(self, q: PETSc.Vec) -> Array:
        """Of the points of both lines, (k, 3) Å, the same on every rank. Collective."""
        moved = self.follow.createVecLeft()
        self.follow.mult(q, moved)
        u = np.concatenate(q.comm.tompi4py().allgather(moved.array_r.copy())).reshape(-1, 3)
        return np.concatenate([self.upper.reference, self.lower.reference]) + u

    def openings(self, q: PETSc.Vec) -> tuple[Array, Array]:
        """δ (m, 3), Å, of all points with a share, the upper line's first, and where they are in `positions`, (m,).
        Collective."""
        x = self.positions(q)
        found = [side.openings(x)[0] for side in self._sides]
        return np.concatenate(found), np.concatenate([side.index for side in self._sides])

    def _response(self, opening: Array) -> Response:
        """Γ and its derivatives at openings (m, 3); the law is asked where there is something left to pull."""
        m, near = len(opening), opening[:, 0] < 2.0 * self.law.reach
        out = Response(np.full(m, self.law.work), np.zeros((m, 3)), np.zeros((m, 3, 3)))
        if near.any():
            at = self.law(opening[near])
            out.energy[near], out.traction[near], out.stiffness[near] = at.energy, at.traction, at.stiffness
        return out

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> float:
        x = self.positions(q)
        energy, force = 0.0, np.zeros_like(x)
        for side in self._sides:
            opening, segment = side.openings(x)
            at = self._response(opening)
            energy += float(side.area @ at.energy)
            pulled = np.flatnonzero(at.traction.any(axis=1))
            if len(pulled) == 0:
                continue
            load = side.area[pulled, None] * at.traction[pulled]
            slope = np.einsum("mc,mck->mk", load, side.slopes(x, segment, pulled))
            np.add.at(force, side.corners(segment)[pulled], slope.reshape(-1, 3, 3))
        mine = self.follow.createVecLeft()
        low, high = mine.getOwnershipRange()
        mine.array[:] = force.ravel()[low:high]
        self.follow.multTransposeAdd(mine, g, g)
        return energy

    def stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        """Exact for the segments as they are assigned at q."""
        x = self.positions(q)
        low, high = self.follow.getOwnershipRange()
        size = self.follow.getSizes()[0]
        row, column, value = self._entries(x)
        mine = (row >= low) & (row < high)
        start = np.concatenate([[0], np.cumsum(np.bincount(row[mine] - low, minlength=high - low))])
        csr = (start.astype(PETSc.IntType), column[mine].astype(PETSc.IntType), value[mine])
        moduli = PETSc.Mat().createAIJ((size, size), csr=csr, comm=self.follow.comm)
        moduli.assemble()
        return moduli.ptap(self.follow)

    def _entries(self, x: Array) -> tuple[Array, Array, Array]:
        """Rows, columns and values of ∂²E/∂x², summed, over the points of both lines."""
        rows, columns, values = [], [], []
        for side in self._sides:
            opening, segment = side.openings(x)
            at, every = self._response(opening), np.arange(len(segment))
            J = side.slopes(x, segment, every)
            h = np.einsum("mci,mcd,mdj->mij", J, at.stiffness, J)
            h += np.einsum("mc,mcij->mij", at.traction, side.bends(x, segment, every))
            h *= side.area[:, None, None]
            dof = (3 * side.corners(segment)[:, :, None] + np.arange(3)).reshape(-1, 9)
            rows.append(np.broadcast_to(dof[:, :, None], h.shape).ravel())
            columns.append(np.broadcast_to(dof[:, None, :], h.shape).ravel())
            values.append(h.ravel())
        n = x.size
        place, inverse = np.unique(np.concatenate(rows) * n + np.concatenate(columns), return_inverse=True)
        return place // n, place % n, np.bincount(inverse.ravel(), np.concatenate(values))


class _Side:
    """The points of one line with a share, projected onto the other. first, other: where the two lines start among
    the points of both."""

    def __init__(self, line: Line, faced: Line, sign: float, first: int, other: int):
        local = np.flatnonzero(line.share > 0.0)
        self.index, self.other = first + local, other
        self.area = line.share[local]
        self._X, self._faced, self._sign = line.reference[local], faced.reference, sign
        segment = _nearest(self._X, self._faced)
        self._rest = self._evaluate(_openings, self._X, self._faced, segment)[:, 1]

    def openings(self, x: Array) -> tuple[Array, Array]:
        """δ (m, 3) at positions x of the points of both lines, and the segments (m,) of the other line."""
        line = x[self.other : self.other + len(self._faced)]
        segment = _nearest(x[self.index], line)
        opening = self._evaluate(_openings, x[self.index], line, segment)
        opening[:, 1] -= self._rest
        return opening, segment

    def corners(self, segment: Array) -> Array:
        """The points (m, 3) among those of both lines that an opening depends on: p, a, b."""
        return np.stack([self.index, self.other + segment, self.other + segment + 1], axis=1)

    def slopes(self, x: Array, segment: Array, chosen: Array) -> Array:
        """∂δ/∂(x_p, x_a, x_b) of the chosen points (k,), (k, 3, 9)."""
        line = x[self.other : self.other + len(self._faced)]
        return self._evaluate(_slopes, x[self.index], line, segment, chosen)

    def bends(self, x: Array, segment: Array, chosen: Array) -> Array:
        """∂²δ/∂(x_p, x_a, x_b)² of the chosen points (k,), (k, 3, 9, 9)."""
        line = x[self.other : self.other + len(self._faced)]
        return self._evaluate(_bends, x[self.index], line, segment, chosen)

    def _evaluate(
        self,
        what: Callable[..., torch.Tensor],
        x: Array,
        line: Array,
        segment: Array,
        chosen: Array | None = None,
    ) -> Array:
        if chosen is None:
            chosen = np.arange(len(segment))
        if len(chosen) == 0:
            return what(*(torch.zeros((1, 9), dtype=torch.float64),) * 2)[:0].numpy()
        s = segment[chosen]
        at = np.concatenate([x[chosen], line[s], line[s + 1]], axis=1)
        rest = np.concatenate([self._X[chosen], self._faced[s], self._faced[s + 1]], axis=1)
        return self._sign * what(torch.from_numpy(at), torch.from_numpy(rest)).numpy()


def _opening(at: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """δ (3,) of x_p, x_a, x_b (9,) as of a point of the upper body; rest: the same at rest."""
    p, a, b = at.view(3, 3).unbind()
    P, A, B = rest.view(3, 3).unbind()
    edge, off = (b - a)[:2], (p - a)[:2]
    square = (edge * edge).sum()
    along = (edge * off).sum() / square
    xi = along.clamp(0.0, 1.0)
    normal = (edge[0] * off[1] - edge[1] * off[0]) / square.sqrt()
    beyond = (along - xi) * square.sqrt()
    at_corner = beyond.abs() > _ON
    length = torch.where(at_corner, normal**2 + beyond**2, 1.0).sqrt()
    normal = torch.where(at_corner, torch.sign(normal) * length, normal)
    faced = A + xi * (B - A)
    moved = (p - P) - ((a - A) + xi * ((b - B) - (a - A)))
    return torch.stack([normal, faced[0] - P[0], moved[2]])


_openings = torch.func.vmap(_opening)
_slopes = torch.func.vmap(torch.func.jacrev(_opening))
_bends = torch.func.vmap(torch.func.jacfwd(torch.func.jacrev(_opening)))


def _nearest(points: Array, line: Array) -> Array:
    """Which segment of a line (k, 3) each point (m, 3) is nearest to, seen along z, (m,)."""
    a, edge = line[:-1, :2], np.diff(line[:, :2], axis=0)
    off = points[:, None, :2] - a
    t = np.clip(np.einsum("mkc,kc->mk", off, edge) / np.einsum("kc,kc->k", edge, edge), 0.0, 1.0)
    return np.linalg.norm(off - t[:, :, None] * edge, axis=2).argmin(axis=1)
