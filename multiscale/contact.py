"""What a run with an indenter finds: force, size of the contact, balance of forces, and Hertz beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import units
from petsc4py import PETSc

from coupling.indenter import Indenter
from multiscale.build import Simulation
from multiscale.hertz import NEWTON
from nnp.indentation import indentation_modulus, line_modulus, tabor

Array = np.ndarray


def indenter_of(sim: Simulation) -> Indenter | None:
    return next((term for term in sim.model.terms if isinstance(term, Indenter)), None)


def shown_force(sim: Simulation, force: Array | float) -> Any:
    """A force on one slice, eV/Å, in multiscale.hertz.unit_of_force."""
    if sim.case.geometry.dim == 3:
        return force / NEWTON * 1e9
    return force / sim.model.atoms.cell[2, 2] * units.m / NEWTON


def modulus(sim: Simulation) -> float:
    """Indentation modulus of the perfect crystal, eV/Å³."""
    C = sim.material.elastic
    return indentation_modulus(C) if sim.case.geometry.dim == 3 else line_modulus(C)


def contact_row(sim: Simulation, q: PETSc.Vec) -> dict[str, float]:
    """Of a step: force that presses the indenter up (nN, of a cylinder N/m), height of its lowest point
    indenter_bottom (nm, the crystal ends at 0), contact_radius (nm) by the moment of the
    pressure, force_balance: force on the body and supports' reactions and forces left over the force. Collective."""
    indenter = indenter_of(sim)
    if indenter is None:
        return {}
    force = indenter.force(q)
    lowest = float(indenter.centre[1] - indenter.radius)
    row = {"force": float(shown_force(sim, force[1])), "indenter_bottom": lowest / 10.0}
    if indenter.wall.reach == 0.0:
        row["contact_radius"] = indenter.contact_radius(q) / 10.0
    g = sim.model.vector()
    sim.scheme.energy_gradient(q, g)
    total = sim.model.comm.allreduce(g.array_r.reshape(-1, 3).sum(axis=0))
    size = float(np.linalg.norm(force))
    if size > 0.0:
        row["force_balance"] = float(np.linalg.norm(total - force) / size)
    return row


def contact_findings(sim: Simulation, steps: list[dict[str, Any]]) -> dict[str, float | None]:
    """indentation_modulus (GPa); max_force and pull_off_force (largest push and pull, as in `contact_row`); of an
    adhesive indenter its Tabor number and, of a sphere, pull_off_over_piwR, 1.5 (JKR) to 2 (DMT), both with the radius
    of the sphere on which the atoms rest."""
    if indenter_of(sim) is None:
        return {}
    M = modulus(sim)
    load: Any = sim.case.load
    found: dict[str, float | None] = {"indentation_modulus": M / units.GPa}
    forces = [s["force"] for s in steps if "force" in s]
    if forces:
        found["max_force"] = max(forces)
        found["pull_off_force"] = max(0.0, -min(forces))
    contact = load.contact
    if contact.law == "adhesive":
        R = load.radius + contact.distance  # of the sphere on which the atoms rest
        found["tabor"] = tabor(R, contact.work, contact.distance, M)
        if forces and sim.case.geometry.dim == 3:
            scale = float(shown_force(sim, np.pi * contact.work * R))
            found["pull_off_over_piwR"] = max(0.0, -min(forces)) / scale
    return found
