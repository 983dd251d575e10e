"""From a case to its cohesive law: derived, fitted or read."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from coupling.cohesive import (
    LAWS,
    CohesiveLaw,
    Derived,
    Grid,
    Halves,
    Subtracted,
    Table,
    bicrystal_halves,
    derive_table,
    halves,
    layer_compliance,
    renormalised,
)
from multiscale.config import Case, InputError
from multiscale.crystals import crystal_of
from multiscale.law_file import read_law
from multiscale.material import Material
from nnp.crystal import Crystal
from nnp.homogeneous import elastic_tensor
from nnp.potential import Potential

Array = np.ndarray


@dataclass(frozen=True)
class Source:
    """What a law was made from: the table of rigid openings and the two bodies. members: tables of a committee's
    members, each of its own crystal at its own lattice constant."""

    table: Table
    bodies: Halves
    members: tuple[Table, ...] = ()


def derive(case: Case, material: Material, members: bool = False) -> Source:
    """Rigid openings of the case's crystal, cut on the plane normal to y, or of it and interface.upper. InputError
    where it cannot be cut, has no common period with the upper one, or the potential no site energies."""
    if case.potential.type == "ase":
        raise InputError("interface.law", "cannot be derived from an ASE calculator: it has no site energies")
    try:
        table, bodies = derive_table(
            material.potential, _bodies(case, material.crystal, material.potential), grid(case)
        )
        tables: tuple[Table, ...] = ()
        if members and material.committee is not None:
            tables = tuple(_member(case, material.crystal, p) for p in material.committee.members)
    except ValueError as error:
        raise InputError("interface.law", str(error)) from error
    return Source(table, bodies, tables)


def _bodies(case: Case, lower: Crystal, potential: Potential) -> Crystal | Halves:
    upper = case.interface.upper
    if upper is None:
        return lower
    other = crystal_of(upper, potential, "interface.upper")
    return bicrystal_halves(potential, lower, other, case.interface.max_strain)


def upper_crystal(case: Case, material: Material) -> Crystal:
    """The crystal above the plane."""
    upper = case.interface.upper
    return material.crystal if upper is None else crystal_of(upper, material.potential, "interface.upper")


def grid(case: Case) -> Grid:
    config = case.interface.grid
    return Grid(config.openings, config.sliding, config.compression)


def _member(case: Case, crystal: Crystal, potential: Potential) -> Table:
    own = crystal_of(case.crystal, potential, guess=crystal.a)
    return derive_table(potential, _bodies(case, own, potential), grid(case))[0]


def rigid_law(name: str, table: Table) -> CohesiveLaw:
    """The law of a table by its name in LAWS. InputError where none of its parameters describe the table."""
    kind: Any = LAWS[name]
    try:
        law: CohesiveLaw = kind.fit(table)
    except ValueError as error:
        raise InputError("interface.law", f"{name} does not fit this interface: {error}") from error
    return law


def named_law(case: Case, material: Material) -> CohesiveLaw:
    """The law of two rigid bodies that interface.law names: derived, fitted, or of a file."""
    name = case.interface.law
    if name.endswith(".json"):
        return read_law(name)[0]
    return rigid_law(name, derive(case, material).table)


def between_bodies(law: CohesiveLaw, case: Case, material: Material) -> CohesiveLaw:
    """What acts between elastic bodies: `planes` of it in series, without the compliance that the bulk has."""
    config = case.interface
    many = renormalised(law, config.planes)
    if config.compliance == "keep":
        return many
    thick, sides = config.planes * spacing(material.crystal), [material.elastic]
    if config.upper is not None:
        sides.append(elastic_tensor(material.potential, upper_crystal(case, material)))
    layer = np.mean([layer_compliance(C, thick) for C in sides], axis=0)
    return Subtracted(many, layer, config.stiffness_ratio)


def spacing(crystal: Crystal) -> float:
    """Distance of the atomic planes on both sides of the cut, Å."""
    return halves(crystal, 0.5 * crystal.period((0.0, 1.0, 0.0))).gap


def origin(case: Case, material: Material) -> dict[str, Any]:
    """Where a law comes from, for its file."""
    crystal, config = material.crystal, case.potential
    potential: dict[str, Any] = {"type": config.type, **config.parameters}
    if config.model is not None:
        potential["model"] = config.model
    if config.type == "nnp" and config.model is not None:
        from nnp.storage import find_model

        potential["sha256"] = hashlib.sha256(find_model(config.model).read_bytes()).hexdigest()
    if config.committee is not None:
        potential["committee"] = config.committee
    return {
        "potential": potential,
        "structure": crystal.structure,
        "symbol": case.crystal.symbol,
        "lattice_constant": crystal.a,
        **({} if case.interface.upper is None else {"upper": dataclasses.asdict(case.interface.upper)}),
        "normal": miller(crystal.frame, np.array([0.0, 1.0, 0.0])),
        "first_tangent": miller(crystal.frame, np.array([1.0, 0.0, 0.0])),
        "second_tangent": miller(crystal.frame, np.array([0.0, 0.0, 1.0])),
    }


def miller(frame: Array, direction: Array) -> list[float]:
    """A laboratory direction in the cubic axes of a crystal, small whole numbers where there are some; frame:
    (3, 3), as nnp.crystal.Crystal has it."""
    d = direction @ frame
    d = d / np.abs(d[np.abs(d) > 1e-6]).min()
    for m in range(1, 7):
        if np.abs(m * d - np.round(m * d)).max() < 1e-4:
            return [float(v) + 0.0 for v in np.round(m * d)]
    return [round(float(v), 6) for v in d]


__all__ = ["Derived", "Source", "between_bodies", "derive", "named_law", "origin", "rigid_law"]
