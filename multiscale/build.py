"""From a case to the objects it names: potential, crystal, mesh, model, scheme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coupling.assemble import RegionError, atomistic_model, continuum_model, coupled_model, halo
from coupling.atoms import Removal, thickness
from coupling.cut import BondRow, Cut, bond_row
from coupling.gap import Gap
from coupling.hessian import reference_hessian
from coupling.least_mask import least_second_difference
from coupling.model import Model
from coupling.preconditioner import Preconditioner, stiffness
from coupling.regions import OPTIMAL, Ball, Box, Mask, Shape
from coupling.schemes import FORCE_BASED, SCHEMES, Reference, Scheme
from coupling.surface import above
from coupling.term import Term
from meshes.data import MeshData
from multiscale.block import block_overhang, projected_lattice
from multiscale.capacity import check_memory, check_reach
from multiscale.cohesive_law import upper_crystal
from multiscale.config import Case, InputError, check_blend
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.laws import Law, LawParameterError, make_law
from multiscale.crystals import crystal_of
from multiscale.division import check_ranks, division
from multiscale.ending import on_first_rank
from multiscale.extent import with_radius
from multiscale.given import given_atoms
from multiscale.interface import Interface, with_interface
from multiscale.loads import LOADS, Load
from multiscale.masking import with_masking
from multiscale.material import Material
from multiscale.meshing import held, make_mesh_data, node_origin, widened
from multiscale.placement import Placement, check_room
from multiscale.tip import APART, outside, tip_overhang, whole
from multiscale.tip_gap import with_gap
from multiscale.trust import Trust, check_limits, make_trust
from nnp.committee import driving
from nnp.crystal import Crystal
from nnp.external import CalculatorError
from nnp.homogeneous import HomogeneousCrystal
from nnp.potential import Potential
from nnp.registry import ParameterError, make_potential
from nnp.storage import ModelFileError

Array = np.ndarray


@dataclass(frozen=True)
class Simulation:
    """Everything that a run needs. bonds: those across the crack plane, None without a crack; trust: what tells
    how far its potential can be believed; placement: of the core, None where every site is an atom; interface: the
    cohesive surface on the crack plane, None without one."""

    case: Case
    material: Material
    load: Load
    model: Model
    scheme: Scheme
    precondition: Preconditioner
    bonds: BondRow | None
    trust: Trust
    placement: Placement | None = None
    interface: Interface | None = None

    @property
    def depth(self) -> float:
        """Of the slice along z that is modelled, Å; 1 in a solid."""
        return thickness(self.material.crystal, self.case.geometry.dim)


Say = Callable[[str], None]


def build(
    case: Case, comm: Any, say: Say = lambda text: None, placement: Placement | None = None
) -> Simulation:
    """Build a case. Collective; `say` is told what is being done; placement: of the core, where it is no longer the
    case's. InputError where names or sizes do not fit."""
    check_ranks(case, comm)
    say("material constants from the potential")
    material = make_material(case)
    case = with_radius(case, material)
    load = LOADS[case.load.type](case.load, material, case.geometry)
    if case.regions is not None and case.coupling.scheme != "atomistic":
        placement = placement or Placement.of(case)
    say("mesh, atoms and transfer")
    model = make_model(case, material, comm, placement)
    if case.interface.law != "none":
        say("cohesive law")
    model, interface = _with_plane(case, material, model, placement)
    model = replace(model, terms=(*model.terms, *_terms(load, model)))
    say("scheme and preconditioner")
    return _assembled(case, material, load, model, placement, interface)


def rebuilt(old: Simulation, placement: Placement) -> Simulation:
    """The simulation with its core elsewhere; time and work spent are counted on. Collective; InputError where it
    does not fit."""
    model = make_model(old.case, old.material, old.model.comm, placement, old.model.bulk)
    counted = replace(model.atomistic, counter=old.model.atomistic.counter)
    model = replace(model, atomistic=counted, clock=old.model.clock)
    model, interface = _with_plane(old.case, old.material, model, placement, old.interface)
    model = replace(model, terms=(*model.terms, *_terms(old.load, model)))
    return _assembled(old.case, old.material, old.load, model, placement, interface)


