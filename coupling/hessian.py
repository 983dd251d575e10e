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
from scipy.sparse import coo_matrix, csr_matrix
from scipy.spatial import cKDTree

from coupling.atomistic import AtomisticEnergy
from coupling.atoms import AtomSet
from coupling.cut import Cut
from coupling.exchange import Halo, Ownership
from coupling.partition import sent_home
from nnp.crystal import Crystal
from nnp.external import External
from nnp.field import completed, grown, shells
from nnp.neighbors import Pairs, find_pairs
from nnp.potential import Graph, Potential
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
    graph, pairs = _cluster_graph(potential, cluster)

    def energy(r: torch.Tensor) -> torch.Tensor:
        return potential.site_energies(replace(graph, vectors=pairs.vectors(cluster.moved(_around(r)))))[0]

    vectors = cluster.positions[1:]
    h = torch.autograd.functional.hessian(energy, vectors).permute(0, 2, 1, 3)
    size = h.abs().amax((1, 2, 3))
    kept = size > (_NEGLIGIBLE * size.max() if shells(potential) else -1.0)
    return vectors[kept].numpy(), h[kept][:, kept].numpy()


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


def _cluster_graph(potential: Potential, cluster: State) -> tuple[Graph, Pairs]:
    """Sites of a graph that has the energy of the first atom right, and the pairs behind its vectors."""
    pairs = find_pairs(cluster, potential.cutoff)
    site = completed(potential, torch.zeros(1, dtype=torch.long), pairs, cluster)
    site_of = torch.full((len(cluster),), -1, dtype=torch.long)
    site_of[site] = torch.arange(len(site))
    pairs = pairs.select(site_of[pairs.i] >= 0)
    z = cluster.numbers
    return Graph(site_of[pairs.i], site_of[pairs.j], pairs.vectors(cluster), z[site], z[pairs.j]), pairs


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
    total = csr_matrix((3 * len(atoms), 3 * len(atoms)))
    for p, (vectors, h) in enumerate(found):
        site = np.flatnonzero((atomistic.atoms.sublattice == p) & (atomistic.weights != 0.0))
        for part in np.array_split(site, 1 + len(site) * h.size // 20_000_000) if len(site) else ():
            neighbour, present = match(atoms, part, vectors, cut)
            left = np.ones(1) if masking is None else masking.left(part, neighbour)[..., None, None]
            blocks = _blocks(present, left * h, atomistic.weights[part])
            members = np.concatenate([neighbour, part[:, None]], axis=1)
            total = total + laid_out(members, blocks, len(atoms))
    total = total + springs(atomistic, halo, atoms, total)
    return assembled(atomistic.atoms.ownership, halo, total)


def springs(atomistic: AtomisticEnergy, halo: Halo, atoms: AtomSet, lattice: csr_matrix) -> csr_matrix:
    """Of atoms off the lattice, which the crystal's Hessian does not hold: equal springs to all atoms within 1.5 times
    the distance to the nearest, as stiff together as the crystal holds an atom. Collective."""
    own, alien = atomistic.atoms.ownership, np.flatnonzero(atoms.sublattice[: halo.own] < 0)
    diagonal = lattice.diagonal()[: 3 * halo.own]
    stiff = own.sum(float(diagonal.sum())) / max(own.sum(float((diagonal > 0.0).sum())), 1.0)
    if len(alien) == 0:
        return csr_matrix(lattice.shape)
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
    return laid_out(ends, k * signs * np.eye(3), len(atoms))


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


def assembled(own: Ownership, halo: Halo, local: csr_matrix) -> PETSc.Mat:
    """The sum over ranks of matrices (3 n, 3 n) on own atoms and copies, rows distributed as the atoms. Collective."""
    number, entries = halo.extended(own.low + np.arange(own.count)), local.tocoo()
    row, column = (3 * number[x // 3] + x % 3 for x in (entries.row, entries.col))
    owner = np.searchsorted(own.starts, row // 3, side="right") - 1
    table = sent_home(own.comm, np.column_stack([row, column, entries.data]), owner)
    row, column = table[:, :2].astype(np.int64).T
    n = 3 * own.count
    mine = coo_matrix((table[:, 2], (row - 3 * own.low, column)), (n, 3 * own.total)).tocsr()
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


def _blocks(present: Array, h: Array, weight: Array) -> Array:
    """w h of each site over its neighbours and, last, itself: (s, m + 1, m + 1, 3, 3); h (m, m, 3, 3), or one for
    each site. The rows of the centre follow from translation invariance."""
    both = present[:, :, None] & present[:, None, :]
    blocks = np.where(both[..., None, None], h, 0.0) * weight[:, None, None, None, None]
    blocks = np.concatenate([blocks, -blocks.sum(axis=1, keepdims=True)], axis=1)
    return np.concatenate([blocks, -blocks.sum(axis=2, keepdims=True)], axis=2)


def laid_out(members: Array, blocks: Array, n: int) -> csr_matrix:
    """The sum of all blocks (s, m, m, 3, 3) between the atoms members (s, m), of n, (3 n, 3 n)."""
    row = np.broadcast_to(members[:, :, None], blocks.shape[:3])
    col = np.broadcast_to(members[:, None, :], blocks.shape[:3])
    keep = np.abs(blocks).max(axis=(3, 4)) > 0.0
    values, c = blocks[keep], np.arange(3)
    i = np.broadcast_to(3 * row[keep][:, None, None] + c[:, None], values.shape)
    j = np.broadcast_to(3 * col[keep][:, None, None] + c, values.shape)
    return coo_matrix((values.ravel(), (i.ravel(), j.ravel())), shape=(3 * n, 3 * n)).tocsr()
