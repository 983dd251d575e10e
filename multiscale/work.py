"""The work that the prescribed displacements do on a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ase import units
from petsc4py import PETSc

from coupling.term import Driven
from multiscale.build import Simulation


def generalised_force(sim: Simulation, q: PETSc.Vec) -> float:
    """dE/dλ = Σ R · ∂u/∂λ over the prescribed unknowns, with λ the value of the load, in which their displacements
    are linear, and R the reactions: eV per unit of λ. Collective."""
    model, g = sim.model, sim.model.vector()
    sim.scheme.residual(q, g)
    unit = model.unknowns(sim.load.field(1.0))
    return float(model.comm.allreduce(g.array_r[model.fixed] @ unit.array_r[model.fixed]))


@dataclass
class Work:
    """∫ F dλ by the trapezoidal rule over the load steps, from the state at rest; value, force: the last λ and F."""

    value: float = 0.0
    force: float = 0.0
    total: float = 0.0

    def add(self, value: float, force: float) -> None:
        self.total += 0.5 * (self.force + force) * (value - self.value)
        self.value, self.force = value, force


def work_row(sim: Simulation, force: float | None, work: float | None) -> dict[str, Any]:
    """Of a step: external_work, eV, and under a load that is a length the reaction that holds it, N/m along the front.
    Nothing where a rigid body does work as well, whose force is reported by itself."""
    if force is None or work is None or any(isinstance(term, Driven) for term in sim.model.terms):
        return {}
    row = {"external_work": work}
    if sim.load.dimension == "length":
        row["reaction"] = force / sim.depth / (units.J / units.m**2)
    return row