def _with_plane(
    case: Case,
    material: Material,
    model: Model,
    placement: Placement | None,
    before: Interface | None = None,
) -> tuple[Model, Interface | None]:
    """The model with what holds its crack plane together: the law on the mesh, and for masked atoms; or what acts
    between a tip and a block."""
    if case.geometry.shape == "tip":
        return with_gap(case, material, model), None
    model, interface = with_interface(case, material, model, before)
    tip = None if placement is None or placement.tip is None else placement.tip[0]
    law = None if interface is None else interface.law
    if not model.atoms.ownership.total:
        return model, interface
    return with_masking(case, material, model, law, tip), interface


def _assembled(
    case: Case,
    material: Material,
    load: Load,
    model: Model,
    placement: Placement | None,
    interface: Interface | None,
) -> Simulation:
    """Scheme, preconditioner and the rest around a model."""
    tip = material.tip if placement is None else placement.tip
    cut = None if case.geometry.crack is None or tip is None else Cut(tip)
    cut = APART if case.geometry.shape == "tip" else cut
    scheme = SCHEMES[case.coupling.scheme](model, Reference(cut=cut))
    model = scheme.model  # under the weights that the scheme uses
    interface = None if interface is None else interface.under(model)
    hessian = reference_hessian(model.atomistic, material.crystal, cut)
    bonds = (
        None
        if cut is None or cut is APART or not model.atoms.ownership.total
        else bond_row(model.atoms, material.tip[1], model.atoms.weights >= 1.0)
    )
    # bodies apart do not feel each other
    steady = [term for term in model.terms if not isinstance(term, Gap)]
    precondition = Preconditioner(stiffness(replace(model, terms=tuple(steady)), hessian))
    trust = make_trust(case, material, model)
    return Simulation(case, material, load, model, scheme, precondition, bonds, trust, placement, interface)


def settled(case: Case) -> Case:
    """The case with what is chosen from its potential written out."""
    return case if case.geometry.sized else with_radius(case, make_material(case))


def _terms(load: Load, model: Model) -> tuple[Term, ...]:
    try:
        return load.terms(model)
    except ValueError as error:
        raise InputError("load", str(error)) from error


def make_material(case: Case) -> Material:
    potential, committee = driving(_potential(case), case.potential.committee)
    check_reach(potential)
    check_limits(case, potential, committee)
    crystal = crystal_of(case.crystal, potential)
    check_blend(case, crystal.a)
    crack = case.geometry.crack
    try:
        if case.geometry.dim == 2:
            thickness(crystal, 2)
        if crack is not None or case.geometry.shape in ("block", "tip"):
            crystal = crystal.cleavage_centred()
    except ValueError as error:
        raise InputError("crystal.orientation", str(error)) from error
    check_room(case, potential, crystal)
    return Material(potential, crystal, (0.0, 0.0) if crack is None else crack.tip, committee)


_NAMED = {
    "nnp": "model",
    "eam": "parameters.file",
    "n2p2": "parameters.folder",
    "committee": "parameters.models",
}
"""Keys of a potential that name its files."""


def _potential(case: Case) -> Potential:
    config = case.potential
    parameters = dict(config.parameters)
    for key in ("type", "model", "calculator", "cutoff")[: 4 if config.type in ("nnp", "ase") else 1]:
        if key in parameters:
            raise InputError(f"potential.parameters.{key}", f"belongs beside parameters, as potential.{key}")
    if config.model is not None:
        parameters["model"] = config.model
    if config.calculator is not None and config.cutoff is not None:
        parameters |= {"calculator": config.calculator, "cutoff": config.cutoff}
    try:
        return make_potential(config.type, **parameters)
    except CalculatorError as error:
        raise InputError(f"potential.{error.key}", str(error)) from error
    except ParameterError as error:
        key = error.key if error.key == "model" and config.model is not None else f"parameters.{error.key}"
        raise InputError(f"potential.{key}", str(error)) from error
    except ValueError as error:
        raise InputError(f"potential.{_NAMED.get(config.type, 'parameters')}", str(error)) from error


