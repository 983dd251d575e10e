"""One load step after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
from petsc4py import PETSc

from coupling.model import Energy, Model
from coupling.solve import NotANumberError, Settings, Solution, minimise
from coupling.term import Driven, commit, historic
from multiscale.adapting import Remeshing, left_behind, next_placement, remeshed
from multiscale.build import Simulation
from multiscale.checkpoint import Part, Saved, State
from multiscale.schedule import Schedule
from multiscale.sharing import Shared
from multiscale.watch import Entry, Halted, Watch, no_numbers
from multiscale.work import Work, generalised_force

Array = np.ndarray
Monitor = Callable[[int, float, float], None]

MOST_REMESHINGS = 50
"""In one step: a crack that runs on and on is left to the next one."""


@dataclass(frozen=True)
class Step:
    """What one load step ended with. start: energy of the elastic predictor; tip: of the crack along x, Å, None
    without a crack; sites: site energies that all ranks evaluated; seconds: wall time; fold: load at which the path
    of equilibria has just turned, None where it has not; remeshings: what was done to the core; force: dE/dλ of the
    load λ, eV per unit; work: done by the prescribed displacements since the state at rest, eV; seen: what
    multiscale.watch has to say of the way there."""

    number: int
    value: float
    turned: bool
    solution: Solution
    start: Energy
    tip: float | None
    sites: int
    seconds: float
    fold: float | None = None
    remeshings: tuple[Remeshing, ...] = ()
    force: float | None = None
    work: float | None = None
    seen: tuple[Entry, ...] = ()


@dataclass
class Stepper:
    """Carries the unknowns of a simulation through its load; tolerance: largest force left, eV/Å."""

    simulation: Simulation
    schedule: Schedule
    q: PETSc.Vec
    tolerance: float
    value: float = 0.0
    number: int = 0
    first_tip: float | None = None
    grown: bool = field(default=False)
    work: Work = field(default_factory=Work)
    shared: Shared | None = None
    seen: list[Entry] = field(default_factory=list)

    @classmethod
    def start(cls, simulation: Simulation, tolerance: float = np.inf) -> Stepper:
        tolerance = min(tolerance, simulation.case.solver.force_tolerance)
        return cls(simulation, Schedule(simulation.load), simulation.model.vector(), tolerance)

    @property
    def total(self) -> int:
        """Number of steps, if the crack does not turn the way early."""
        return self.schedule.total

    def step(self, monitor: Monitor | None = None) -> Step | None:
        """Go to the next value of the load and to equilibrium there; None at the end. Collective."""
        value = self.schedule.next(self.grown)
        if value is None:
            return None
        began, self.seen = perf_counter(), []
        self._share_out()
        sim = self.simulation
        sites = sim.model.atomistic.counter.sites
        start = self._predict(value)
        solution, remeshings = self._follow(self._relax(monitor), monitor)
        if solution.converged:
            commit(self.simulation.model.terms, self.q)
        self._keep_up()
        self.work.add(value, generalised_force(self.simulation, self.q))
        tip = self.find_tip()
        spent = sim.model.comm.allreduce(sim.model.atomistic.counter.sites - sites)
        self.number += 1
        seconds = perf_counter() - began
        return Step(
            self.number,
            value,
            self.schedule.turned,
            solution,
            start,
            tip,
            spent,
            seconds,
            remeshings=remeshings,
            force=self.work.force,
            work=self.work.total,
            seen=tuple(self.seen),
        )

    def _share_out(self) -> None:
        """Atoms that have wandered among those of other ranks are given to these."""
        if self.shared is None or self.shared.simulation is not self.simulation:
            self.shared = Shared.at_first(self.simulation)
        self.shared, self.q = self.shared.at(self.q, self.value)
        self.simulation = self.shared.simulation

    def _relax(self, monitor: Monitor | None) -> Solution:
        sim, config = self.simulation, self.simulation.case.solver
        settings = Settings(self.tolerance, config.max_iterations)
        watch = Watch(config.watch, self.number + 1, monitor)
        try:
            solution = minimise(sim.scheme, self.q, sim.precondition, settings, watch, config.method)
        except Halted:
            solution = watch.halted(sim.scheme, self.q)
        except NotANumberError as error:
            raise no_numbers(sim.scheme, self.q, error) from error
        self.seen += watch.located(sim.scheme, self.q)
        return solution

    def _follow(self, solution: Solution, monitor: Monitor | None) -> tuple[Solution, tuple[Remeshing, ...]]:
        """Place the core anew and go to equilibrium again, until it is well placed; iterations and evaluations are
        added up."""
        done: list[Remeshing] = []
        while solution.converged and len(done) < MOST_REMESHINGS:
            tip = self.find_tip()  # a crack that has grown as far as is wanted is not followed farther
            wanted = next_placement(self.simulation, self.q, None if self.grown else tip)
            made = wanted and remeshed(self.simulation, self.q, self.value, *wanted, solution.energy)
            if not made:
                break
            self.simulation, self.q, what = made
            self._drive()
            again = self._relax(monitor)
            done.append(replace(what, after=again.energy.total + left_behind(self.simulation)))
            solution = replace(
                again,
                iterations=solution.iterations + again.iterations,
                evaluations=solution.evaluations + again.evaluations,
                products=solution.products + again.products,
            )
        return solution, tuple(done)

    @property
    def at_top(self) -> bool:
        """Whether this was the last step of the way up."""
        return not self.schedule.turned and (
            self.grown or self.schedule.index == len(self.schedule.load.values) - 1
        )

    def _predict(self, value: float) -> Energy:
        """Add the field of the load's increment everywhere, and its exact values where it is prescribed."""
        model, load = self.simulation.model, self.simulation.load
        target = model.unknowns(load.field(value))
        before = model.unknowns(load.field(self.value))
        self.q.axpy(1.0, target)
        self.q.axpy(-1.0, before)
        self.q.array[model.fixed] = target.array_r[model.fixed]
        self.value = value
        self._drive()
        return self.simulation.scheme.energy_gradient(target, model.vector())

    def _drive(self) -> None:
        """Tell what presses from outside how far the load is."""
        for term in self.simulation.model.terms:
            if isinstance(term, Driven):
                term.drive(self.value)

    def _keep_up(self) -> None:
        """A preconditioner that had to be renewed goes with the state from then on: so a restarted run has the same."""
        if self.simulation.precondition.renewed:
            self.simulation.precondition.renew(self.q)

    def find_tip(self) -> float | None:
        """Where the crack ends along x, in the atoms or on the mesh, Å; None without one. Notes whether it has grown as
        far as is wanted."""
        bonds, interface = self.simulation.bonds, self.simulation.interface
        if self.simulation.case.geometry.crack is None:
            return None
        tip = -np.inf if bonds is None else bonds.tip(self.simulation.model.positions(self.q))
        if interface is not None:
            tip = max(tip, interface.tip(self.q))
        if bonds is None:
            tip = max(tip, self.simulation.material.tip[0])  # the faces behind it hold nothing
        if self.first_tip is None:
            self.first_tip = tip
        wanted = self.simulation.load.advance
        self.grown = wanted is not None and tip - self.first_tip >= wanted - 1e-6
        return tip

    def save(self, *more: PETSc.Vec) -> State:
        """All that is needed to go on from here, and further vectors of unknowns. Collective."""
        model, placement = self.simulation.model, self.simulation.placement
        values = np.stack([v.array_r.reshape(-1, 3) for v in (self.q, *more)], axis=1)
        sites, n = _free_sites(model), model.layout.n_free
        parts = {"atoms": Part(sites, values[:n]), "nodes": Part(model.nodes, values[n:])}
        for k, term in enumerate(historic(model.terms)):
            parts[f"memory{k}"] = Part(term.points, term.memory)
        whole = {
            "schedule": np.array([self.schedule.index, self.schedule.turned, self.number, self.grown]),
            "value": np.array([self.value, np.nan if self.first_tip is None else self.first_tip]),
            "work": np.array([self.work.value, self.work.force, self.work.total]),
            "renewed": np.array(self.simulation.precondition.renewed),
            **({} if placement is None else placement.saved()),
        }
        return State(whole, parts)

    def resume(self, saved: Saved) -> list[PETSc.Vec]:
        """Take up a saved state; the further vectors of unknowns that it holds. ValueError where it belongs to another
        model. Collective."""
        model = self.simulation.model
        parts = [saved.at("atoms", _free_sites(model)), saved.at("nodes", model.nodes)]
        values = np.concatenate(parts)
        self.q.array[:] = values[:, 0].ravel()
        for k, term in enumerate(historic(model.terms)):
            term.remember(saved.at(f"memory{k}", term.points))
        index, turned, number, grown = (int(v) for v in saved.whole["schedule"])
        self.schedule.index, self.schedule.turned = index, bool(turned)
        self.number, self.grown = number, bool(grown)
        value, tip = (float(v) for v in saved.whole["value"])
        self.value, self.first_tip = value, None if np.isnan(tip) else tip
        self.work = Work(*(float(v) for v in saved.whole["work"]))
        self._drive()
        if saved.whole.get("renewed", False):
            self.simulation.precondition.renew(self.q)
        more = [model.vector() for _ in range(values.shape[1] - 1)]
        for k, vector in enumerate(more):
            vector.array[:] = values[:, 1 + k].ravel()
        return more


def _free_sites(model: Model) -> Array:
    """Where the free atoms of this rank are in the perfect crystal, (n, 3) Å."""
    return model.atoms.sites[model.atoms.free]
