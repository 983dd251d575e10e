"""Put a model together from a crystal, a mask and a bulk."""

from __future__ import annotations

from typing import Any

import numpy as np

from coupling.atomistic import AtomisticEnergy, bulk_site_energies
from coupling.atoms import AtomSet, Sites, cost_of, sites_around
from coupling.exchange import Ownership
from coupling.model import Model
from coupling.regions import Everywhere, Mask, Shape
from coupling.transfer import make_layout, transfer_matrix
from coupling.voronoi import cell_fraction
from nnp.crystal import Crystal
from nnp.potential import Potential

Array = np.ndarray


class RegionError(ValueError):
    """Core, blend or pad do not fit the mesh."""


def halo(potential: Potential) -> float:
    """How far beyond the blend zone atoms are needed, Å: one receptive field completes the weighted sites, a
    second one gives the true forces that the ghost-force correction compares with."""
    return 2.0 * potential.receptive_field + 1e-6


def coupled_model(
    potential: Potential, crystal: Crystal, mask: Mask, bulk: Any, thickness: float, shift: Array | None
) -> Model:
    """Atoms in the core and blend of `mask`, elements of `bulk` elsewhere. Collective over bulk.comm.

    shift: Λ by sublattice (b, 3, 3, 3) or None. The bulk's cell weights are set to what the atoms leave over.
    RegionError where atoms that need the mesh lie outside it.
    """
    comm = bulk.comm
    sites = sites_around(crystal, mask, mask.blend + halo(potential), bulk.dim)
    ownership = Ownership.balanced(comm, cost_of(sites.weights))
    mine = bulk.tabulate(sites.points[ownership.owned])
    found = ownership.gather(mine.found.astype(np.int8)).astype(bool)
    _check_cover(sites, found)
    atoms = _atom_set(sites, ~found, ownership)
    layout = make_layout(atoms, bulk.n_owned // 3)
    transfer = transfer_matrix(atoms, layout, mine, shift)
    w = sites.weights > 0.0
    fraction = cell_fraction(
        bulk.cell_geometry(), crystal, sites.points[w], sites.sublattice[w], sites.weights[w], thickness
    )
    bulk.set_fraction(np.where(np.abs(fraction) < 1e-6, 0.0, fraction))  # rounding where the atoms fill all
    nodes = np.asarray(bulk.tagged_dofs("outer"), int)
    fixed = layout.mesh.start + (3 * nodes[:, None] + np.arange(3)).ravel()
    energy = _energy(potential, crystal, atoms)
    return Model(atoms, layout, transfer, energy, bulk, _node_points(bulk), fixed, shift)


def atomistic_model(
    potential: Potential, crystal: Crystal, region: Shape, dim: int, comm: Any, shift: Array | None
) -> Model:
    """Every site of a region is an atom; a layer of one receptive field around it is held. Collective."""
    reach = potential.receptive_field
    sites = sites_around(crystal, Everywhere(region, reach), 2.0 * reach + 1e-6, dim)
    ownership = Ownership.balanced(comm, cost_of(sites.weights))
    atoms = _atom_set(sites, np.ones(len(sites.points), bool), ownership)
    layout = make_layout(atoms, 0)
    held = region.distance(sites.points[ownership.owned]) >= 0.0
    fixed = (3 * np.flatnonzero(held)[:, None] + np.arange(3)).ravel()
    transfer = transfer_matrix(atoms, layout, None, None)
    energy = _energy(potential, crystal, atoms)
    return Model(atoms, layout, transfer, energy, None, np.zeros((0, 3)), fixed, shift)


def _atom_set(sites: Sites, free: Array, ownership: Ownership) -> AtomSet:
    return AtomSet(
        sites.points, sites.numbers, sites.sublattice, sites.weights, free, sites.cell, sites.pbc, ownership
    )


def _energy(potential: Potential, crystal: Crystal, atoms: AtomSet) -> AtomisticEnergy:
    zero = bulk_site_energies(potential, crystal)[atoms.sublattice]
    return AtomisticEnergy(potential, atoms, atoms.weights, zero)


def _node_points(bulk: Any, off: float = 1e-6) -> Array:
    """Positions of the mesh nodes; those on a crack face are moved `off` (Å) into their own side, since a
    displacement field jumps there."""
    points = bulk.node_coordinates()
    for tag, side in (("crack_upper", off), ("crack_lower", -off)):
        if tag in bulk.tags:
            points[bulk.tagged_dofs(tag), 1] += side
    return points


def _check_cover(sites: Sites, found: Array) -> None:
    """Atoms outside the mesh must be free ones of the core."""
    lost = ~found & (sites.weights < 1.0)
    if lost.any():
        where = np.round(sites.points[lost][0], 2).tolist()
        raise RegionError(
            f"{int(lost.sum())} atoms of the blend zone and the pad lie outside the mesh, the first at {where} Å; "
            "make the domain larger, or core and blend smaller"
        )