def make_model(
    case: Case,
    material: Material,
    comm: Any,
    placement: Placement | None = None,
    like: Any = None,
) -> Model:
    """Atoms and bulk of a case. Collective. placement: of the core, if not the case's; like: a bulk whose law is
    taken."""
    check_memory(case, material, comm.size)
    dim, block = case.geometry.dim, case.geometry.shape == "block"
    remove, relax = _empty(case), material.free_surface if block else None
    shift = None if case.coupling.shift == "none" else material.shift
    crystal, potential = material.crystal, material.potential
    if case.coupling.scheme == "atomistic":
        shares, given = division(case, material, None), given_atoms(case, material, comm, None)
        try:
            return atomistic_model(
                potential, crystal, domain(case), dim, comm, shift, remove, relax, shares, given
            )
        except RegionError as error:
            raise InputError("atoms.file", str(error)) from error
    if case.coupling.scheme == "continuum":
        return continuum_model(potential, crystal, _bulk(case, material, comm, None, None, like), held(case))
    placement = placement or Placement.of(case)
    mask = _on_lattice(case, placement.mask(case), crystal)
    _check_fit(case, mask, potential, crystal)
    given = given_atoms(case, material, comm, mask.core)
    bulk, basis = _bulk(case, material, comm, mask, placement.tip, like), _basis(case, material)
    try:
        depth, grips, shares = thickness(crystal, dim), held(case), division(case, material, mask)
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


def domain(case: Case) -> Shape:
    """The whole domain; a block with its mirror image, so that its surface is no rim."""
    geometry = case.geometry
    if geometry.shape == "block":
        return Box(geometry.middle, [(2.0 if k == 1 else 1.0) * s for k, s in enumerate(geometry.extent)])
    if geometry.shape == "plate":
        return Box(geometry.middle, geometry.extent)
    if geometry.shape == "tip":
        return whole(case)
    return Ball(geometry.middle, geometry.outer)


def make_mask(case: Case) -> Mask:
    """As the case places it."""
    return Placement.of(case).mask(case)


def overhang(case: Case, mask: Mask, potential: Potential, crystal: Crystal) -> float:
    """How far the pad reaches beyond the domain, Å; negative where it ends inside."""
    low, high = mask.core.bounds()
    need = mask.blend + halo(potential, crystal)
    if case.geometry.shape == "block":
        return block_overhang(case, low - need, high + need)
    if case.geometry.shape == "tip":
        return tip_overhang(case, low - need, high + need)
    centre = np.asarray(case.geometry.middle, float)
    if case.geometry.shape == "plate":
        beyond = (
            np.maximum(high[:2] - centre, centre - low[:2]) + need - 0.5 * np.asarray(case.geometry.extent)
        )
        return float(beyond.max())
    corner = np.maximum(np.abs(low[: len(centre)] - centre), np.abs(high[: len(centre)] - centre))
    reach = corner.max() if isinstance(mask.core, Ball) else float(np.linalg.norm(corner))
    return float(reach + need - case.geometry.outer)


def _on_lattice(case: Case, mask: Mask, crystal: Crystal) -> Mask:
    """With its values on the lattice where the mask is made there."""
    if mask.step != OPTIMAL:
        return mask
    solid = case.geometry.dim == 3
    vectors = crystal.cell if solid else projected_lattice(crystal)
    origin = np.zeros(3) if solid else node_origin(case)
    return replace(mask, table=least_second_difference(mask.core, mask.blend, vectors, origin))


def _check_fit(case: Case, mask: Mask, potential: Potential, crystal: Crystal) -> None:
    """The pad must end inside the domain."""
    beyond = overhang(case, mask, potential, crystal)
    if beyond >= 0.0 and case.geometry.size is not None:
        pad = halo(potential, crystal) / 10
        message = (
            f"the pad, {pad:.3g} nm wide with this potential, reaches {beyond / 10:.3g} nm beyond the domain"
        )
        raise InputError("geometry.size", message)
    if beyond >= 0.0:
        radius = case.geometry.outer
        raise InputError(
            "geometry.radius",
            f"the pad leaves the mesh: core, blend and pad reach {(radius + beyond) / 10:.3g} nm from the centre, the "
            f"domain {radius / 10:.3g} nm; the pad of this potential is {halo(potential, crystal) / 10:.3g} nm wide",
        )
