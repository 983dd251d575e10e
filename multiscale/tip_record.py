"""What a run with a tip finds: force on it and on the block, work, what is dissipated when it jumps."""

from __future__ import annotations

from typing import Any

import numpy as np
from petsc4py import PETSc

from multiscale.build import Simulation
from multiscale.contact import shown_force
from multiscale.loads.tip import Tip

Array = np.ndarray


def tip_of(sim: Simulation) -> Tip | None:
    return sim.load if isinstance(sim.load, Tip) else None


def tip_row(sim: Simulation, q: PETSc.Vec, value: float) -> dict[str, float]:
    """Of a step: tip_x and tip_y, displacement of the tip's upper edge, nm; force that presses it up and
    lateral_force that it needs along x, N/m; force_balance: both edges' reactions over that on the tip.
    Collective."""
    tip = tip_of(sim)
    if tip is None:
        return {}
    upper, lower = reactions(sim, q)
    size = float(np.linalg.norm(upper))
    x, y = tip.position(value) / 10.0
    row = {"tip_x": float(x), "tip_y": float(y), "force": float(shown_force(sim, -upper[1]))}
    row["lateral_force"] = float(shown_force(sim, upper[0]))
    if size > 0.0:
        row["force_balance"] = float(np.linalg.norm(upper + lower) / size)
    return row


def reactions(sim: Simulation, q: PETSc.Vec) -> tuple[Array, Array]:
    """What holds the tip's upper and the block's lower edge, (3,) each, eV/Å of one slice. Collective."""
    model = sim.model
    g = model.vector()
    sim.scheme.energy_gradient(q, g)
    at = np.zeros((model.layout.n_local // 3, 3))
    at[: model.layout.n_free] = model.atoms.reference[model.atoms.free]
    at[model.layout.n_free :] = model.nodes
    held = np.zeros(len(at), bool)
    held[model.fixed // 3] = True
    forces = g.array_r.reshape(-1, 3)
    sides = [forces[held & up].sum(axis=0) for up in (at[:, 1] > 0.0, at[:, 1] < 0.0)]
    upper, lower = model.comm.allreduce(np.stack(sides))
    return upper, lower


def dissipation(sim: Simulation, steps: list[dict[str, Any]]) -> tuple[Array, Array]:
    """Work of the force on the tip in each step after the first and what of it is not stored, both (n − 1,), eV of
    one slice; by the trapezoidal rule, so that a jump counts with the error of its step."""
    unit = float(shown_force(sim, 1.0))
    places = 10.0 * np.array([[s["tip_x"], s["tip_y"]] for s in steps])
    force = np.array([[s["lateral_force"], -s["force"]] for s in steps]) / unit
    energy = np.array([s["energy"]["total"] for s in steps])
    work = np.einsum("nc,nc->n", 0.5 * (force[1:] + force[:-1]), np.diff(places, axis=0))
    return work, work - np.diff(energy)


def tip_findings(sim: Simulation, steps: list[dict[str, Any]]) -> dict[str, float | None]:
    """max_force and pull_off_force (largest push and pull) and max_lateral_force, N/m; lateral_stiffness at the first
    step along x, GPa (N/m for each metre of depth); work of the force on the tip, dissipated (what of it is not
    stored), J/m, and the same in the step that dissipates most, largest_jump, with its place jump_x and jump_y, nm;
    loop_work since the tip was last where it ends, J/m: of a steady loop what friction dissipates."""
    if tip_of(sim) is None or not steps:
        return {}
    force, lateral = (np.array([s[name] for s in steps]) for name in ("force", "lateral_force"))
    found: dict[str, float | None] = {
        "max_force": float(force.max()),
        "pull_off_force": max(0.0, -float(force.min())),
        "max_lateral_force": float(np.abs(lateral).max()),
    }
    x = np.array([s["tip_x"] for s in steps])
    if len(moved := np.flatnonzero(np.diff(x) != 0.0)):
        k = moved[0]
        found["lateral_stiffness"] = float((lateral[k + 1] - lateral[k]) / (x[k + 1] - x[k]))
    if len(steps) > 1:
        unit = float(shown_force(sim, 1.0)) * 1e-10  # J/m in an eV of one slice
        work, lost = dissipation(sim, steps)
        most = int(lost.argmax())
        found |= {"work": float(work.sum()) * unit, "dissipated": float(lost.sum()) * unit}
        found |= {"largest_jump": float(lost[most]) * unit}
        found |= {"jump_x": steps[most + 1]["tip_x"], "jump_y": steps[most + 1]["tip_y"]}
        start = _loop(steps)
        found["loop_work"] = None if start is None else float(work[start:].sum()) * unit
    return found


def _loop(steps: list[dict[str, Any]]) -> int | None:
    """The last step before the final one at which the tip was where it is in the end, None: the way is not closed."""
    places = np.array([[s["tip_x"], s["tip_y"]] for s in steps])
    same = np.flatnonzero(np.linalg.norm(places[:-1] - places[-1], axis=1) < 1e-6)
    return int(same[-1]) if len(same) else None
