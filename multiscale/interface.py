"""The crack plane of a run as a cohesive surface: its law, its place on the mesh, where it has opened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from petsc4py import PETSc
from scipy.spatial import cKDTree

from coupling.cohesive import CohesiveLaw
from coupling.cohesive.damage import Irreversible, peak_opening
from coupling.cohesive.relaxed import Relaxed
from coupling.cohesive.zone import ELEMENTS, zone_length
from coupling.faces import Faces
from coupling.layers import adhesive_layers
from coupling.model import Model
from multiscale.cohesive_law import between_bodies, named_law
from multiscale.config import Case, InputError
from multiscale.continuum.surface import Surface, make_surface
from multiscale.material import Material
from nnp.external import External

Array = np.ndarray

TAGS = {
    "ahead": (("interface_upper", "interface_lower"),),
    "plane": (("interface_upper", "interface_lower"), ("crack_upper", "crack_lower")),
}
"""Pairs of faces by the word for interface.where."""


@dataclass(frozen=True)
class Interface:
    """surface: this rank's points and facets; rigid: the law of rigid bodies; law: what acts on the mesh, of first
    opening; faces: the energy; mean: unknowns → mean displacement of both sides; critical: normal opening of the
    largest traction, Å, beyond which a point is open; zone: length of the cohesive zone, Å."""

    surface: Surface
    rigid: CohesiveLaw
    law: CohesiveLaw
    faces: Faces
    mean: PETSc.Mat
    critical: float
    zone: float

    def under(self, model: Model) -> Interface:
        """With the share of the area that a model with this surface among its terms gives the law."""
        faces = next(t for t in model.terms if isinstance(t, Faces) and t.jump is self.faces.jump)
        return replace(self, faces=faces)

    @property
    def dissipated(self) -> float:
        """Energy that damage has taken for good, eV. Collective."""
        law, lost = self.faces.law, 0.0
        if isinstance(law, Irreversible):
            lost = float(self.faces.area * self.faces.share @ law.dissipated)
        return float(self.surface.comm.allreduce(lost))

    def tip(self, q: PETSc.Vec) -> float:
        """The foremost open point along x, Å, where atoms do not hold; −inf if none is open. Collective."""
        open_ = (self.faces.opening(q)[:, 0] > self.critical) & (self.faces.share > 0.0)
        x = self.faces.points[open_, 0]
        return max(self.surface.comm.allgather(float(x.max(initial=-np.inf))))

    def warnings(self, q: PETSc.Vec, step: int) -> list[dict[str, Any]]:
        """One entry where the elements at a crack tip on the mesh are too large for its cohesive zone. Collective."""
        tip, corners = self.tip(q), self.surface.corners
        near = np.abs(corners[..., 0].mean(axis=1) - tip) < self.zone if np.isfinite(tip) else []
        size = (
            np.linalg.norm(corners[near, -1] - corners[near, 0], axis=1).max(initial=0.0)
            if len(corners)
            else 0.0
        )
        h, most = max(self.surface.comm.allgather(float(size))), self.zone / ELEMENTS
        if not np.isfinite(tip) or h <= 1.01 * most:
            return []
        message = (
            f"step {step}: the cohesive zone of the crack on the mesh, {self.zone / 10:.2g} nm long at x = "
            f"{tip / 10:.3g} nm, needs elements of at most {most / 10:.2g} nm, there are some of {h / 10:.2g} nm: the "
            "crack sticks to them; set continuum.mesh.interface_h and interface_length"
        )
        entry = {"step": step, "kind": "cohesive zone", "value": h, "limit": most, "stops": False}
        return [{**entry, "position": [tip], "message": message}]


def with_interface(
    case: Case, material: Material, model: Model, before: Interface | None = None
) -> tuple[Model, Interface | None]:
    """The model with the cohesive surface that the case asks for as a term, and what a run needs of it; before: that
    of a model whose core was elsewhere, whose law and history go on. Collective."""
    if case.interface.law == "none" or model.bulk is None:
        return model, None
    try:
        surface = make_surface(model.bulk, TAGS[case.interface.where])
    except (KeyError, ValueError) as error:
        raise InputError("continuum.mesh.file", f"holds no cohesive surface: {error}") from error
    rigid = named_law(case, material) if before is None else before.rigid
    law = make_law(case, material, rigid) if before is None else before.law
    acting = law
    if case.interface.irreversible:
        acting = Irreversible(law, _history(surface, before))
    layers = None  # without site energies it is not known where the adhesion sits
    if not isinstance(material.potential, External):
        layers = adhesive_layers(material.potential, material.crystal)
    faces = Faces.on(
        surface.jump(model.layout), surface.area, acting, surface.points, model.mask, layers=layers
    )
    critical = peak_opening(law)
    peak = float(law(np.array([[critical, 0.0, 0.0]])).traction[0, 0])
    zone = zone_length(material.elastic, law.work, peak)
    made = Interface(surface, rigid, law, faces, surface.mean(model.layout), critical, zone)
    return replace(model, terms=(*model.terms, faces)), made


def _history(surface: Surface, before: Interface | None) -> Array:
    """Largest opening at each of this rank's points, (m,): that of the nearest point that had one. Collective."""
    x = surface.points
    if before is None:
        return np.zeros(len(x))
    known = zip(*surface.comm.allgather((before.faces.points, before.faces.memory)))
    points, largest = (np.concatenate(parts) for parts in known)
    return largest[cKDTree(points).query(x)[1]]


def make_law(case: Case, material: Material, rigid: CohesiveLaw | None = None) -> CohesiveLaw:
    """The law that acts on the mesh: of the crystal cut on the crack plane, as the case names it, with relaxed
    surfaces and without the compliance of the bulk where that is asked for; rigid: that of rigid bodies, if it is
    known. InputError where there is none."""
    law = named_law(case, material) if rigid is None else rigid
    if case.interface.surfaces == "relaxed":
        try:
            law = Relaxed(law, 2.0 * material.surface_energy)
        except ValueError as error:
            raise InputError("interface.surfaces", f"cannot be relaxed: {error}; set rigid") from error
    return between_bodies(law, case, material)
