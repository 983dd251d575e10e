"""How the work of a case is divided among ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coupling.assemble import halo
from coupling.atoms import Cost, Division, cost_of
from coupling.regions import Mask
from multiscale.config import Case, InputError
from multiscale.material import Material
from nnp.crystal import Crystal
from nnp.potential import Potential

Array = np.ndarray


def check_ranks(case: Case, comm: Any) -> None:
    """InputError where the case wants more ranks for one side than there are."""
    for key in ("atoms", "bulk"):
        wanted = getattr(case.parallel, key)
        if wanted is not None and wanted > comm.size:
            ranks = "1 rank" if comm.size == 1 else f"{comm.size} ranks"
            raise InputError(
                f"parallel.{key}", f"must be at most the number of ranks, got {wanted} on {ranks}"
            )


Places = Callable[[Array], Array]
"""See coupling.atoms.Division."""


def division(case: Case, material: Material, mask: Mask | None, places: Places | None = None) -> Division:
    """How the atoms are shared out: those that are evaluated cost one each, masked ones next to the interface, which
    are evaluated with and without the other body, two, the others little. mask: of a coupled model; places: where the
    atoms are, if not on their sites."""
    cost: Cost = cost_of
    if mask is not None and case.coupling.scheme in ("bqcf", "schwarz"):
        cost = _true_forces(mask, material.potential, material.crystal)
    if case.interface.law != "none" and case.interface.masked and _masks(case):
        cost = _twice(cost, material.tip[1], material.potential.receptive_field)
    return Division(cost, case.parallel.atoms, places)


def _true_forces(mask: Mask, potential: Potential, crystal: Crystal) -> Cost:
    """All sites that an atom with a true force feels are evaluated, whatever they weigh: half of the halo."""
    wide = mask.blend + 0.5 * (halo(potential, crystal) + crystal.a)
    return lambda points, weights: cost_of(points, (mask.core.distance(points) < wide).astype(float))


def _masks(case: Case) -> bool:
    fade = case.interface.fade
    return min(case.interface.chi, 1.0 if fade is None else fade.to) < 1.0


def _twice(cost: Cost, height: float, reach: float) -> Cost:
    def of(points: Array, weights: Array) -> Array:
        return cost(points, weights) * np.where(np.abs(points[:, 1] - height) < reach, 2.0, 1.0)

    return of
