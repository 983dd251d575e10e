"""Atoms shared out anew where they are, when they have wandered among those of other ranks.

An atom stays with the rank that owned it at first, wherever it goes: right, but each rank then needs copies of ever
more atoms of others. When these have grown by more than a bound, the model is built again with its atoms divided where
they are, and its state carried over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from petsc4py import PETSc
from scipy.spatial import cKDTree

from coupling.atoms import AtomSet
from coupling.continuation import continued
from coupling.exchange import Halo
from coupling.model import Model
from multiscale.adapting import faces
from multiscale.build import Simulation, rebuilt
from multiscale.division import Places
from multiscale.log import logger
from nnp.external import External

Array = np.ndarray

GROWTH = 0.2
"""Part by which the copies of others' atoms may grow before all are shared out anew."""

_SAME_SITE = 1e-3
"""Å."""


@dataclass(frozen=True)
class Shared:
    """A simulation and the copies of others' atoms that its ranks needed when its atoms were shared out; None: not
    counted, since nobody shares them."""

    simulation: Simulation
    copies: int | None

    @classmethod
    def at_first(cls, simulation: Simulation) -> Shared:
        """Of atoms that were shared out at rest. Collective."""
        model, copies = simulation.model, None
        shared = model.comm.size > 1 and model.atoms.ownership.total > 0
        if shared and not isinstance(simulation.material.potential, External):
            copies = model.atomistic.copies(model.atoms.reference)
        return cls(simulation, copies)

    def at(self, q: PETSc.Vec, value: float) -> tuple[Shared, PETSc.Vec]:
        """Itself and q as long as the copies have not grown too much, or would not become fewer; else shared out anew,
        with the unknowns there. value: of the load. Collective."""
        if self.copies is None:
            return self, q
        now = self.simulation.model.atomistic.copies(self.simulation.model.positions(q))
        if now <= (1.0 + GROWTH) * self.copies:
            return self, q
        new, state = shared_anew(self.simulation, q, value)
        fewer = new.model.atomistic.copies(new.model.positions(state))
        if fewer >= now:
            return replace(self, copies=now), q
        if new.model.comm.rank == 0:
            text = (
                "atoms shared out to the ranks anew: copies of others' atoms had grown from %d to %d, now %d"
            )
            logger.info(text, self.copies, now, fewer)
        return Shared(new, fewer), state


def shared_anew(sim: Simulation, q: PETSc.Vec, value: float) -> tuple[Simulation, PETSc.Vec]:
    """The simulation with its atoms shared out where they are at q, and its unknowns there; value: of the load.
    Collective."""
    new = rebuilt(sim, sim.placement, places(sim.model, q))
    return new, continued(sim.model, q, new.model, sim.load.field(value), faces(sim, q))


def places(model: Model, q: PETSc.Vec) -> Places:
    """Where the atoms of a model are, by their sites. Collective."""
    atoms, moved = model.atoms, model.positions(q) - model.atoms.sites

    def of(points: Array) -> Array:
        return points + _looked_up(atoms, moved, points)

    return of


def _looked_up(atoms: AtomSet, values: Array, points: Array) -> Array:
    """The values (n, 3) of the atoms on the sites at points (m, 3), zero where there is none. Collective."""
    halo = Halo.around(atoms.ownership.comm, atoms.sites, points, _SAME_SITE, atoms.dim)
    sites, known, out = halo.extended(atoms.sites), halo.extended(values), np.zeros((len(points), 3))
    if len(sites):
        distance, index = cKDTree(sites).query(points)
        out[distance < _SAME_SITE] = known[index[distance < _SAME_SITE]]
    return out
