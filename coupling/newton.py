"""Static equilibrium by Newton's method: PETSc's TAO with a trust region where there is an energy, SNES where not.

The Hessian is only ever multiplied with vectors: exact products from the potential, the bulk's stiffness at the
current state. With an energy, conjugate gradients run to the edge of the trust region or along a direction of
negative curvature (T. Steihaug, SIAM J. Numer. Anal. 20, 626, 1983, doi:10.1137/0720042), so that a step through
the breaking of a bond goes downhill too; without one, GMRES and a line search on the residual. Both are
preconditioned with the factored stiffness at rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from petsc4py import PETSc

from coupling.callbacks import called_back, own_errors
from coupling.descent import Monitor, NotANumberError, Settings, Solution
from coupling.model import Energy
from coupling.preconditioner import Preconditioner
from coupling.schemes.base import Differentiable
from coupling.tangent import Tangent

LOOSEST, TIGHTEST = 0.1, 1e-6
"""Relative residual of the linear steps, between the first and the last Newton step."""


def newton(
    scheme: Differentiable,
    q: PETSc.Vec,
    precondition: Preconditioner,
    settings: Settings,
    monitor: Monitor | None = None,
) -> Solution:
    """Bring q to equilibrium in place; prescribed unknowns stay as they are. Arguments as coupling.solve.minimise."""
    problem = _Problem(scheme, precondition, settings, monitor)
    problem.start(q)
    if problem.residual > settings.force_tolerance:
        (_minimise if scheme.has_energy else _find_root)(problem, q)
    return problem.solution(q)


class _Problem:
    """One solve: what TAO and SNES call, and what they have spent."""

    def __init__(
        self,
        scheme: Differentiable,
        precondition: Preconditioner,
        settings: Settings,
        monitor: Monitor | None,
    ):
        self.scheme, self.model, self.settings = scheme, scheme.model, settings
        self.precondition, self.monitor = precondition, monitor
        self.evaluations = self.products = self.iterations = 0
        self.tangent: Tangent | None = None
        self.error: Exception | None = None
        self._last: tuple[np.ndarray, np.ndarray, Energy | None] | None = None
        self._finite = True

    def start(self, q: PETSc.Vec) -> None:
        g = self.model.vector()
        energy = self.evaluate(q, g)
        self.first = self.residual = self.model.block_norm(g)
        if not np.isfinite(energy + self.residual):
            raise NotANumberError("the energy or a force of the starting state is not finite")

    @called_back
    def evaluate(self, q: PETSc.Vec, g: PETSc.Vec) -> float:
        """The energy, or without one the norm of the residual; g: the residual without its prescribed part."""
        if not self._known(q):
            self.evaluations += 1
            energy = self.scheme.energy_gradient(q, g) if self.scheme.has_energy else None
            if energy is None:
                self.scheme.residual(q, g)
            g.array[self.model.fixed] = 0.0
            self._last = q.array_r.copy(), g.array_r.copy(), energy
            self._finite = bool(np.isfinite(self.model.block_norm(g)))
        assert self._last is not None
        g.array[:] = self._last[1]
        if not self._finite:
            return np.nan  # of a trial the trust region is made smaller then
        return g.norm() if self._last[2] is None else self._last[2].total

    def _known(self, q: PETSc.Vec) -> bool:
        """TAO asks for the energy of a trial first and for the gradient there afterwards."""
        same = self._last is not None and np.array_equal(self._last[0], q.array_r)
        return bool(self.model.comm.allreduce(int(same)) == self.model.comm.size)

    @called_back
    def linearise(self, q: PETSc.Vec) -> None:
        self.tangent = self.scheme.tangent(q)

    @called_back
    def mult(self, matrix: PETSc.Mat, v: PETSc.Vec, out: PETSc.Vec) -> None:
        """The tangent on the free unknowns, one on the prescribed ones."""
        assert self.tangent is not None
        self.products += 1
        free = v.copy()
        free.array[self.model.fixed] = 0.0
        self.tangent(free, out)
        out.array[self.model.fixed] = v.array_r[self.model.fixed]

    @called_back
    def apply(self, pc: PETSc.PC, r: PETSc.Vec, z: PETSc.Vec) -> None:
        with self.model.clock("preconditioner"):
            self.precondition(r, z)

    def operator(self) -> PETSc.Mat:
        size = (self.model.layout.n_local, self.model.layout.n_global)
        matrix = PETSc.Mat().createPython((size, size), self, comm=self.model.comm)
        matrix.setUp()
        return matrix

    @called_back
    def settled(self, iteration: int, g: PETSc.Vec, ksp: PETSc.KSP) -> bool:
        """Whether this is equilibrium; if not, how exact the next linear step is to be: enough for Newton's method
        to converge quadratically in the end, and no more."""
        self.residual = self.model.block_norm(g)
        if iteration > self.iterations:
            self.iterations = iteration
            energy = self._last[2] if self._last is not None else None
            if self.monitor is not None:
                self.monitor(iteration, np.nan if energy is None else energy.total, self.residual)
        ksp.setTolerances(rtol=float(np.clip(self.residual / self.first, TIGHTEST, LOOSEST)), max_it=200)
        return self.residual <= self.settings.force_tolerance

    def solution(self, q: PETSc.Vec) -> Solution:
        converged = self.residual <= self.settings.force_tolerance
        energy = None
        if self.scheme.has_energy:
            self.evaluate(q, self.model.vector())
            energy = self._last[2] if self._last is not None else None
        energy = energy or self.scheme.energy_gradient(q, self.model.vector())
        return Solution(energy, self.residual, self.iterations, self.evaluations, converged, self.products)


def _precondition(ksp: PETSc.KSP, problem: _Problem) -> None:
    pc = ksp.getPC()
    pc.setType("python")
    pc.setPythonContext(problem)


def _minimise(problem: _Problem, q: PETSc.Vec) -> None:
    tao = PETSc.TAO().create(problem.model.comm)
    tao.setOptionsPrefix("statics_")
    PETSc.Options()["statics_tao_ntr_init_type"] = "constant"
    tao.setType("ntr")
    ksp = tao.getKSP()
    _precondition(ksp, problem)
    operator = problem.operator()
    tao.setObjectiveGradient(lambda _, x, g: problem.evaluate(x, g), problem.model.vector())
    tao.setHessian(lambda _, x, h, p: problem.linearise(x), operator, operator)
    tao.setMaximumFunctionEvaluations(100 * problem.settings.max_iterations)

    def test(solver: Any) -> None:
        iteration = solver.getIterationNumber()
        if problem.settled(iteration, solver.getGradient()[0], ksp):
            solver.setConvergedReason(PETSc.TAO.Reason.CONVERGED_USER)
        elif iteration >= problem.settings.max_iterations:
            solver.setConvergedReason(PETSc.TAO.Reason.DIVERGED_MAXITS)

    tao.setTolerances(gatol=0.0, grtol=0.0, gttol=0.0)
    tao.setConvergenceTest(test)
    tao.setFromOptions()
    with own_errors(problem):
        tao.solve(q)
    tao.destroy()


def _find_root(problem: _Problem, q: PETSc.Vec) -> None:
    snes = PETSc.SNES().create(problem.model.comm)
    snes.setType("newtonls")
    ksp = snes.getKSP()
    ksp.setType("gmres")
    _precondition(ksp, problem)
    operator = problem.operator()
    snes.setFunction(lambda _, x, f: problem.evaluate(x, f), problem.model.vector())
    snes.setJacobian(lambda _, x, j, p: problem.linearise(x), operator, operator)

    def test(solver: Any, iteration: int, norms: Any) -> PETSc.SNES.ConvergedReason:
        reason = PETSc.SNES.ConvergedReason
        if problem.settled(iteration, solver.getFunction()[0], ksp):
            return reason.CONVERGED_FNORM_ABS
        return reason.DIVERGED_MAX_IT if iteration >= problem.settings.max_iterations else reason.ITERATING

    snes.setConvergenceTest(test)
    with own_errors(problem):
        snes.solve(None, q)
    snes.destroy()
