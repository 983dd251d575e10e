"""The named numbers of a run: Griffith load, loads at which the crack moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiscale.build import Simulation
from multiscale.config.quantities import DIMENSIONS, parse_unit
from multiscale.contact import contact_findings
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.mismatch import elastic_mismatch
from multiscale.tip_record import tip_findings

MOVED = 1.0
"""A tip that has moved by more than this, Å, has moved: half the distance of two bonds along it is more."""


def findings(sim: Simulation, steps: list[dict[str, Any]]) -> dict[str, float | None]:
    """lattice_constant (Å), elastic_mismatch of the bulk's constants against the crystal's, ghost_force that the
    scheme removes (eV/Å), extrapolation and force_spread (eV/Å), the largest of any atom in any step, where they
    were measured; with an indenter those of `contact_findings`, with a tip those of `tip_findings`; with a cohesive
    surface its work_of_adhesion (J/m²), peak_traction (GPa) and the length of its cohesive_zone (nm); with a crack,
    K_G and surface_energy (MPa√m, J/m²), K_plus: load of the first step at which the tip had moved forward
    (null where it had in the very first),
    K_minus: of the first step on the way back at which it had receded from its foremost position. Where the path of
    equilibria is followed these are the loads of its first maximum and first minimum."""
    found: dict[str, float | None] = {"lattice_constant": sim.material.crystal.a}
    if isinstance(sim.model.bulk, Bulk):
        found["elastic_mismatch"] = elastic_mismatch(sim.model.bulk.law, sim.material.elastic)
    ghost = getattr(sim.scheme, "ghost_force", None)
    if ghost is not None:
        found["ghost_force"] = ghost
    for name in ("extrapolation", "force_spread"):
        if known := [s[name] for s in steps if name in s]:
            found[name] = max(known)
    found |= contact_findings(sim, steps) | tip_findings(sim, steps)
    if sim.interface is not None:
        law, critical = sim.interface.law, np.array([[sim.interface.critical, 0.0, 0.0]])
        found["work_of_adhesion"] = law.work / _factor("surface energy")
        found["peak_traction"] = float(law(critical).traction[0, 0]) / _factor("stress")
        found["cohesive_zone"] = 0.1 * sim.interface.zone
    if sim.bonds is None or sim.load.dimension != "stress intensity":
        return found
    found["K_G"] = sim.material.griffith / _factor("stress intensity")
    found["surface_energy"] = sim.material.surface_energy / _factor("surface energy")
    if sim.case.solver.path == "arc-length":
        found["K_plus"] = next((s["fold"] for s in steps if "fold" in s and s["turned"]), None)
        found["K_minus"] = next((s["fold"] for s in steps if "fold" in s and not s["turned"]), None)
    else:
        found["K_plus"] = None if _began_beyond(sim, steps) else _first(steps, forward=True)
        found["K_minus"] = _first(steps, forward=False)
    return found


def _began_beyond(sim: Simulation, steps: list[dict[str, Any]]) -> bool:
    """Whether the crack has run in the very first step, so that the load at which it begins to is not known."""
    return bool(steps) and _tip(steps[0]) > sim.material.tip[0] + sim.material.crystal.a


def _first(steps: list[dict[str, Any]], forward: bool) -> float | None:
    if not steps:
        return None
    start = _tip(steps[0])
    up = [s for s in steps if not s["turned"]]
    if forward:
        return next((s["load"] for s in up if _tip(s) > start + MOVED), None)
    foremost = _tip(up[-1])
    return next((s["load"] for s in steps if s["turned"] and _tip(s) < foremost - MOVED), None)


def _tip(step: dict[str, Any]) -> float:
    """Where the crack ends, Å; far behind where all bonds hold, which JSON keeps as null."""
    tip = step["crack_tip"]
    return -np.inf if tip is None else tip


def _factor(dimension: str) -> float:
    return parse_unit(DIMENSIONS[dimension].shown).factor
