"""The core follows what happens: moved along the crack with its tip, enlarged where the bulk is wrong.

The rule looks at a converged state. A crack whose foremost broken bond has come within a margin of the core's edge
takes the core along by whole lattice periods, so that the moved model is the one before, shifted; what it leaves behind
are free faces of the mesh. Where the error indicator (coupling.indicator) beyond the blend zone is above the tolerance,
the core grows until the blend zone holds the place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from petsc4py import PETSc

from coupling.atoms import thickness
from coupling.continuation import continued
from coupling.cut import Cut
from coupling.model import Energy
from multiscale.build import Simulation, rebuilt
from multiscale.config import InputError
from multiscale.domain import overhang
from multiscale.indicating import indication
from multiscale.log import logger
from multiscale.placement import Placement, adaptive, half_width, margin

Array = np.ndarray

GROWTH = 0.5
"""Most that a side of the core moves outwards at once, in extents: the indicator of coarse cells is coarse."""

HOLDS = 1.3
"""Stretch up to which a bond across the crack plane counts as one that holds."""


@dataclass(frozen=True)
class Remeshing:
    """What was done to a core and why. before, after: energy at the same load, in equilibrium, with that of faces left
    to the mesh, eV; bridges: bonds across the plane that still held where the crack's faces were freed."""

    reason: str
    placement: Placement
    counts: dict[str, int]
    bridges: int
    before: float
    after: float | None = None

    def text(self) -> str:
        """One line for the log."""
        where = ", ".join(f"{x / 10:.3g}" for x in self.placement.centre)
        cut = f"; {self.bridges} bonds behind it that still held are cut" if self.bridges else ""
        after = "" if self.after is None else f" → {self.after:.6f}"
        return (
            f"core placed anew for {self.reason}: centre ({where}) nm, {self.counts['atoms']} atoms, "
            f"{self.counts['unknowns']} unknowns, energy {self.before:.6f}{after} eV{cut}"
        )

    def row(self, step: int) -> dict[str, Any]:
        """For the results."""
        return {
            "step": step,
            "reason": self.reason,
            "center": list(self.placement.centre),
            "extent": list(self.placement.extent),
            **self.counts,
            "bridges": self.bridges,
            "energy_before": self.before,
            "energy_after": self.after,
        }


def next_placement(sim: Simulation, q: PETSc.Vec, tip: float | None) -> tuple[str, Placement] | None:
    """Where the core should be and why, None where it is well placed (or may not move). Collective."""
    if not adaptive(sim.case) or sim.placement is None:
        return None
    followed = _followed(sim, tip)
    if followed is not None:
        return "the crack", followed
    return _grown(sim, q, tip)


def _grown(sim: Simulation, q: PETSc.Vec, tip: float | None) -> tuple[str, Placement] | None:
    """The core enlarged where the bulk, or a committee outside the core, is above the tolerance; first only centred at
    the crack's tip, if it is not."""
    here, regions = sim.placement, sim.case.regions
    assert here is not None and regions is not None
    tolerance = regions.core.tolerance
    if tolerance is None:
        return None
    found = indication(sim, q, tolerance, faces(sim, q))
    if found.largest <= tolerance:
        return None
    reason = f"an error indicator of {found.largest:.3g} in the bulk"
    centred = None if tip is None or not np.isfinite(tip) else _centred(sim, tip)
    if centred is not None:
        return reason, centred
    kind, a, most = regions.core.shape, sim.material.crystal.a, GROWTH * max(here.extent)
    wanted = here
    for points, by in ((found.beyond, regions.blend), (found.uncertain, 0.0)):
        if len(points):
            wanted = wanted.grown(kind, points, by, a, most)
    for part in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        fitting = _between(here, wanted, part)
        if _overhang(sim, fitting) < 0.0:
            return reason, fitting
    text = f"the error indicator of the bulk is {found.largest:.3g}, above the tolerance {tolerance:.3g}"
    _warn(sim, f"{text}, but a larger core would leave the domain")
    return None


