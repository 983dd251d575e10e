"""Along the path of equilibria, through the folds at which a load has no equilibrium nearby."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from petsc4py import PETSc

from coupling.arclength import QUICK, SLOW, Correction, Path, Point
from coupling.descent import Solution
from coupling.schemes.base import Differentiable
from coupling.term import commit
from multiscale.build import Simulation
from multiscale.checkpoint import Saved, State
from multiscale.stepping import Monitor, Step, Stepper

TOLERANCE = 1e-6
"""eV/Å. Near a fold one direction is soft: a larger force left would turn the secant."""

SMALLEST = 1e-4
"""Å; a path that cannot be followed with such steps is lost."""

LOAD_SHARE = 5.0
"""Å that the largest load of the case counts in the length of a step."""


@dataclass
class Follower:
    """Carries a simulation from point to point of its path. The first two points are ordinary load steps.

    points: the last three of the path; along: its direction at the last; length: of the next step, Å; lost: no
    further point was found.
    """

    stepper: Stepper
    path: Path
    length: float
    points: list[Point] = field(default_factory=list)
    along: Point | None = None
    lost: bool = False

    @classmethod
    def start(cls, simulation: Simulation) -> Follower:
        """ValueError where the scheme or the load does not allow it."""
        load, config = simulation.load, simulation.case.solver
        if not isinstance(simulation.scheme, Differentiable):
            raise ValueError(f"scheme {simulation.case.coupling.scheme} has no tangent to follow a path with")
        if len(load.values) < 2:
            raise ValueError("a path starts from two values of the load")
        unit = simulation.model.unknowns(load.field(1.0))
        scale = LOAD_SHARE / max(abs(v) for v in load.values)
        path = Path(simulation.scheme, simulation.precondition, unit, scale, TOLERANCE)
        return cls(Stepper.start(simulation, TOLERANCE), path, config.arc.first)

    @property
    def simulation(self) -> Simulation:
        return self.stepper.simulation

    @property
    def q(self) -> PETSc.Vec:
        return self.stepper.q

    @property
    def number(self) -> int:
        """Of the last step."""
        return self.stepper.number

    @property
    def total(self) -> int:
        """Most steps that it takes."""
        return self.simulation.case.solver.arc.points

    @property
    def at_top(self) -> bool:
        """Whether the last step passed a maximum of the load."""
        fold = self._fold()
        return fold is not None and fold >= self.points[-1].load

    def step(self, monitor: Monitor | None = None) -> Step | None:
        """Go to the next point; None at the end of the path. Collective."""
        if self.lost or self.stepper.number >= self.total or self._through():
            return None
        if len(self.points) < 2:
            step = self.stepper.step(monitor)
            if step is not None:
                self.points.append(self.path.point(self.q, step.value))
            return step
        return self._advance()

    def _through(self) -> bool:
        if len(self.points) < 2:
            return False
        load, (before, last) = self.simulation.load, self.points[-2:]
        rising = last.load > before.load
        floor = 0.0 if load.floor is None else load.floor
        return (rising and (last.load > max(load.values) or self.stepper.grown)) or last.load < floor

    def _advance(self) -> Step:
        began, sim, stepper = perf_counter(), self.simulation, self.stepper
        sites = sim.model.atomistic.counter.sites
        last = self.points[-1]
        along = self.along or self.path.secant(*self.points[-2:])
        done, spent = self._corrected(last, along)
        self.lost = not done.converged
        if done.converged:
            self.points = [*self.points[-2:], done.point]
            self.along = self.path.tangent(done.point, along)
            self.path.state(done.point).copy(self.q)
            stepper.value = done.point.load
            commit(sim.model.terms, self.q)
        energy = sim.scheme.energy_gradient(self.q, sim.model.vector())
        stepper.number += 1
        tip = stepper.find_tip()
        solution = Solution(energy, done.residual, done.iterations, spent[0] + 1, done.converged, spent[1])
        evaluated = sim.model.comm.allreduce(sim.model.atomistic.counter.sites - sites)
        falling = stepper.value < last.load
        seconds = perf_counter() - began
        return Step(
            stepper.number, stepper.value, falling, solution, energy, tip, evaluated, seconds, self._fold()
        )

    def _corrected(self, last: Point, along: Point) -> tuple[Correction, tuple[int, int]]:
        """The next point, with shorter steps until it is found; evaluations and products spent. The step after it
        is longer or shorter by how hard it was."""
        arc, evaluations, products = self.simulation.case.solver.arc, 0, 0
        while True:
            length = self.length
            done = self.path.correct(last, along, self.path.ahead(last, along, length))
            evaluations, products = evaluations + done.evaluations, products + done.products
            if not done.converged:
                self.length = 0.5 * length
            elif done.iterations >= SLOW:
                self.length = 0.6 * length
            elif done.iterations <= QUICK:
                self.length = min(1.4 * length, arc.largest)
            if done.converged or self.length < SMALLEST:
                return done, (evaluations, products)

    def _fold(self) -> float | None:
        """The load at which the path has just turned: of the parabola through the last three points."""
        if len(self.points) < 3:
            return None
        a, b, c = (p.load for p in self.points)
        if (b - a) * (c - b) >= 0.0:
            return None
        s1 = self.path.distance(*self.points[:2])
        s2 = s1 + self.path.distance(*self.points[1:])
        slope = (b - a) / s1
        curvature = ((c - a) / s2 - slope) / (s2 - s1)
        s = 0.5 * (s1 - slope / curvature)
        return float(a + slope * s + curvature * s * (s - s1))

    def save(self) -> State:
        """All that is needed to go on from here. Collective."""
        kept = [*self.points, *([] if self.along is None else [self.along])]
        state = self.stepper.save(*(p.z for p in kept))
        loads = np.array([p.load for p in kept])
        arc = {"loads": loads, "length": np.array([self.length, self.lost])}
        return State({**state.whole, **arc}, state.parts)

    def resume(self, saved: Saved) -> None:
        """Take up a saved state. ValueError where it belongs to another model. Collective."""
        vectors = self.stepper.resume(saved)
        self.points = [Point(z, float(load)) for z, load in zip(vectors, saved.whole["loads"], strict=True)]
        self.along = self.points.pop() if len(self.points) > 2 else None
        self.length, self.lost = float(saved.whole["length"][0]), bool(saved.whole["length"][1])
