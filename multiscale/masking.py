"""What atoms and what the law carries of the adhesion across the crack plane of a case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from coupling.bodies import Chi, Graded, by_surface_cell, sides, uniform
from coupling.cohesive import CohesiveLaw
from coupling.cohesive.compliance import Subtracted
from coupling.cohesive.renormalised import Stretched
from coupling.layers import adhesive_layers
from coupling.masking import Masking, masked, removed_adhesion
from coupling.model import Model
from coupling.planes import FLAT, PlaneLaw, plane_law
from multiscale.config import Case, InputError
from multiscale.interface import make_law
from multiscale.material import Material
from nnp.external import External

Array = np.ndarray


def with_masking(
    case: Case, material: Material, model: Model, law: CohesiveLaw | None = None, tip: float | None = None
) -> Model:
    """The model with the two sides of the crack plane as bodies, the share 1 − χ of their adhesion taken out of the
    atoms, and that share of the law among its terms. Collective.

    law: the mesh's, if there is one; tip: x that χ fades from, if not the case's. InputError where the plane is not
    the one that the law is of."""
    if case.interface.law == "none":
        return model
    if isinstance(material.potential, External):
        if case.interface.chi < 1.0 or case.interface.fade is not None:
            raise InputError(
                "interface.chi", "must be 1: a calculator has no site energies to take adhesion out of"
            )
        return model
    points, height, own = model.atoms.reference, material.tip[1], model.atoms.ownership
    chi = make_chi(case, material.tip[0] if tip is None else tip)
    try:
        bodies = sides(points, height)
        _check_gap(material, model, height)
        masking = Masking(bodies, by_surface_cell(chi, material.crystal)(points))
        term = None
        if own.any(bool((masking.chi < 1.0).any())):
            layers = adhesive_layers(material.potential, material.crystal)
            raw = between_planes(law or make_law(case, material))
            term = plane_law(model, masking, raw, height, layers)
    except ValueError as error:
        raise InputError("geometry.crack.tip", str(error)) from error
    out = masking if case.interface.masked else replace(masking, chi=np.ones(len(points)))
    terms = model.terms if term is None else (*model.terms, term)
    return replace(model, atomistic=masked(model.atomistic, out), terms=terms)


def between_planes(law: CohesiveLaw) -> CohesiveLaw:
    """A mesh's law before it was adapted to the mesh: masked atoms open from plane to plane, one plane at a time, and
    what lies between the planes has no elasticity of its own."""
    while isinstance(law, Subtracted | Stretched):
        law = law.law
    return law


def make_chi(case: Case, tip: float) -> Chi:
    """χ along the crack plane."""
    config, fade = case.interface, case.interface.fade
    if fade is None:
        return uniform(config.chi)
    centre = tip if fade.centre is None else fade.centre
    return Graded(config.chi, fade.to, (centre,), fade.radius, fade.width)


def _check_gap(material: Material, model: Model, height: float) -> None:
    """The law is of the crystal cut in the widest gap between its atomic planes; ValueError where the tip lies in
    another. Collective."""
    y, own = model.atoms.reference[:, 1], model.atoms.ownership
    above, below = y[y > height].min(initial=np.inf), y[y < height].max(initial=-np.inf)
    gap = -own.largest(-float(above)) - own.largest(float(below))
    planes = material.crystal.planes(1)
    widest = np.diff(np.append(planes, planes[0] + material.crystal.period((0.0, 1.0, 0.0)))).max()
    if gap < widest - FLAT:
        raise ValueError(
            f"its plane lies between atomic planes {gap:.3f} Å apart, the law is of the widest gap, {widest:.3f} Å"
        )


def adhesion(model: Model) -> float:
    """How many times the adhesion of rigid bodies is counted where atoms have weight: by the atoms as they are, and
    by the law. 1 where what the law holds is taken out of the atoms (less by the relaxation of surfaces, where the
    law has that). Collective."""
    masking, own = model.atomistic.masking, model.atoms.ownership
    laws = [term.faces for term in model.terms if isinstance(term, PlaneLaw)]
    if not isinstance(masking, Masking) or not laws:
        return 1.0
    bare = replace(model.atomistic, masking=None)
    index, whole = removed_adhesion(bare, replace(masking, chi=np.zeros(len(masking.chi))))
    _, taken = removed_adhesion(bare, masking)
    weights = model.atomistic.weights[index]
    total = own.sum(float(weights @ whole))
    left = own.sum(float(weights @ (whole - taken)) if len(taken) else float(weights @ whole))
    far = np.array([[1e3, 0.0, 0.0]])  # Å: out of reach
    held = sum(own.sum(float(faces.area @ faces.share)) * float(faces.law(far).energy[0]) for faces in laws)
    return (left + held) / total


def warnings(case: Case, model: Model, step: int) -> list[dict[str, Any]]:
    """One entry where the case counts adhesion twice on purpose: step, kind, value, limit, message. Collective."""
    if case.interface.masked:
        return []
    factor = adhesion(model)
    message = (
        f"step {step}: the adhesion across the crack plane is counted {factor:.3g} times where atoms have weight: "
        "interface.masked is false, so that the law acts and the atoms hold on all the same"
    )
    entry = {"step": step, "kind": "adhesion", "value": factor, "limit": 1.0, "stops": False}
    return [{**entry, "message": message}]
