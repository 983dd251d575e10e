"""The core follows what happens: moved along the crack with its tip, enlarged where the bulk is wrong.

The rule looks at a converged state. A crack whose foremost broken bond has come within a margin of the core's edge
takes the core along by whole lattice periods, so that the moved model is the one before, shifted; what it leaves behind
are free faces of the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from petsc4py import PETSc

from coupling.continuation import continued
from coupling.cut import Cut
from coupling.model import Energy
from multiscale.build import Simulation, overhang, rebuilt
from multiscale.config import InputError
from multiscale.log import logger
from multiscale.placement import Placement, adaptive, half_width, margin

Array = np.ndarray

HOLDS = 1.3
"""Stretch up to which a bond across the crack plane counts as one that holds."""


@dataclass(frozen=True)
class Remeshing:
    """What was done to a core and why. energy: of the same load before and after, eV, both in equilibrium; bridges:
    bonds across the plane that still held where the crack's faces were freed."""

    reason: str
    placement: Placement
    counts: dict[str, int]
    bridges: int
    before: Energy
    after: Energy | None = None

    def text(self) -> str:
        """One line for the log."""
        where = ", ".join(f"{x / 10:.3g}" for x in self.placement.centre)
        cut = f"; {self.bridges} bonds behind it that still held are cut" if self.bridges else ""
        after = "" if self.after is None else f" → {self.after.total:.6f}"
        return (
            f"core placed anew for {self.reason}: centre ({where}) nm, {self.counts['atoms']} atoms, "
            f"{self.counts['unknowns']} unknowns, energy {self.before.total:.6f}{after} eV{cut}"
        )

    def row(self, step: int) -> dict[str, Any]:
        """For the results."""
        after = None if self.after is None else self.after.total
        return {
            "step": step,
            "reason": self.reason,
            "center": list(self.placement.centre),
            "extent": list(self.placement.extent),
            **self.counts,
            "bridges": self.bridges,
            "energy_before": self.before.total,
            "energy_after": after,
        }


def next_placement(sim: Simulation, q: PETSc.Vec, tip: float | None) -> tuple[str, Placement] | None:
    """Where the core should be and why, None where it is well placed (or may not move). Collective."""
    if not adaptive(sim.case) or sim.placement is None:
        return None
    followed = _followed(sim, tip)
    return None if followed is None else ("the crack", followed)


def _followed(sim: Simulation, tip: float | None) -> Placement | None:
    """The core centred at the crack's tip, where that has come near its edge; it never goes back behind its first
    place."""
    here, first = sim.placement, Placement.of(sim.case)
    if tip is None or here is None or here.tip is None:
        return None
    room = half_width(here) - margin(sim.material.potential, sim.material.crystal)
    if abs(tip - here.centre[0]) <= room or (tip < here.centre[0] and here.centre[0] <= first.centre[0]):
        return None
    period = sim.material.crystal.period((1.0, 0.0, 0.0))
    back = here.centre[0] - half_width(here)  # all bonds hold: at least the core has healed
    steps = round((max(tip, back) - here.centre[0]) / period)
    steps = max(steps, round((first.centre[0] - here.centre[0]) / period))
    fitting = steps
    while fitting > 0 and _overhang(sim, here.shifted(fitting * period)) >= 0.0:
        fitting -= 1
    if fitting == 0:
        _warn(sim, f"the core cannot follow the crack to x = {tip:.1f} Å: its pad would leave the domain")
        return None
    return here.shifted(fitting * period)


def _overhang(sim: Simulation, placement: Placement) -> float:
    return overhang(sim.case, placement.mask(sim.case), sim.material.potential, sim.material.crystal)


def remeshed(
    sim: Simulation, q: PETSc.Vec, value: float, reason: str, placement: Placement, energy: Energy
) -> tuple[Simulation, PETSc.Vec, Remeshing] | None:
    """The simulation with its core elsewhere and its state there, not yet in equilibrium; None, with a warning, where
    it does not fit. energy: of q. Collective."""
    try:
        new = rebuilt(sim, placement)
    except InputError as error:
        _warn(sim, f"the core cannot be placed for {reason}, it stays: {error}")
        return None
    bonds = sim.bonds
    cut = None if bonds is None else Cut((_tip(sim, q), sim.material.tip[1]))
    state = continued(sim.model, q, new.model, sim.load.field(value), cut)
    what = Remeshing(reason, placement, sizes(new), _bridges(sim, q, placement), energy)
    return new, state, what


def _tip(sim: Simulation, q: PETSc.Vec) -> float:
    """Where the faces end now, Å: behind the core where all its bonds hold."""
    assert sim.bonds is not None and sim.placement is not None
    found = sim.bonds.tip(sim.model.positions(q), HOLDS)
    back = sim.placement.centre[0] - half_width(sim.placement)
    return found if np.isfinite(found) else back


def _bridges(sim: Simulation, q: PETSc.Vec, placement: Placement) -> int:
    """Bonds that hold and come to lie behind the new core, where the mesh has free faces."""
    if sim.bonds is None:
        return 0
    back = placement.centre[0] - half_width(placement)
    held = sim.bonds.stretch(sim.model.positions(q)) <= HOLDS
    return int((held & (sim.bonds.x < back)).sum())


def sizes(sim: Simulation) -> dict[str, int]:
    """Of a model. The same on every rank."""
    model = sim.model
    return {
        "atoms": len(model.atoms),
        "free_atoms": int(model.atoms.free.sum()),
        "evaluated_sites": int((model.atoms.weights != 0.0).sum()),
        "mesh_nodes": int(model.layout.mesh_starts[-1]),
        "unknowns": model.layout.n_global,
    }


def finished(what: Remeshing, energy: Energy) -> Remeshing:
    """With the energy of the new equilibrium."""
    return replace(what, after=energy)


def _warn(sim: Simulation, text: str) -> None:
    if sim.model.comm.rank == 0:
        logger.warning("%s", text)
