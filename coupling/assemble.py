"""Put a model together from a crystal, a mask and a bulk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from coupling.atomistic import AtomisticEnergy, zero_level
from coupling.atoms import AtomSet, Division, Relaxation, Removal, Sites, sites_around
from coupling.basis import RelaxedBasis
from coupling.calculated import CalculatedEnergy
from coupling.exchange import Halo, Ownership
from coupling.forces import reach
from coupling.given import Given, nearest
from coupling.model import Model
from coupling.regions import Everywhere, Mask, Shape
from coupling.remask import left_over
from coupling.transfer import Layout, gradient_matrices, make_layout, transfer_matrix
from nnp.crystal import Crystal
from nnp.external import External
from nnp.homogeneous import HomogeneousCrystal
from nnp.potential import Potential

Array = np.ndarray


Held = Sequence[tuple[str, tuple[int, ...]]]
"""Boundaries of the mesh on which displacements are prescribed, by their tags, and which components of them."""

OUTER: Held = (("outer", (0, 1, 2)),)


class RegionError(ValueError):
    """Core, blend or pad do not fit the mesh."""


def halo(potential: Potential, crystal: Crystal) -> float:
    """How far beyond the blend zone atoms are needed, Å: one reach completes the weighted sites, a second one gives
    the true forces, also on atoms within a lattice constant."""
    return 2.0 * reach(potential) + crystal.a + 1e-6


def coupled_model(
    potential: Potential,
    crystal: Crystal,
    mask: Mask,
    bulk: Any,
    thickness: float,
    shift: Array | None,
    remove: Removal | None = None,
    relaxed: HomogeneousCrystal | None = None,
    relax: Relaxation | None = None,
    held: Held = OUTER,
    division: Division | None = None,
    given: Given | None = None,
) -> Model:
    """Atoms in the core and blend of `mask`, elements of `bulk` elsewhere. Collective over bulk.comm.

    thickness: of the slice that the atoms fill along z, Å (1 in a solid); shift: Λ by sublattice (b, 3, 3, 3) or
    None; remove: which sites are vacant; relaxed: the crystal whose basis slaved atoms follow at any strain, for
    schemes without an energy (the forces still return by Tᵀ); relax: how the atoms are displaced at rest; held: what
    is prescribed of the mesh's boundary; division: how atoms are shared out to ranks; given: atoms in place of the
    crystal's. The bulk's cell weights are
    set to what the atoms leave over. RegionError where atoms that need the mesh lie outside it.
    """
    comm = bulk.comm
    wide = mask.blend + halo(potential, crystal)
    sites, vacant = sites_around(comm, crystal, mask, wide, bulk.dim, remove, division, given)
    vacant = _beside(comm, vacant, sites, reach(potential) + crystal.a)
    mine = bulk.tabulate(sites.points)
    _check_cover(comm, sites, mine.found)
    _check_hole(bulk, mask)
    sites = _on_mesh(comm, sites, mine.found, crystal)
    atoms = _atom_set(comm, sites, ~mine.found, vacant, relax)
    layout = make_layout(atoms, bulk.n_owned // 3)
    transfer = transfer_matrix(atoms, layout, mine, shift)
    bulk.set_fraction(left_over(bulk, crystal, atoms, thickness))
    prescribed = layout.mesh.start + held_dofs(bulk, held)
    if sites.held is not None:
        prescribed = np.concatenate([_components(np.flatnonzero(sites.held[atoms.free])), prescribed])
    fixed = _fixed(layout, crystal, prescribed)
    energy = _energy(potential, crystal, atoms)
    model = Model(atoms, layout, transfer, energy, bulk, _node_points(bulk), fixed, shift, crystal, mask)
    if relaxed is None or shift is None:
        return model
    slaved = np.flatnonzero(~atoms.free & mine.found)
    slopes = gradient_matrices(comm, len(atoms), layout, mine, slaved)
    basis = RelaxedBasis(relaxed, shift, atoms.sublattice, slaved, slopes)
    return replace(model, basis=basis)


def continuum_model(potential: Potential, crystal: Crystal, bulk: Any, held: Held = OUTER) -> Model:
    """A mesh without any atoms: `bulk` carries all. Collective over bulk.comm."""
    none = Sites(
        np.zeros((0, 3)), np.zeros(0, int), np.zeros(0, np.int64), np.zeros(0), np.zeros((3, 3)), crystal.pbc
    )
    atoms = _atom_set(bulk.comm, none, np.zeros(0, bool), none, None)
    layout = make_layout(atoms, bulk.n_owned // 3)
    transfer = transfer_matrix(atoms, layout, None, None)
    fixed = _fixed(layout, crystal, layout.mesh.start + held_dofs(bulk, held))
    energy = _energy(potential, crystal, atoms)
    return Model(atoms, layout, transfer, energy, bulk, _node_points(bulk), fixed, None, crystal, None)


def held_dofs(bulk: Any, held: Held) -> Array:
    """This rank's unknowns of the mesh that are prescribed, or follow others."""
    parts = [3 * bulk.tagged_dofs(tag)[:, None] + np.array(components) for tag, components in held]
    parts.append(3 * np.asarray(bulk.bound_nodes)[:, None] + np.arange(3))
    return np.unique(np.concatenate([part.ravel() for part in parts])).astype(int)


