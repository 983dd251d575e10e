"""Static equilibrium of a scheme's energy: preconditioned L-BFGS with a line search that survives bond breaking.

The two-loop recursion of Nocedal (Math. Comput. 35, 773, 1980, doi:10.1090/S0025-5718-1980-0572855-7) starts from
the factored stiffness of the model at rest, so that the bulk is solved at once and only what is nonlinear costs
iterations. The line search accepts a step by sufficient decrease, or by the slope where the decrease is lost in
rounding (Hager & Zhang, SIAM J. Optim. 16, 170, 2005, doi:10.1137/030601880).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from petsc4py import PETSc

from coupling.clock import Clock
from coupling.model import Energy
from coupling.preconditioner import Preconditioner
from coupling.schemes.base import Scheme


class NotANumberError(ArithmeticError):
    """The energy or a force is not a finite number."""


@dataclass(frozen=True)
class Settings:
    """force_tolerance: largest force left on any free atom or node, eV/Å; max_step: largest displacement of one
    iteration, Å; memory: pairs that L-BFGS keeps."""

    force_tolerance: float = 1e-3
    max_iterations: int = 500
    max_step: float = 0.2
    memory: int = 30


@dataclass(frozen=True)
class Solution:
    """energy: parts at the end; residual: largest force left, eV/Å; evaluations: of energy and forces."""

    energy: Energy
    residual: float
    iterations: int
    evaluations: int
    converged: bool


@dataclass
class _History:
    """Steps s and gradient changes y of the last iterations."""

    size: int
    clock: Clock
    s: list[PETSc.Vec] = field(default_factory=list)
    y: list[PETSc.Vec] = field(default_factory=list)

    def add(self, s: PETSc.Vec, y: PETSc.Vec) -> None:
        if s.dot(y) <= 1e-12 * s.norm() * y.norm():
            return  # no curvature along the step: it would make the matrix indefinite
        self.s, self.y = [*self.s, s][-self.size :], [*self.y, y][-self.size :]

    def direction(self, g: PETSc.Vec, precondition: Preconditioner) -> PETSc.Vec:
        """−H g by the two-loop recursion."""
        d, alphas = g.copy(), []
        for s, y in zip(reversed(self.s), reversed(self.y)):
            alphas.append(s.dot(d) / s.dot(y))
            d.axpy(-alphas[-1], y)
        z = d.duplicate()
        with self.clock("preconditioner"):
            precondition(d, z)
        for s, y, alpha in zip(self.s, self.y, reversed(alphas)):
            z.axpy(alpha - y.dot(z) / s.dot(y), s)
        z.scale(-1.0)
        return z


def minimise(
    scheme: Scheme,
    q: PETSc.Vec,
    precondition: Preconditioner,
    settings: Settings,
    monitor: Callable[[int, float, float], None] | None = None,
) -> Solution:
    """Bring q to equilibrium in place; prescribed unknowns stay as they are. Collective.

    monitor(iteration, energy, residual) is called once an iteration. NotANumberError when the start is not
    finite. Non-convergence is reported in the Solution, not raised.
    """
    return _Minimiser(scheme, q, precondition, settings).run(monitor)


class _Minimiser:
    def __init__(self, scheme: Scheme, q: PETSc.Vec, precondition: Preconditioner, settings: Settings):
        self.scheme, self.q, self.settings, self.precondition = scheme, q, settings, precondition
        self.model, self.evaluations = scheme.model, 0
        self.g = self.model.vector()
        self.energy = self._evaluate(q, self.g)

    def _evaluate(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        energy = self.scheme.energy_gradient(q, g)
        g.array[self.model.fixed] = 0.0
        self.evaluations += 1
        return energy

    def run(self, monitor: Callable[[int, float, float], None] | None) -> Solution:
        if not np.isfinite(self.energy.total):
            raise NotANumberError("the energy of the starting state is not finite")
        history = _History(self.settings.memory, self.model.clock)
        residual, iteration = self.model.block_norm(self.g), 0
        while residual > self.settings.force_tolerance and iteration < self.settings.max_iterations:
            if not self._iterate(history):
                break
            iteration += 1
            residual = self.model.block_norm(self.g)
            if monitor is not None:
                monitor(iteration, self.energy.total, residual)
        converged = residual <= self.settings.force_tolerance
        return Solution(self.energy, residual, iteration, self.evaluations, converged)

    def _iterate(self, history: _History) -> bool:
        """One step; False when no step makes progress even along the preconditioned gradient."""
        d = history.direction(self.g, self.precondition)
        if self.g.dot(d) >= 0.0:
            history.s, history.y = [], []
            d = history.direction(self.g, self.precondition)
        step = self._line_search(d)
        if step is None and history.s:
            history.s, history.y = [], []
            step = self._line_search(history.direction(self.g, self.precondition))
        if step is None:
            return False
        history.add(*step)
        return True

    def _line_search(self, d: PETSc.Vec) -> tuple[PETSc.Vec, PETSc.Vec] | None:
        """Move along d; the step taken and the change of the gradient, or None where nothing is gained."""
        slope, e0 = self.g.dot(d), self.energy.total
        t = min(1.0, self.settings.max_step / max(self.model.block_norm(d), 1e-300))
        noise = 1e-13 * max(abs(self.energy.atomistic), abs(self.energy.continuum), 1.0)
        for _ in range(25):
            trial, g = self.q.copy(), self.g.duplicate()
            trial.axpy(t, d)
            energy = self._evaluate(trial, g)
            rise, new_slope = energy.total - e0, g.dot(d)
            if np.isfinite(energy.total) and np.isfinite(new_slope):
                decreased = rise <= 1e-4 * t * slope
                flat = abs(rise) <= noise and abs(new_slope) <= 0.9 * abs(slope)
                if decreased or flat:
                    return self._accept(trial, g, energy)
                t = _shorter(t, slope, rise)
            else:
                t *= 0.1
        return None

    def _accept(self, trial: PETSc.Vec, g: PETSc.Vec, energy: Energy) -> tuple[PETSc.Vec, PETSc.Vec]:
        s, y = trial.copy(), g.copy()
        s.axpy(-1.0, self.q)
        y.axpy(-1.0, self.g)
        trial.copy(self.q)
        self.g, self.energy = g, energy
        return s, y


def _shorter(t: float, slope: float, rise: float) -> float:
    """Minimum of the parabola through the energies and the slope, kept within [0.1, 0.5] of the step."""
    curvature = rise - slope * t
    guess = -0.5 * slope * t * t / curvature if curvature > 0.0 else 0.5 * t
    return float(np.clip(guess, 0.1 * t, 0.5 * t))
