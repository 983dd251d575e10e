"""The state of a run as arrays for writers and pictures: what this rank owns of mesh and atoms."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import units
from petsc4py import PETSc

from coupling.cohesive.damage import Irreversible
from coupling.masking import Masking
from coupling.model import Model
from multiscale.interface import Interface
from multiscale.writers import AtomSnapshot, MeshSnapshot

Array = np.ndarray


def mesh_snapshot(model: Model, q: PETSc.Vec, more: dict[str, Array] | None = None) -> MeshSnapshot | None:
    """Deformed mesh: displacement (Å) at nodes; stress (Cauchy, GPa), strain (Green–Lagrange), energy density
    (eV/Å³) and the share that the continuum carries, by cell; `more` fields of this rank's cells. None without a
    mesh. Collective."""
    if model.bulk is None:
        return None
    bulk: Any = model.bulk  # the coupling's protocol names no output
    u = q.array_r[model.layout.mesh].copy()
    points, cells = bulk.output_mesh()
    moved = bulk.to_local(u)
    fields = bulk.cell_fields(u)
    data = {**fields, "stress": fields["stress"] / units.GPa, **(more or {})}
    return MeshSnapshot(points + moved, cells, {"displacement": moved}, data)


def surface_snapshot(interface: Interface, q: PETSc.Vec) -> MeshSnapshot:
    """The cohesive surface midway between its two faces. At the corners of its facets: opening (Å) and traction (GPa)
    along the normal and the two tangents, energy (J/m²), damage (0 whole, 1 nothing holds) and the share of the
    area on which the law acts. Collective."""
    surface, faces = interface.surface, interface.faces
    f, n, _ = surface.values.shape
    moved = surface.points + (interface.mean * q).array_r.reshape(-1, 3)
    opening = faces.opening(q)
    at = faces.law(opening)
    damage = faces.law.damage if isinstance(faces.law, Irreversible) else np.zeros(len(opening))
    corner = surface.corners.shape[1]

    def corners(values: Array) -> Array:
        return values.reshape(f, n, *values.shape[1:])[:, :corner].reshape(f * corner, *values.shape[1:])

    fields = {
        "opening": opening,
        "traction": at.traction / units.GPa,
        "energy": at.energy / (units.J / units.m**2),
        "damage": damage,
        "share": faces.share,
    }
    cells = np.arange(f * corner).reshape(f, corner)
    return MeshSnapshot(corners(moved), cells, {name: corners(v) for name, v in fields.items()})


def atom_snapshot(model: Model, q: PETSc.Vec, more: dict[str, Array] | None = None) -> AtomSnapshot:
    """This rank's atoms: displacement (Å), force of the atomistic energy (eV/Å), site energy above the bulk's
    (eV; zero where the mask is), mask, whether free (1), slaved to the mesh (0), and sublattice; with an interface
    body (0 below it, 1 above) and chi, the share of its adhesion that the atoms carry there; `more` fields of this
    rank's atoms. Collective."""
    atoms = model.atoms
    positions = model.positions(q)
    index, energies, gradient = model.atomistic.detail(positions)
    site_energy = np.zeros(len(atoms))
    site_energy[index] = energies - model.atomistic.zero_level[index]
    data = {
        "displacement": positions - atoms.reference,
        "force": -gradient,
        "site_energy": site_energy,
        "mask": atoms.weights,
        "free": atoms.free.astype(np.int32),
        "sublattice": atoms.sublattice.astype(np.int32),
        **_sides(model),
        **(more or {}),
    }
    return AtomSnapshot(positions, atoms.numbers, atoms.cell, atoms.pbc, data)


def _sides(model: Model) -> dict[str, Array]:
    masking = model.atomistic.masking
    if not isinstance(masking, Masking):
        return {}
    return {"body": masking.bodies.label.astype(np.int32), "chi": masking.chi}


def energy_inside(model: Model, q: PETSc.Vec, domain: Any) -> float:
    """Σ (ε_i − ε_bulk) over the sites of a region, eV: what a fully atomistic run, whose minimised energy also
    holds a layer outside the domain, is compared by. Collective."""
    index, energies = model.atomistic.site_energies(model.positions(q))
    inside = domain.distance(model.atoms.reference[index]) < 0.0
    return model.atoms.ownership.sum(float(energies[inside].sum()))
