"""What atoms and what the law carries of the adhesion across the crack plane of a case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coupling.bodies import Chi, Graded, by_surface_cell, sides, uniform
from coupling.faces import Law
from coupling.masking import Masking, masked, removed_adhesion
from coupling.model import Model
from coupling.planes import FLAT, PlaneLaw, plane_law
from multiscale.config import Case, InputError
from multiscale.material import Material

Array = np.ndarray


def with_masking(case: Case, material: Material, model: Model, law: Law) -> Model:
    """The model with the two sides of the crack plane as bodies, the share 1 − χ of their adhesion taken out of the
    atoms, and that share of the law (of rigid bodies, no compliance subtracted) among its terms. Collective.
    InputError where the plane is not the one that the law is of."""
    points, height = model.atoms.reference, material.tip[1]
    try:
        bodies = sides(points, height)
        _check_gap(material, points, height)
        masking = Masking(bodies, by_surface_cell(make_chi(case, material), material.crystal)(points))
        term = plane_law(model, masking, law)
    except ValueError as error:
        raise InputError("geometry.crack.tip", str(error)) from error
    out = masking if case.interface.masked else replace(masking, chi=np.ones(len(points)))
    terms = model.terms if term is None else (*model.terms, term)
    return replace(model, atomistic=masked(model.atomistic, out), terms=terms)


def make_chi(case: Case, material: Material) -> Chi:
    """χ along the crack plane."""
    config, fade = case.interface, case.interface.fade
    if fade is None:
        return uniform(config.chi)
    centre = material.tip[0] if fade.centre is None else fade.centre
    return Graded(config.chi, fade.to, (centre,), fade.radius, fade.width)


def _check_gap(material: Material, points: Array, height: float) -> None:
    """The law is of the crystal cut in the widest gap between its atomic planes; ValueError where the tip lies in
    another."""
    y = points[:, 1]
    gap = float(y[y > height].min() - y[y < height].max())
    planes = material.crystal.planes(1)
    widest = np.diff(np.append(planes, planes[0] + material.crystal.period((0.0, 1.0, 0.0)))).max()
    if gap < widest - FLAT:
        raise ValueError(
            f"its plane lies between atomic planes {gap:.3f} Å apart, the law is of the widest gap, {widest:.3f} Å"
        )


def adhesion(model: Model) -> float:
    """How many times the adhesion across the interface is counted where atoms have weight: by the atoms as they
    are, and by the law. 1 where what the law holds is taken out of the atoms. Collective."""
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
