"""From a case to the objects it names: potential, crystal, mesh, model, scheme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coupling.atoms import thickness
from coupling.cut import BondRow, Cut, bond_row
from coupling.hessian import reference_hessian
from coupling.model import Model
from coupling.preconditioner import Preconditioner, stiffness
from coupling.schemes import SCHEMES, Reference, Scheme
from coupling.term import Term
from multiscale.capacity import check_reach
from multiscale.config import Case, InputError, check_blend
from multiscale.crystals import crystal_of
from multiscale.device import on_device, on_processor
from multiscale.division import Places, check_ranks
from multiscale.extent import with_radius
from multiscale.interface import Interface, with_interface
from multiscale.loads import LOADS, Load
from multiscale.masking import with_masking
from multiscale.material import Material
from multiscale.model import make_model
from multiscale.placement import Placement, check_room
from multiscale.tip import APART
from multiscale.tip_gap import with_gap
from multiscale.trust import Trust, check_limits, make_trust
from nnp.committee import driving
from nnp.external import CalculatorError
from nnp.potential import Potential
from nnp.registry import ParameterError, make_potential

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
    material = make_material(case, comm)
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


def rebuilt(old: Simulation, placement: Placement | None, places: Places | None = None) -> Simulation:
    """The simulation with its core elsewhere; time and work spent are counted on. places: where its atoms are when they
    are shared out, if not on their sites. Collective; InputError where it does not fit."""
    model = make_model(old.case, old.material, old.model.comm, placement, old.model.bulk, places)
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
    precondition = Preconditioner(stiffness(model, hessian), case.geometry.dim, model=model)
    trust = make_trust(case, material, model)
    return Simulation(case, material, load, model, scheme, precondition, bonds, trust, placement, interface)


def settled(case: Case) -> Case:
    """The case with what is chosen from its potential written out."""
    return case if case.geometry.sized else with_radius(case, make_material(on_processor(case)))


def _terms(load: Load, model: Model) -> tuple[Term, ...]:
    try:
        return load.terms(model)
    except ValueError as error:
        raise InputError("load", str(error)) from error


def make_material(case: Case, comm: Any = None) -> Material:
    """comm: of the ranks that share out the graphics cards, where the case wants any; None: this process alone."""
    found = on_device(case, _potential(case), comm)
    potential, committee = driving(found, case.potential.committee)
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