def _between(a: Placement, b: Placement, t: float) -> Placement:
    centre = tuple((1.0 - t) * x + t * y for x, y in zip(a.centre, b.centre))
    extent = tuple((1.0 - t) * x + t * y for x, y in zip(a.extent, b.extent))
    return replace(a, centre=centre, extent=extent)


def _followed(sim: Simulation, tip: float | None) -> Placement | None:
    """The core centred at the crack's tip, where that has come near its edge."""
    here, first = sim.placement, Placement.of(sim.case)
    if tip is None or here is None or here.tip is None:
        return None
    room = half_width(here) - margin(sim.material.potential, sim.material.crystal)
    if abs(tip - here.centre[0]) <= room or (tip < here.centre[0] and here.centre[0] <= first.centre[0]):
        return None
    moved = _centred(sim, tip)
    if moved is None:
        _warn(sim, f"the core cannot follow the crack to x = {tip:.1f} Å: its pad would leave the domain")
    return moved


def _centred(sim: Simulation, tip: float) -> Placement | None:
    """The core moved by whole periods to where the crack's tip is, as far as the domain allows, but not back behind its
    first place; None where that is here."""
    here, first = sim.placement, Placement.of(sim.case)
    assert here is not None
    period = sim.material.crystal.period((1.0, 0.0, 0.0))
    back = here.centre[0] - half_width(here)  # all bonds hold: at least the core has healed
    steps = round((max(tip, back) - here.centre[0]) / period)
    steps = max(steps, round((first.centre[0] - here.centre[0]) / period))
    while steps > 0 and _overhang(sim, here.shifted(steps * period)) >= 0.0:
        steps -= 1
    return here.shifted(steps * period) if steps else None


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
    state = continued(sim.model, q, new.model, sim.load.field(value), faces(sim, q))
    before = energy.total + left_behind(sim)
    what = Remeshing(reason, placement, sizes(new), _bridges(sim, q, placement), before)
    return new, state, what


def faces(sim: Simulation, q: PETSc.Vec) -> Cut | None:
    """The crack's faces as they are: up to the foremost broken bond, to the back of the core where all its bonds hold;
    None without a crack."""
    if sim.bonds is None or sim.placement is None:
        return None
    tip = sim.bonds.tip(sim.model.positions(q), HOLDS)
    back = sim.placement.centre[0] - half_width(sim.placement)
    return Cut((tip if np.isfinite(tip) else back, sim.material.tip[1]))


def _bridges(sim: Simulation, q: PETSc.Vec, placement: Placement) -> int:
    """Bonds that hold and come to lie behind the new core, where the mesh has free faces."""
    if sim.bonds is None:
        return 0
    back = placement.centre[0] - half_width(placement)
    return sim.bonds.bridges(sim.model.positions(q), back, HOLDS)


def sizes(sim: Simulation) -> dict[str, int]:
    """Of a model. Collective."""
    model, own = sim.model, sim.model.atoms.ownership
    return {
        "atoms": own.total,
        "free_atoms": int(model.layout.free_starts[-1]),
        "evaluated_sites": int(own.sum(int((model.atoms.weights != 0.0).sum()))),
        "mesh_nodes": int(model.layout.mesh_starts[-1]),
        "unknowns": model.layout.n_global,
    }


def left_behind(sim: Simulation) -> float:
    """Surface energy of the crack's faces that atoms carried at first and mesh does now, eV; negative where the atoms
    have taken over faces of the mesh. With it energies of differently placed cores are of one scale."""
    if sim.placement is None or sim.bonds is None or not adaptive(sim.case):
        return 0.0
    back, first = (p.centre[0] - half_width(p) for p in (sim.placement, Placement.of(sim.case)))
    if back == first:
        return 0.0
    depth = thickness(sim.material.crystal, 2)
    return 2.0 * sim.material.surface_energy * depth * (back - first)


def _warn(sim: Simulation, text: str) -> None:
    if sim.model.comm.rank == 0:
        logger.warning("%s", text)
