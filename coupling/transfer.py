"""The transfer matrix T between unknowns and atoms: y = X + T q, g = Tᵀ(∂E/∂y).

The unknowns q are the displacements of the free atoms and of the mesh nodes. Rows of free atoms are rows of
the identity; rows of slaved atoms interpolate the finite-element field at X_i and add the internal shift of
their sublattice, linear in the strain:

    y_i = X_i + Σ_a [ N_a(X_i) + Λ_p : sym ∇N_a(X_i) ] U_a

Forces return by the transpose, so that power is conserved by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from petsc4py import PETSc

from coupling.atoms import AtomSet

Array = np.ndarray


class Interpolation(Protocol):
    """Shape functions of the mesh at some points: which were found, nodes (n, k), values (n, k) and
    gradients (n, k, 3), 1/Å."""

    found: Array
    nodes: Array
    values: Array
    gradients: Array


@dataclass(frozen=True)
class Layout:
    """Numbering of the unknowns: on each rank its free atoms first, then its mesh nodes, three components each.

    free_starts, mesh_starts: (ranks + 1,) offsets of atoms and of nodes in their own global numbering.
    """

    rank: int
    free_starts: Array
    mesh_starts: Array

    @property
    def starts(self) -> Array:
        """Offsets of the unknowns in the global vector."""
        return 3 * (self.free_starts + self.mesh_starts)

    @property
    def n_free(self) -> int:
        """Number of free atoms on this rank."""
        return int(self.free_starts[self.rank + 1] - self.free_starts[self.rank])

    @property
    def n_local(self) -> int:
        return int(self.starts[self.rank + 1] - self.starts[self.rank])

    @property
    def n_global(self) -> int:
        return int(self.starts[-1])

    @property
    def atoms(self) -> slice:
        """Part of the local vector that belongs to free atoms."""
        return slice(0, 3 * self.n_free)

    @property
    def mesh(self) -> slice:
        """Part of the local vector that belongs to mesh nodes."""
        return slice(3 * self.n_free, self.n_local)

    def atom_block(self, k: Array) -> Array:
        """Block number in q of the k-th free atom (global count)."""
        owner = np.searchsorted(self.free_starts, k, side="right") - 1
        return k + self.mesh_starts[owner]

    def node_block(self, node: Array) -> Array:
        """Block number in q of a mesh node (global count)."""
        owner = np.searchsorted(self.mesh_starts, node, side="right") - 1
        return node + self.free_starts[owner + 1]


def make_layout(atoms: AtomSet, n_owned_nodes: int) -> Layout:
    """Layout for the free atoms of `atoms` and this rank's number of mesh nodes. Collective."""
    comm = atoms.ownership.comm
    free, nodes = np.array(comm.allgather((int(atoms.free.sum()), n_owned_nodes)), np.int64).T
    return Layout(comm.rank, np.concatenate([[0], np.cumsum(free)]), np.concatenate([[0], np.cumsum(nodes)]))


def transfer_matrix(
    atoms: AtomSet, layout: Layout, interpolation: Interpolation | None, shift: Array | None
) -> PETSc.Mat:
    """T as a distributed matrix, 3 n_atoms × n_unknowns.

    interpolation: for this rank's atoms, in order (None without a mesh); shift: Λ (b, 3, 3, 3) by
    sublattice, or None for a rigid basis. Atoms that are neither free nor found on the mesh get empty rows.
    """
    number = free_numbers(atoms, layout)
    return following(atoms.ownership.comm, number, layout, interpolation, atoms.sublattice, shift)


def free_numbers(atoms: AtomSet, layout: Layout) -> Array:
    """Which free atom (global count) each atom of this rank is, −1 where it is none, (n,)."""
    return np.where(atoms.free, layout.free_starts[layout.rank] + np.cumsum(atoms.free) - 1, -1)


