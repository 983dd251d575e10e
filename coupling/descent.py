"""Static equilibrium of one scheme: preconditioned quasi-Newton steps with a line search that survives bond breaking.

The first direction comes from the factored stiffness of the model at rest, so that the bulk is solved at once and
only what is nonlinear costs iterations; where a surface opens or a contact closes, it is renewed on the way. With an
energy the steps are those of L-BFGS, and the line search accepts by sufficient decrease, or by the slope where the
decrease is lost in rounding (Hager & Zhang, SIAM J. Optim. 16, 170, 2005, doi:10.1137/030601880). Without one they are
Anderson's, and the work of the residual along the step, by the trapezoidal rule, takes the place of the energy's
change: the run still goes downhill through an instability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from petsc4py import PETSc

from coupling.clock import Clock
from coupling.history import Curvatures, History, Secants, Solve
from coupling.model import Energy
from coupling.preconditioner import Preconditioner
from coupling.schemes.base import Scheme

Monitor = Callable[[int, float, float], None]


class NotANumberError(ArithmeticError):
    """The energy or a force is not a finite number."""


@dataclass(frozen=True)
class Settings:
    """force_tolerance: largest force left on any free atom or node, eV/Å; max_step: largest displacement of one
    iteration, Å; memory: steps that the solver remembers."""

    force_tolerance: float = 1e-3
    max_iterations: int = 500
    max_step: float = 0.2
    memory: int = 30


@dataclass(frozen=True)
class Solution:
    """energy: parts at the end; residual: largest force left, eV/Å; evaluations: of the forces; products: with the
    Hessian."""

    energy: Energy
    residual: float
    iterations: int
    evaluations: int
    converged: bool
    products: int = 0


def descend(
    scheme: Scheme,
    q: PETSc.Vec,
    precondition: Preconditioner,
    settings: Settings,
    monitor: Monitor | None = None,
) -> Solution:
    """Bring q to equilibrium in place; prescribed unknowns stay as they are. Arguments as coupling.solve.minimise."""
    return _Descent(scheme, q, precondition, settings).run(monitor)


class _Descent:
    def __init__(self, scheme: Scheme, q: PETSc.Vec, precondition: Preconditioner, settings: Settings):
        self.scheme, self.q, self.settings = scheme, q, settings
        self.model, self.precondition, self.evaluations = scheme.model, precondition, 0
        memory, solve = settings.memory, _timed(precondition, scheme.model.clock)
        self.history: History = (
            Curvatures(solve, memory) if scheme.has_energy else Secants(solve, min(memory, 15))
        )
        self.g = self.model.vector()
        self.energy = self._evaluate(q, self.g)

    def _evaluate(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy | None:
        """The gradient, or residual, without its prescribed part, to g; the energy if there is one."""
        energy = None
        if self.scheme.has_energy:
            energy = self.scheme.energy_gradient(q, g)
        else:
            self.scheme.residual(q, g)
        g.array[self.model.fixed] = 0.0
        self.evaluations += 1
        return energy

    def run(self, monitor: Monitor | None) -> Solution:
        residual, iteration = self.model.block_norm(self.g), 0
        if not np.isfinite(residual if self.energy is None else self.energy.total + residual):
            raise NotANumberError("the energy or a force of the starting state is not finite")
        while residual > self.settings.force_tolerance and iteration < self.settings.max_iterations:
            if not self._iterate():
                break
            iteration += 1
            if self.precondition.is_due(iteration):
                self._renew()
            residual = self.model.block_norm(self.g)
            if monitor is not None:
                monitor(iteration, np.nan if self.energy is None else self.energy.total, residual)
        converged = residual <= self.settings.force_tolerance
        energy = self.energy or self.scheme.energy_gradient(self.q, self.model.vector())
        return Solution(energy, residual, iteration, self.evaluations, converged)

    def _renew(self) -> None:
        with self.model.clock("renewal"):
            self.precondition.renew(self.q)
        if not self.scheme.has_energy:
            self.history.clear()  # its secants are those of the former preconditioner

    def _iterate(self) -> bool:
        """One step; False when no step makes progress even along the preconditioned gradient."""
        d = self.history.direction(self.g)
        if self.g.dot(d) >= 0.0:
            self.history.clear()
            d = self.history.direction(self.g)
        step = self._line_search(d)
        if step is None and len(self.history):
            self.history.clear()
            step = self._line_search(self.history.direction(self.g))
        if step is None:
            return False
        self.history.add(*step)
        return True

    def _line_search(self, d: PETSc.Vec) -> tuple[PETSc.Vec, PETSc.Vec] | None:
        """Move along d; the step taken and the change of the gradient, or None where nothing is gained."""
        slope = self.g.dot(d)
        t = min(1.0, self.settings.max_step / max(self.model.block_norm(d), 1e-300))
        for _ in range(25):
            trial, g = self.q.copy(), self.g.duplicate()
            trial.axpy(t, d)
            energy = self._evaluate(trial, g)
            new_slope = g.dot(d)
            rise = self._rise(energy, t * 0.5 * (slope + new_slope))
            if np.isfinite(rise) and np.isfinite(new_slope):
                decreased = rise <= 1e-4 * t * slope
                flat = abs(rise) <= self._noise() and abs(new_slope) <= 0.9 * abs(slope)
                if decreased or flat:
                    return self._accept(trial, g, energy)
                t = _shorter(t, slope, rise)
            else:
                t *= 0.1
        return None

    def _rise(self, energy: Energy | None, work: float) -> float:
        if energy is None or self.energy is None:
            return work
        return energy.total - self.energy.total

    def _noise(self) -> float:
        """Changes of the energy below this are rounding."""
        if self.energy is None:
            return 0.0
        return 1e-13 * max(abs(self.energy.atomistic), abs(self.energy.continuum), 1.0)

    def _accept(self, trial: PETSc.Vec, g: PETSc.Vec, energy: Energy | None) -> tuple[PETSc.Vec, PETSc.Vec]:
        s, y = trial.copy(), g.copy()
        s.axpy(-1.0, self.q)
        y.axpy(-1.0, self.g)
        trial.copy(self.q)
        self.g, self.energy = g, energy
        return s, y


def _timed(precondition: Preconditioner, clock: Clock) -> Solve:
    def solve(r: PETSc.Vec, z: PETSc.Vec) -> None:
        with clock("preconditioner"):
            precondition(r, z)

    return solve


def _shorter(t: float, slope: float, rise: float) -> float:
    """Minimum of the parabola through the energies and the slope, kept within [0.1, 0.5] of the step."""
    curvature = rise - slope * t
    guess = -0.5 * slope * t * t / curvature if curvature > 0.0 else 0.5 * t
    return float(np.clip(guess, 0.1 * t, 0.5 * t))
