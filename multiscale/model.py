"""The coupled model of a case: atoms, bulk, and what joins them."""

from __future__ import annotations

from typing import Any

import numpy as np

from coupling.assemble import RegionError, atomistic_model, continuum_model, coupled_model
from coupling.atoms import Removal, thickness
from coupling.model import Model
from coupling.regions import Mask
from coupling.schemes import FORCE_BASED
from coupling.surface import above
from meshes.data import MeshData
from multiscale.capacity import check_memory
from multiscale.cohesive_law import upper_crystal
from multiscale.config import Case, InputError
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.laws import Law, LawParameterError, make_law
from multiscale.division import Places, division
from multiscale.domain import check_fit, domain, on_lattice
from multiscale.ending import on_first_rank
from multiscale.given import given_atoms
from multiscale.material import Material
from multiscale.meshing import held, make_mesh_data, widened
from multiscale.placement import Placement
from multiscale.tip import outside
from nnp.crystal import Crystal
from nnp.homogeneous import HomogeneousCrystal
from nnp.potential import Potential
from nnp.storage import ModelFileError

Array = np.ndarray


def make_model(
    case: Case,
    material: Material,
    comm: Any,
    placement: Placement | None = None,
    like: Any = None,
    places: Places | None = None,
) -> Model:
    """Atoms and bulk of a case. Collective. placement: of the core, if not the case's; like: a bulk whose law is
    taken; places: where the atoms are when they are shared out, if not on their sites."""
    check_memory(case, material, comm.size)
    dim, block = case.geometry.dim, case.geometry.shape == "block"
    remove, relax = _empty(case), material.free_surface if block else None
    shift = None if case.coupling.shift == "none" else material.shift
    crystal, potential = material.crystal, material.potential
    if case.coupling.scheme == "atomistic":
        shares, given = division(case, material, None, places), given_atoms(case, material, comm, None)
        try:
            return atomistic_model(
                potential, crystal, domain(case), dim, comm, shift, remove, relax, shares, given
            )
        except RegionError as error:
            raise InputError("atoms.file", str(error)) from error
    if case.coupling.scheme == "continuum":
        return continuum_model(potential, crystal, _bulk(case, material, comm, None, None, like), held(case))
    placement = placement or Placement.of(case)
    mask = on_lattice(case, placement.mask(case), crystal)
    check_fit(case, mask, potential, crystal)
    given = given_atoms(case, material, comm, mask.core)
    basis = _basis(case, material)  # which may refuse: before there is a mesh to give up
    bulk = _bulk(case, material, comm, mask, placement.tip, like)
    try:
        depth, grips, shares = thickness(crystal, dim), held(case), division(case, material, mask, places)
        return coupled_model(
            potential, crystal, mask, bulk, depth, shift, remove, basis, relax, grips, shares, given
        )
    except RegionError as error:
        raise InputError("regions", str(error)) from error


def _bulk(
    case: Case, material: Material, comm: Any, mask: Mask | None, tip: tuple[float, float] | None, like: Any
) -> Bulk:
    """The finite elements of a case, whole without a mask. Collective."""
    crystal, degree = material.crystal, case.continuum.degree
    law = _law(case, material.potential, crystal) if like is None else like.law
    made: list[MeshData] = []
    on_first_rank(comm, lambda: made.append(make_mesh_data(case, crystal, mask, tip)))
    data, depth = made[0] if made else None, thickness(crystal, case.geometry.dim)
    if mask is None:
        bulk = Bulk(comm, data, law, depth, degree, ranks=case.parallel.bulk)
        if case.interface.upper is not None:
            upper = upper_crystal(case, material)
            bulk.set_upper(_law(case, material.potential, upper), material.tip[1])
        return bulk
    if case.interface.upper is not None:
        raise InputError("interface.upper", "needs coupling.scheme continuum: the atoms are of one crystal")
    blend = widened(mask.core, mask.blend)  # linear where the lattice is resolved, see continuum.straight
    return Bulk(comm, data, law, depth, degree, lambda x: blend(x) < 0.0, case.parallel.bulk)


def _empty(case: Case) -> Removal | None:
    """Which sites of the domain's crystal have no atom."""
    if case.geometry.shape == "tip":
        return outside(case)
    return above if case.geometry.shape == "block" else None


def _basis(case: Case, material: Material) -> HomogeneousCrystal | None:
    """What the basis of slaved atoms follows at finite strain; None where the linear shift is all."""
    if case.coupling.shift != "relaxed":
        return None
    if case.coupling.scheme not in FORCE_BASED:
        takers = " and ".join(FORCE_BASED)
        message = (
            f"relaxed is for schemes without an energy, {takers}; scheme {case.coupling.scheme} takes linear"
        )
        raise InputError("coupling.shift", message)
    return HomogeneousCrystal(material.potential, material.crystal)


def _law(case: Case, potential: Potential, crystal: Crystal) -> Law:
    config = case.continuum
    given = {"model": config.model, "young": config.young, "poisson": config.poisson}
    try:
        return make_law(config.law, potential, crystal, **given)
    except LawParameterError as error:
        raise InputError(f"continuum.{error.key}", str(error)) from error
    except ModelFileError as error:
        raise InputError("continuum.model", str(error)) from error
    except ValueError as error:
        raise InputError("continuum", str(error)) from error