def following(
    comm: Any,
    number: Array,
    layout: Layout,
    interpolation: Interpolation | None,
    sublattice: Array,
    shift: Array | None,
) -> PETSc.Mat:
    """The displacements of any points from the unknowns, 3 n_points × n_unknowns, rows on the rank that gives them.

    number: (n,) which free atom (global count) each point of this rank is, −1 where it follows the mesh;
    interpolation: for these points, None without a mesh; sublattice (n,), shift: as in `transfer_matrix`. Points that
    do neither get empty rows. Collective.
    """
    free = np.flatnonzero(number >= 0)
    rows, cols, blocks = [free], [layout.atom_block(number[free])], [_identity(len(free))]
    if interpolation is not None:
        slaved = np.flatnonzero((number < 0) & interpolation.found)
        k = interpolation.nodes.shape[1]
        rows.append(np.repeat(slaved, k))
        cols.append(layout.node_block(interpolation.nodes[slaved].ravel()))
        blocks.append(_slave_blocks(interpolation, slaved, sublattice, shift))
    return block_matrix(
        comm,
        np.concatenate(rows),
        np.concatenate(cols),
        np.concatenate(blocks),
        (len(number), layout.n_local // 3),
    )


def gradient_matrices(
    comm: Any, n: int, layout: Layout, interpolation: Interpolation, slaved: Array
) -> tuple[PETSc.Mat, ...]:
    """∂u/∂x, ∂u/∂y and ∂u/∂z of the finite-element field at this rank's n points, 3 n × n_unknowns each; rows of others
    than the slaved (k,) are empty. Collective."""
    k = interpolation.nodes.shape[1]
    rows, cols = np.repeat(slaved, k), layout.node_block(interpolation.nodes[slaved].ravel())
    size = (n, layout.n_local // 3)
    gradients = interpolation.gradients[slaved].reshape(-1, 3)
    return tuple(
        block_matrix(comm, rows, cols, gradients[:, m, None, None] * np.eye(3), size) for m in range(3)
    )


def _identity(n: int) -> Array:
    return np.broadcast_to(np.eye(3), (n, 3, 3))


def _slave_blocks(ip: Interpolation, slaved: Array, sublattice: Array, shift: Array | None) -> Array:
    """(n·k, 3, 3) blocks N_a δ + Λ_p : sym ∇N_a."""
    blocks = ip.values[slaved][:, :, None, None] * np.eye(3)
    if shift is not None:
        lam = 0.5 * (shift + np.swapaxes(shift, 2, 3))[sublattice[slaved]]
        blocks = blocks + np.einsum("icml,ial->iacm", lam, ip.gradients[slaved])
    return blocks.reshape(-1, 3, 3)


def block_matrix(comm, rows: Array, cols: Array, blocks: Array, sizes: tuple[int, int]) -> PETSc.Mat:
    """Distributed AIJ matrix from 3×3 blocks (k, 3, 3) at rows (k,), local block numbers, and cols (k,), global ones;
    no place may occur twice. sizes: blocks of rows and of columns on this rank. Collective."""
    order = np.lexsort((cols, rows))
    rows, cols, blocks = rows[order], cols[order], blocks[order]
    counts = np.bincount(rows, minlength=sizes[0])
    indptr = np.concatenate([[0], np.cumsum(np.repeat(3 * counts, 3))])
    # entries of scalar row 3i + c: all blocks of block row i, component c
    start = np.concatenate([[0], np.cumsum(counts)])[:-1]
    within = np.arange(len(rows)) - start[rows]
    position = indptr[3 * rows][:, None] + 3 * within[:, None]
    indices, values = np.empty(indptr[-1], PETSc.IntType), np.empty(indptr[-1])
    for c in range(3):
        at = position + 3 * c * counts[rows][:, None] + np.arange(3)
        indices[at] = 3 * cols[:, None] + np.arange(3)
        values[at] = blocks[:, c, :]
    matrix = PETSc.Mat().createAIJ(
        ((3 * sizes[0], None), (3 * sizes[1], None)),
        csr=(indptr.astype(PETSc.IntType), indices, values),
        comm=comm,
    )
    matrix.assemble()
    return matrix