def atomistic_model(
    potential: Potential,
    crystal: Crystal,
    region: Shape,
    dim: int,
    comm: Any,
    shift: Array | None,
    remove: Removal | None = None,
    relax: Relaxation | None = None,
    division: Division | None = None,
    given: Given | None = None,
) -> Model:
    """Every site of a region is an atom, but for those to remove, displaced at rest by `relax`; a layer of one
    receptive field around it is held. given: atoms instead of the crystal's; where they say which are held it is they.
    Collective. RegionError where none is held."""
    width = potential.receptive_field
    everywhere = Everywhere(region, width)
    sites, vacant = sites_around(comm, crystal, everywhere, 2.0 * width + 1e-6, dim, remove, division, given)
    vacant = _beside(comm, vacant, sites, width + crystal.a)
    atoms = _atom_set(comm, sites, np.ones(len(sites.points), bool), vacant, relax)
    layout = make_layout(atoms, 0)
    held = region.distance(atoms.reference) >= 0.0
    if sites.held is not None and atoms.ownership.any(bool(sites.held.any())):
        held = sites.held
    if not atoms.ownership.any(bool(held.any())):
        raise RegionError(
            "no atom is held: the file must reach beyond the domain, or say which atoms are fixed"
        )
    fixed = _fixed(layout, crystal, _components(np.flatnonzero(held)))
    transfer = transfer_matrix(atoms, layout, None, None)
    energy = _energy(potential, crystal, atoms)
    return Model(atoms, layout, transfer, energy, None, np.zeros((0, 3)), fixed, shift, crystal, None)


def _beside(comm: Any, vacant: Sites, kept: Sites, reach: float) -> Sites:
    """The vacant sites that are closer than `reach` (Å) to an atom, on whatever rank; a slice is thinner than that."""
    dim = 2 if kept.pbc[2] else 3
    near = Halo.around(comm, kept.points, vacant.points, reach, dim).extended(kept.points)
    if len(vacant.points) == 0 or len(near) == 0:
        return vacant.select(np.zeros(len(vacant.points), bool))
    return vacant.select(cKDTree(near[:, :dim]).query(vacant.points[:, :dim])[0] < reach)


def _components(atoms: Array) -> Array:
    """Unknowns of free atoms (k,)."""
    return (3 * atoms[:, None] + np.arange(3)).ravel()


def _on_mesh(comm: Any, sites: Sites, found: Array, crystal: Crystal) -> Sites:
    """Given atoms that follow the mesh are on their sites. RegionError where one cannot be. Collective."""
    if sites.off is None:
        return sites
    far = np.linalg.norm(sites.off, axis=1) > 0.2 * nearest(crystal)
    wrong = found & (far | (sites.sublattice < 0))
    lost = [
        x
        for part in comm.allgather(np.round((sites.points + sites.off)[wrong][:1], 2).tolist())
        for x in part
    ]
    if lost:
        raise RegionError(
            f"the atom of the file at {lost[0]} Å is on no site of the crystal, but lies where atoms follow the mesh; "
            "make the core larger around it"
        )
    return replace(sites, off=np.where(found[:, None], 0.0, sites.off))


def _atom_set(comm: Any, sites: Sites, free: Array, vacant: Sites, relax: Relaxation | None) -> AtomSet:
    s, off = sites, sites.off if relax is None else relax(sites.points)
    x, ownership = s.points if off is None else s.points + off, Ownership.of(comm, len(s.points))
    return AtomSet(x, s.numbers, s.sublattice, s.weights, free, s.cell, s.pbc, ownership, vacant, off)


def _fixed(layout: Layout, crystal: Crystal, held: Array) -> Array:
    """Prescribed unknowns: those held, and all z components of a flat crystal, which has no stiffness there."""
    flat = np.arange(2, layout.n_local, 3) if not crystal.pbc[2] else np.zeros(0, int)
    return np.union1d(held, flat)


def _energy(potential: Potential, crystal: Crystal, atoms: AtomSet) -> AtomisticEnergy:
    if isinstance(potential, External):
        return CalculatedEnergy(potential, atoms, atoms.weights, np.zeros(len(atoms)))
    zero = zero_level(potential, crystal, atoms)
    return AtomisticEnergy(potential, atoms, atoms.weights, zero)


def _node_points(bulk: Any, off: float = 1e-6) -> Array:
    """Positions of the mesh nodes; those on a face of a crack or of a cohesive surface are moved `off` (Å) into their
    own side, since a displacement field jumps there."""
    points = bulk.node_coordinates()
    for side, step in (("upper", off), ("lower", -off)):
        tags = [f"{face}_{side}" for face in ("crack", "interface")]
        nodes = [bulk.tagged_dofs(tag) for tag in tags if tag in bulk.tags]
        if nodes:
            points[np.unique(np.concatenate(nodes)), 1] += step
    return points


def _check_hole(bulk: Any, mask: Mask) -> None:
    """Within the mesh's hole nothing but atoms carries energy."""
    rim = bulk.tagged_dofs("inner") if "inner" in bulk.tags else []
    w = mask(bulk.node_coordinates()[rim])
    least = min(bulk.comm.allgather(w.min(initial=1.0)))
    if least < 1.0 - 1e-9:
        raise RegionError(
            f"the hole of the mesh reaches into the blend zone, where the mask is {least:.3g} and elements should "
            "carry the rest; make the core larger, or the hole smaller"
        )


def _check_cover(comm: Any, sites: Sites, found: Array) -> None:
    """Atoms outside the mesh must be free ones of the core."""
    lost = ~found & (sites.weights < 1.0)
    counts = comm.allgather((int(lost.sum()), np.round(sites.points[lost][:1], 2).tolist()))
    if total := sum(n for n, _ in counts):
        where = next(first for n, first in counts if n)[0]
        raise RegionError(
            f"{total} atoms of the blend zone and the pad lie outside the mesh, the first at {where} Å; "
            "make the domain larger, or core and blend smaller"
        )
