"""The crack plane of a run as a cohesive surface: its law, its place on the mesh, where it has opened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from petsc4py import PETSc
from scipy.spatial import cKDTree

from coupling.cohesive import LAWS, CohesiveLaw, Subtracted, derive_table, layer_compliance
from coupling.cohesive.damage import Irreversible, peak_opening
from coupling.cohesive.relaxed import Relaxed
from coupling.faces import Faces
from coupling.layers import adhesive_layers
from coupling.model import Model
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
    """surface: this rank's points and facets; law: of first opening; faces: the energy; mean: unknowns → mean
    displacement of both sides; critical: normal opening of the largest traction, Å, beyond which a point is open."""

    surface: Surface
    law: CohesiveLaw
    faces: Faces
    mean: PETSc.Mat
    critical: float

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


def with_interface(
    case: Case, material: Material, model: Model, before: Interface | None = None
) -> tuple[Model, Interface | None]:
    """The model with the cohesive surface that the case asks for as a term, and what a run needs of it; before: that
    of a model whose core was elsewhere, whose law and history go on. Collective."""
    if case.interface.law == "none" or model.bulk is None or model.mask is None:
        return model, None
    try:
        surface = make_surface(model.bulk, TAGS[case.interface.where])
    except (KeyError, ValueError) as error:
        raise InputError("continuum.mesh.file", f"holds no cohesive surface: {error}") from error
    law = make_law(case, material) if before is None else before.law
    acting = law
    if case.interface.irreversible:
        acting = Irreversible(law, _history(surface, before))
    layers = None  # without site energies it is not known where the adhesion sits
    if not isinstance(material.potential, External):
        layers = adhesive_layers(material.potential, material.crystal)
    faces = Faces.on(
        surface.jump(model.layout), surface.area, acting, surface.points, model.mask, layers=layers
    )
    made = Interface(surface, law, faces, surface.mean(model.layout), peak_opening(law))
    return replace(model, terms=(*model.terms, faces)), made


def _history(surface: Surface, before: Interface | None) -> Array:
    """Largest opening at each of this rank's points, (m,): that of the nearest point that had one. Collective."""
    x = surface.points
    if before is None:
        return np.zeros(len(x))
    known = zip(*surface.comm.allgather((before.faces.points, before.faces.memory)))
    points, largest = (np.concatenate(parts) for parts in known)
    return largest[cKDTree(points).query(x)[1]]


def make_law(case: Case, material: Material) -> CohesiveLaw:
    """The law that the case names, of the crystal cut on the crack plane. InputError where there is none."""
    config, kind = case.interface, cast(Any, LAWS[case.interface.law])
    try:
        table, bodies = derive_table(material.potential, material.crystal)
        law: CohesiveLaw = kind.fit(table)
        if config.surfaces == "relaxed":
            law = Relaxed(law, 2.0 * material.surface_energy)
    except ValueError as error:
        raise InputError("interface.law", str(error)) from error
    if config.compliance == "keep":
        return law
    return Subtracted(law, layer_compliance(material.elastic, bodies.gap), config.stiffness_ratio)
