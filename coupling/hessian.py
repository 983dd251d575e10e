"""The stiffness of the atoms about the perfect crystal: a sparse matrix to precondition with.

A site energy of the crystal has one Hessian per sublattice, h_ab = ∂²ε/∂r_a∂r_b over the atoms a, b that it feels. Laid
out over all weighted sites it gives the exact Hessian of Σ w_i ε_i at the reference, without a cost that grows
with the number of atoms; bonds across a cut are left out, and cross pairs by the share that is masked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from petsc4py import PETSc
from scipy.spatial import cKDTree

from coupling.atomistic import AtomisticEnergy
from coupling.atoms import AtomSet
from coupling.blocks import Blocks, summed
from coupling.cut import Cut
from coupling.exchange import Halo, Ownership
from coupling.partition import sent_home
from nnp.crystal import Crystal
from nnp.evaluate import Curvature, Sites
from nnp.external import External
from nnp.field import grown, shells
from nnp.neighbors import find_pairs
from nnp.potential import Potential
from nnp.state import State

Array = np.ndarray

_NEGLIGIBLE = 1e-4
_NEIGHBOURHOOD = 4.0
"""Å, farther than any atom is from the nearest one."""


def site_hessian(potential: Potential, crystal: Crystal, p: int) -> tuple[Array, Array]:
    """Vectors (m, 3) Å to all atoms that basis atom p feels at rest, and its Hessian (m, m, 3, 3), eV/Å².

    With message passing these are many; those with no more than _NEGLIGIBLE of the largest entry are left out.
    """
    cluster = _felt(potential, crystal, p)
    centre = Sites(torch.zeros(1, dtype=torch.long), torch.ones(1, dtype=torch.float64))
    product = Curvature(potential, cluster, find_pairs(cluster, potential.cutoff), centre)
    directions = torch.eye(3 * len(cluster), dtype=torch.float64).reshape(-1, len(cluster), 3)[3:]
    columns = [product(v)[1:] for v in directions]
    h = torch.stack(columns).reshape(len(cluster) - 1, 3, -1, 3).permute(2, 0, 3, 1)
    size = h.abs().amax((1, 2, 3))
    kept = size > (_NEGLIGIBLE * size.max() if shells(potential) else -1.0)
    return cluster.positions[1:][kept].numpy(), h[kept][:, kept].numpy()


def _felt(potential: Potential, crystal: Crystal, p: int) -> State:
    """Basis atom p at the origin, first, and the atoms of the crystal that it feels."""
    first, second, lattice = crystal.environment(potential.receptive_field, strain=0.0)
    mine = first == p
    q = second[mine]
    y = _around(torch.from_numpy(lattice[mine] + crystal.basis[q] - crystal.basis[p]))
    numbers = torch.from_numpy(crystal.numbers[np.append(p, q)].astype(np.int64))
    cluster = State(y, numbers, torch.zeros((3, 3), dtype=y.dtype), (False,) * 3)
    centre = torch.arange(len(y)) == 0
    felt = grown(centre, find_pairs(cluster, potential.cutoff), shells(potential) + 1)
    return replace(cluster, positions=y[felt], numbers=numbers[felt])


def _around(vectors: torch.Tensor) -> torch.Tensor:
    """Positions of an atom at the origin and of those at `vectors`."""
    return torch.cat([torch.zeros_like(vectors[:1]), vectors])


def reference_hessian(atomistic: AtomisticEnergy, crystal: Crystal, cut: Cut | None = None) -> PETSc.Mat:
    """Hessian of Σ w_i ε_i at the perfect crystal, 3n × 3n, rows distributed as the atoms. Collective."""
    if isinstance(atomistic.potential, External):
        from coupling.calculated import CalculatedEnergy, calculated_hessian  # which is built on this module

        assert isinstance(atomistic, CalculatedEnergy)
        return calculated_hessian(atomistic, crystal, cut)
    potential = atomistic.potential
    found = [site_hessian(potential, crystal, p) for p in range(len(crystal.basis))]
    halo, atoms = lattice_around(atomistic, max(longest(vectors) for vectors, _ in found))
    masking = None if atomistic.masking is None else atomistic.masking.extended(halo)
    parts: list[Blocks] = []
    for p, (vectors, h) in enumerate(found):
        site = np.flatnonzero((atomistic.atoms.sublattice == p) & (atomistic.weights != 0.0))
        if len(site) == 0:
            continue
        neighbour, present = match(atoms, site, vectors, cut)
        whole = present.all(axis=1)
        if masking is not None:
            for some in _few(np.flatnonzero(whole), h.size):
                whole[some] = (masking.left(site[some], neighbour[some]) == 1.0).all(axis=(1, 2))
        members, weight = np.concatenate([neighbour, site[:, None]], axis=1), atomistic.weights[site]
        around = np.concatenate([vectors, np.zeros((1, 3))])
        parts += Blocks.repeated(members[whole], around, _centred(h), weight[whole], len(atoms))
        for some in _few(np.flatnonzero(~whole), h.size):
            left = (
                np.ones(1) if masking is None else masking.left(site[some], neighbour[some])[..., None, None]
            )
            both = present[some][:, :, None] & present[some][:, None, :]
            blocks = np.where(both[..., None, None], left * h, 0.0) * weight[some][:, None, None, None, None]
            parts.append(Blocks.between(members[some], _centred(blocks)))
    return assembled(atomistic.atoms.ownership, halo, [*parts, springs(atomistic, halo, atoms, parts)])


def _few(sites: Array, each: int) -> list[Array]:
    """The sites in parts of at most 20 million numbers, of so many each."""
    return np.array_split(sites, 1 + len(sites) * each // 20_000_000) if len(sites) else []


def springs(atomistic: AtomisticEnergy, halo: Halo, atoms: AtomSet, lattice: list[Blocks]) -> Blocks:
    """Of atoms off the lattice, which the crystal's Hessian does not hold: equal springs to all atoms within 1.5 times
    the distance to the nearest, as stiff together as the crystal holds an atom. Collective."""
    own, alien = atomistic.atoms.ownership, np.flatnonzero(atoms.sublattice[: halo.own] < 0)
    diagonal = sum((part.diagonal(len(atoms)) for part in lattice), np.zeros(3 * len(atoms)))[: 3 * halo.own]
    stiff = own.sum(float(diagonal.sum())) / max(own.sum(float((diagonal > 0.0).sum())), 1.0)
    if len(alien) == 0:
        return Blocks.joined([])
    pairs = find_pairs(atoms.state(atoms.reference), 1.5 * _NEIGHBOURHOOD)
    i, j, r = (
        pairs.i.numpy(),
        pairs.j.numpy(),
        pairs.vectors(atoms.state(atoms.reference)).norm(dim=1).numpy(),
    )
    mine = np.isin(i, alien)
    closest = np.full(len(atoms), np.inf)
    np.minimum.at(closest, i[mine], r[mine])
    mine &= r < 1.5 * closest[i]
    ends, count = np.stack([i[mine], j[mine]], axis=1), np.bincount(i[mine], minlength=len(atoms))
    k = (stiff / count[ends[:, 0]])[:, None, None, None, None]
    signs = np.array([[1.0, -1.0], [-1.0, 1.0]])[..., None, None]
    return Blocks.between(ends, k * signs * np.eye(3))


def longest(vectors: Array) -> float:
    """Length of the longest of vectors (m, 3) and a little more, Å."""
    return float(np.linalg.norm(vectors, axis=1).max(initial=0.0)) + 1e-2


def lattice_around(atomistic: AtomisticEnergy, reach: float) -> tuple[Halo, AtomSet]:
    """This rank's atoms with copies of those on sites within `reach` (Å) of the sites that it evaluates, and the vacant
    sites there. Collective."""
    atoms = atomistic.atoms
    comm, near = atoms.ownership.comm, atoms.sites[atomistic.weights != 0.0]
    halo = Halo.around(comm, atoms.sites, near, reach, atoms.dim)
    empty = Halo.around(comm, atoms.vacant.points, near, reach, atoms.dim).extended(atoms.vacant.points)
    return halo, atoms.extended(halo, replace(atoms.vacant, points=empty))


def assembled(own: Ownership, halo: Halo, parts: list[Blocks]) -> PETSc.Mat:
    """The sum over ranks of blocks between own atoms and copies, rows distributed as the atoms. Collective."""
    number = halo.extended(own.low + np.arange(own.count))
    if own.comm.size > 1:
        away = Blocks.joined(part.select(part.row >= own.count) for part in parts)
        here = [part.select(part.row < own.count) for part in parts]
        parts = [replace(part, column=number[part.column]) for part in here]
        owner = np.searchsorted(own.starts, number[away.row], side="right") - 1
        table = np.column_stack([number[away.row], number[away.column], away.values.reshape(-1, 9)])
        came = sent_home(own.comm, table, owner)
        row, column = came[:, :2].astype(np.int64).T
        parts.append(Blocks(row - own.low, column, came[:, 2:].reshape(-1, 3, 3)))
    mine, n = summed(parts, own.count, own.total), 3 * own.count
    csr = (mine.indptr.astype(PETSc.IntType), mine.indices.astype(PETSc.IntType), mine.data)
    return PETSc.Mat().createAIJ(((n, None), (n, None)), csr=csr, comm=own.comm)


def match(atoms: AtomSet, site: Array, vectors: Array, cut: Cut | None) -> tuple[Array, Array]:
    """Atom at each neighbour vector of each site, (s, m), and whether the bond to it is there."""
    wanted = atoms.sites[site][:, None] + vectors
    points = atoms.sites
    if atoms.pbc[2]:  # copies one and two periods away serve neighbours beyond the slice
        reach = int(np.ceil(np.abs(vectors[:, 2]).max() / atoms.cell[2, 2]))
        points = np.concatenate([points + k * atoms.cell[2] for k in range(-reach - 1, reach + 2)])
    tree = cKDTree(points)
    distance, index = tree.query(wanted.reshape(-1, 3))
    lost = distance > 1e-3
    if not _vacant(atoms, wanted.reshape(-1, 3)[lost]).all():
        raise ValueError("a weighted site lacks a neighbour of the perfect crystal: the halo is too thin")
    present = ~lost.reshape(wanted.shape[:2])
    if cut is not None:
        start = np.broadcast_to(atoms.sites[site][:, None], wanted.shape).reshape(-1, 3)
        present &= ~cut.crosses(start, wanted.reshape(-1, 3)).reshape(present.shape)
    return (index % len(atoms)).reshape(present.shape), present


def _vacant(atoms: AtomSet, points: Array) -> Array:
    """Which points (n, 3) are vacant sites, (n,)."""
    empty = atoms.vacant.points
    if len(empty) == 0 or len(points) == 0:
        return np.zeros(len(points), bool)
    box = [0.0, 0.0, atoms.cell[2, 2]] if atoms.pbc[2] else None
    return cKDTree(_wrapped(empty, atoms), boxsize=box).query(_wrapped(points, atoms))[0] < 1e-3


def _wrapped(points: Array, atoms: AtomSet) -> Array:
    """Points with their coordinate along the period, if there is one, within it."""
    if not atoms.pbc[2]:
        return points
    z = points[:, 2] % atoms.cell[2, 2]
    return np.column_stack([points[:, :2], np.where(z >= atoms.cell[2, 2], 0.0, z)])


def _centred(h: Array) -> Array:
    """h (…, m, m, 3, 3) over the neighbours of a site and, last, itself (…, m + 1, m + 1, 3, 3): the rows of the centre
    follow from translation invariance."""
    h = np.concatenate([h, -h.sum(axis=-4, keepdims=True)], axis=-4)
    return np.concatenate([h, -h.sum(axis=-3, keepdims=True)], axis=-3)
