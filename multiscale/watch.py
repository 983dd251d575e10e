"""What a run watches for while a step is relaxed: forces that explode, a residual that stalls, no numbers at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from petsc4py import PETSc

from coupling.descent import NotANumberError, Solution
from coupling.model import Model
from coupling.schemes.base import Scheme
from multiscale.config.watching import WatchConfig

Array = np.ndarray
Entry = dict[str, Any]
Monitor = Callable[[int, float, float], None]

EXPLODED, GROWN = 1e3, 10.0
"""eV/Å, and times the force at the start."""

PATIENCE, PROGRESS = 100, 0.9
"""Iterations in which the largest force is to come down to this part of itself."""

ADVICE = {
    "explosion": "take smaller steps of the load, or look for atoms that were pushed into each other",
    "stall": "take smaller steps of the load, solver.method: newton, or a larger solver.force_tolerance",
    "lost_atoms": "take smaller steps of the load, or a potential that was trained on such atoms",
    "left_region": "make the core larger, or regions.core.adaptive: true",
    "penetration": "take smaller steps of the load, or a deeper interface.grid.compression",
    "inversion": "take smaller steps of the load, a larger core, or coarser elements where they are turned",
}


class Halted(Exception):
    """A step is not worth going on with."""


@dataclass
class Watch:
    """The monitor of one step, the same on every rank. entries: what there is to say of it."""

    config: WatchConfig
    step: int
    inner: Monitor | None = None
    entries: list[Entry] = field(default_factory=list)
    iterations: int = 0
    _first: float = np.inf
    _best: tuple[int, float] = (0, np.inf)

    def __call__(self, iteration: int, energy: float, residual: float) -> None:
        """Halted where the case has the step ended."""
        if self.inner is not None:
            self.inner(iteration, energy, residual)
        self.iterations = iteration
        self._first = min(self._first, residual) if iteration <= 1 else self._first
        if residual > max(EXPLODED, GROWN * self._first):
            self._note("explosion", residual, EXPLODED, f"a force of {residual:.3g} eV/Å")
        if residual < PROGRESS * self._best[1]:
            self._best = iteration, residual
        elif iteration - self._best[0] == PATIENCE:
            at = f"the largest force has stayed at {self._best[1]:.3g} eV/Å for {PATIENCE} iterations"
            self._note("stall", residual, PATIENCE, at)

    def _note(self, kind: str, value: float, limit: float, what: str) -> None:
        action = getattr(self.config, kind)
        if action == "off" or (action == "warn" and any(e["kind"] == kind for e in self.entries)):
            return
        self.entries.append(entry(self.step, kind, action, value, limit, what))
        if action == "stop":
            raise Halted(what)

    def halted(self, scheme: Scheme, q: PETSc.Vec) -> Solution:
        """What a step that was ended at q has come to. Collective."""
        model, g = scheme.model, scheme.model.vector()
        energy = scheme.energy_gradient(q, g)
        residual = model.block_norm(_forces(scheme, q))
        return Solution(energy, residual, self.iterations, self.iterations, False)

    def located(self, scheme: Scheme, q: PETSc.Vec) -> list[Entry]:
        """The entries with the place of the largest force at q. Collective."""
        if not self.entries:
            return []
        where = worst(scheme.model, np.linalg.norm(_forces(scheme, q).array_r.reshape(-1, 3), axis=1))
        return [placed(each, where) for each in self.entries]


def _forces(scheme: Scheme, q: PETSc.Vec) -> PETSc.Vec:
    g = scheme.model.vector()
    scheme.residual(q, g)
    g.array[scheme.model.fixed] = 0.0
    return g


def entry(step: int, kind: str, action: str, value: float, limit: float, what: str) -> Entry:
    """For the results and the log, with the keys of multiscale.trust's."""
    out = {"step": step, "kind": kind, "value": float(value), "limit": float(limit)}
    message = f"step {step}: {what}; {ADVICE[kind]}"
    return {**out, "stops": action == "stop", "message": message, "advice": ADVICE[kind]}


def placed(each: Entry, where: tuple[float, int | None, Array]) -> Entry:
    """An entry with the place (value, atom or None for a node, position) of what it is about."""
    _, atom, position = where
    named = {} if atom is None else {"atom": atom}
    head = each["message"].removesuffix(f"; {each['advice']}")
    message = f"{head}, at {shown(atom, position)}; {each['advice']}"
    return {**each, **named, "position": np.asarray(position).tolist(), "message": message}


def shown(atom: int | None, position: Array) -> str:
    return place(position) if atom is None else f"atom {atom}, {place(position)}"


def place(position: Array | list[float]) -> str:
    """A position, Å, as text; without the minus of a rounded zero."""
    return f"({', '.join(f'{x:.2f}' for x in np.round(position, 2) + 0.0)}) Å"


def worst(model: Model, values: Array) -> tuple[float, int | None, Array]:
    """The largest of values (n,) of this rank's free atoms and nodes, over all ranks; the atom, None for a node; its
    place at rest (3,). Collective."""
    own, k = model.atoms.ownership, int(np.argmax(values)) if len(values) else -1
    value, atom, place = -np.inf, None, np.zeros(3)
    if k >= model.layout.n_free:
        value, place = float(values[k]), model.nodes[k - model.layout.n_free]
    elif k >= 0:
        index = np.flatnonzero(model.atoms.free)[k]
        value, atom = float(values[k]), own.low + int(index)
        place = model.atoms.reference[index]
    return max(own.comm.allgather((value, atom, place)), key=lambda each: each[0])


def no_numbers(scheme: Scheme, q: PETSc.Vec, error: NotANumberError) -> NotANumberError:
    """The error with the first place that has no finite force, and what to try. Collective."""
    model, g = scheme.model, scheme.model.vector()
    with np.errstate(all="ignore"):
        scheme.residual(q, g)
    bad = (~np.isfinite(g.array_r.reshape(-1, 3)) | ~np.isfinite(q.array_r.reshape(-1, 3))).any(axis=1)
    value, atom, place = worst(model, bad.astype(float))
    where = f", first at {shown(atom, place)}" if value > 0.0 else ""
    return NotANumberError(
        f"{error}{where}; take smaller steps of the load, or look whether the potential is made for such atoms"
    )
