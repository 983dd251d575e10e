"""A smooth rigid sphere or cylinder pressed into the surface of a block whose other sides are held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coupling.indenter import make_indenter
from coupling.model import Field, Model
from coupling.surface import Surface, top_sites
from coupling.term import Term
from coupling.wall import Adhesive, Repulsive, Wall

_MARGIN = 5.0
"""Å that the sites reach beyond where the undeformed surface would be touched."""


@dataclass(frozen=True)
class Indent:
    """The parameter is the depth, Å. The boundary stays at rest; the indenter is a term that follows the depth.

    material gives the `crystal`, which ends at y = 0, and its relaxed `free_surface`.
    """

    config: Any
    material: Any
    geometry: Any
    name: str = "depth"
    dimension: str = "length"
    advance: float | None = None

    @property
    def values(self) -> tuple[float, ...]:
        return self.config.depth.upward()

    @property
    def floor(self) -> float | None:
        return self.config.depth.floor if self.config.depth.back else None

    def field(self, value: float) -> Field:
        return lambda x: np.zeros_like(x)

    def terms(self, model: Model) -> tuple[Term, ...]:
        dim = 2 if model.atoms.pbc[2] else 3
        config, crystal, relax = self.config, self.material.crystal, self.material.free_surface
        centre = config.centre or (0.0,) * (dim - 1)
        wall = self._wall(top_sites(crystal, relax, dim, centre, crystal.a))
        deepest = max(config.depth.end, 0.0)
        wanted = float(np.sqrt(2.0 * config.radius * (deepest + wall.reach - wall.rest))) + _MARGIN
        room = _room(model, centre)
        if wanted > room and config.contact.law == "repulsive":
            raise ValueError(
                f"the indenter may touch the surface up to {wanted / 10:.3g} nm from its middle, the block ends at "
                f"{room / 10:.3g} nm: make the block larger, or radius or depth smaller"
            )
        below = crystal.a if config.contact.law == "repulsive" else 0.0
        surface = top_sites(crystal, relax, dim, centre, min(wanted, room), below)
        indenter = make_indenter(model, surface, dim, centre, config.radius, wall)
        indenter.drive(self.values[0])
        return (indenter,)

    def _wall(self, surface: Surface) -> Wall:
        contact = self.config.contact
        if contact.law == "repulsive":
            return Repulsive(contact.stiffness)
        return Adhesive(contact.work, contact.distance, surface.area)


def _room(model: Model, centre: tuple[float, ...]) -> float:
    """Distance from the middle of the contact to the nearest side, Å. Collective."""
    axes = [0, 2][: len(centre)]
    points = np.concatenate([model.nodes, model.atoms.reference])[:, axes]
    high = np.max(model.comm.allgather(points.max(axis=0, initial=-np.inf)), axis=0)
    low = np.min(model.comm.allgather(points.min(axis=0, initial=np.inf)), axis=0)
    return float(min((high - centre).min(), (np.asarray(centre) - low).min())) - 1e-6
