"""Pseudo-arclength continuation: equilibria on one path, through the folds where a load has none nearby.

The path is q(s) = z(s) + λ(s) t with the load's unit field t. A point follows from the last one by a step along the
path's tangent τ and a correction at right angles to it,

    R(z + λ t) = 0,        ⟨τ_z, z − z_p⟩ + θ² τ_λ (λ − λ_p) = 0,

whose derivative stays regular where λ turns (H. B. Keller, 1977). Applied to bond breaking at a crack tip by Buze &
Kermode, Phys. Rev. E 103, 033002 (2021), doi:10.1103/PhysRevE.103.033002.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from petsc4py import PETSc

from coupling.callbacks import called_back, own_errors
from coupling.model import Model
from coupling.preconditioner import Preconditioner
from coupling.schemes.base import Differentiable
from coupling.tangent import Tangent

QUICK, SLOW = 3, 6
"""Corrections: after fewer the next step is longer, after more it is shorter."""

SIDEWAYS = 0.35
"""Correction over step length beyond which the point may lie on another path."""


@dataclass(frozen=True)
class Point:
    """z, zero on prescribed unknowns, and the load λ: a state on the path, or a direction along it."""

    z: PETSc.Vec
    load: float


@dataclass(frozen=True)
class Correction:
    """converged: whether point is on the path, near the guess; residual: largest force left, eV/Å."""

    point: Point
    residual: float
    iterations: int
    evaluations: int
    products: int
    converged: bool


@dataclass
class Path:
    """The equilibria of one scheme under the loads λ t. scale θ: Å per unit of the load, which makes the two parts of
    a step comparable."""

    scheme: Differentiable
    precondition: Preconditioner
    field: PETSc.Vec
    scale: float
    tolerance: float
    max_iterations: int = 12

    @property
    def model(self) -> Model:
        return self.scheme.model

    def point(self, q: PETSc.Vec, load: float) -> Point:
        """The state q under the load."""
        z = q.copy()
        z.axpy(-load, self.field)
        z.array[self.model.fixed] = 0.0
        return Point(z, load)

    def state(self, point: Point) -> PETSc.Vec:
        """q of a point."""
        q = point.z.copy()
        q.axpy(point.load, self.field)
        return q

    def distance(self, a: Point, b: Point) -> float:
        """√(|Δz|² + θ² Δλ²), Å."""
        dz = b.z.copy()
        dz.axpy(-1.0, a.z)
        return float(np.hypot(dz.norm(), self.scale * (b.load - a.load)))

    def secant(self, a: Point, b: Point) -> Point:
        """The direction from a to b."""
        length, z = self.distance(a, b), b.z.copy()
        z.axpy(-1.0, a.z)
        z.scale(1.0 / length)
        return Point(z, (b.load - a.load) / length)

    def ahead(self, last: Point, along: Point, step: float) -> Point:
        """The point `step` Å further in a direction."""
        z = last.z.copy()
        z.axpy(step, along.z)
        return Point(z, last.load + step * along.load)

    def tangent(self, point: Point, along: Point) -> Point:
        """The direction of the path at a point, forward as `along`: H z + λ H t = 0. Collective."""
        system = _Bordered(self, along)
        found = system.solve(point, self.model.vector(), 1.0, rtol=1e-6)
        origin = Point(self.model.vector(), 0.0)
        return self.secant(origin, found)

    def correct(self, last: Point, along: Point, guess: Point) -> Correction:
        """Newton's method from `guess` on the equilibrium and the arclength together. Collective."""
        system = _Bordered(self, along)
        point, evaluations, previous = guess, 0, np.inf
        for iteration in range(self.max_iterations + 1):
            g, residual = self._residual(point)
            evaluations += 1
            converged = residual <= self.tolerance
            lost = not np.isfinite(residual) or residual > 100.0 * max(previous, self.tolerance)
            if converged or lost or iteration == self.max_iterations:
                break
            previous = min(previous, residual)
            step = system.solve(point, g, system.ahead(guess, point), rtol=1e-3)
            point = self.ahead(point, step, -1.0)
        straight = self.distance(guess, point) <= SIDEWAYS * self.distance(last, guess)
        return Correction(point, residual, iteration, evaluations, system.products, converged and straight)

    def _residual(self, point: Point) -> tuple[PETSc.Vec, float]:
        g = self.model.vector()
        self.scheme.residual(self.state(point), g)
        g.array[self.model.fixed] = 0.0
        return g, self.model.block_norm(g)


class _Bordered:
    """The linear system of one correction, on vectors with the load behind the unknowns of the last rank."""

    def __init__(self, path: Path, along: Point):
        self.path, self.model = path, path.model
        self.products = 0
        self.tangent: Tangent | None = None
        self.error: Exception | None = None
        self.along, self.along_load = along.z, path.scale**2 * along.load
        comm = self.model.comm
        self.holds = comm.rank == comm.size - 1
        local = self.model.layout.n_local + int(self.holds)
        size = (local, self.model.layout.n_global + 1)
        self.vector = PETSc.Vec().createMPI(size, comm=comm)
        self.ksp = PETSc.KSP().create(comm)
        self.ksp.setType("gmres")
        self.ksp.setGMRESRestart(100)
        matrix = PETSc.Mat().createPython((size, size), self, comm=comm)
        matrix.setUp()
        self.ksp.setOperators(matrix)
        pc = self.ksp.getPC()
        pc.setType("python")
        pc.setPythonContext(self)

    def ahead(self, a: Point, b: Point) -> float:
        """⟨τ, b − a⟩."""
        dz = b.z.copy()
        dz.axpy(-1.0, a.z)
        return self.along.dot(dz) + self.along_load * (b.load - a.load)

    def solve(self, point: Point, g: PETSc.Vec, ahead: float, rtol: float) -> Point:
        """The change of a point that changes its residual by g and its place along τ by `ahead`."""
        self.tangent = self.path.scheme.tangent(self.path.state(point))
        rhs, x = self.vector.duplicate(), self.vector.duplicate()
        self._join(rhs, g, ahead)
        self.ksp.setTolerances(rtol=rtol, max_it=300)
        with own_errors(self):
            self.ksp.solve(rhs, x)
        return Point(*self._split(x))

    @called_back
    def mult(self, matrix: Any, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """(H z + λ H t, τ_z·z + θ² τ_λ λ) on the free unknowns, one on the prescribed ones."""
        assert self.tangent is not None
        self.products += 1
        z, load = self._split(x)
        fixed, held = self.model.fixed, z.array_r.copy()[self.model.fixed]
        z.array[fixed] = 0.0
        ahead = self.along.dot(z) + self.along_load * load
        z.axpy(load, self.path.field)
        out = self.model.vector()
        self.tangent(z, out)
        out.array[fixed] = held
        self._join(y, out, ahead)

    @called_back
    def apply(self, pc: Any, x: PETSc.Vec, y: PETSc.Vec) -> None:
        z, load = self._split(x)
        out = self.model.vector()
        with self.model.clock("preconditioner"):
            self.path.precondition(z, out)
        self._join(y, out, load / self.path.scale)

    def _split(self, x: PETSc.Vec) -> tuple[PETSc.Vec, float]:
        z, n, comm = self.model.vector(), self.model.layout.n_local, self.model.comm
        z.array[:] = x.array_r[:n]
        return z, comm.bcast(float(x.array_r[n]) if self.holds else 0.0, root=comm.size - 1)

    def _join(self, x: PETSc.Vec, z: PETSc.Vec, load: float) -> None:
        n = self.model.layout.n_local
        values = x.array
        values[:n] = z.array_r
        if self.holds:
            values[n] = load
