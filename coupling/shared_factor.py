"""A sparse Cholesky factor shared by ranks: each eliminates a part of the unknowns, and all what separates the parts.

With A = [[A_11, 0, A_1Γ], [0, A_22, A_2Γ], [A_Γ1, A_Γ2, A_ΓΓ]] every rank has the columns of L of its part, and all
have those of the Schur complement A_ΓΓ − Σ A_Γi A_ii⁻¹ A_iΓ. A solve goes forward through the parts, sums up what comes
to Γ, and goes back. It is exact, so that iterations do not depend on the number of ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc
from scipy.sparse import csr_matrix, vstack

from coupling.dissection import dissected, divided
from coupling.fronts import Factor, compiled, eliminated, joined

Array = np.ndarray

MOST_PARTS = 8
"""With more of them Γ, for which all ranks solve, would take longer than the parts."""


@dataclass(frozen=True)
class SharedFactor:
    """factor: this rank's blocks and, last, that of Γ; between: the unknowns of Γ in x, those of its part stand before
    them; scatter: takes the unknowns there, to the first rank only those of Γ; work: room for the factor."""

    comm: MPI.Comm
    factor: Factor
    between: slice
    scatter: PETSc.Scatter
    x: PETSc.Vec
    work: Array

    @classmethod
    def of(cls, matrix: PETSc.Mat, points: Array) -> SharedFactor | None:
        """Of a symmetric matrix with three unknowns at each of this rank's points (n, 3). None, on every rank, where it
        is not positive definite or there is no compiled code. Collective."""
        comm = matrix.comm.tompi4py()
        if not comm.allreduce(compiled() is not None, MPI.LAND):
            return None
        everywhere = np.concatenate(comm.allgather(points))
        mine, between = _shared_out(comm, matrix, everywhere)
        nodes = np.concatenate([mine, between])
        local = _between(matrix, nodes)
        if comm.rank > 0:  # what Γ has to do with itself counts once
            own = local.indptr[3 * len(mine)]
            local.data[own:][local.indices[own:] >= 3 * len(mine)] = 0.0
        groups = dissected(everywhere[nodes], _graph(local), len(between))
        order = np.concatenate([group.points for group in groups])
        sizes, place = [3 * len(group.points) for group in groups], _unknowns(order)
        rest = None
        try:
            ordered = local[place][:, place].tocsr()
            rows, blocks, rest = eliminated(ordered, sizes, [group.parts for group in groups])
        except np.linalg.LinAlgError:
            pass
        if not comm.allreduce(rest is not None, MPI.LAND):
            return None
        rest = comm.allreduce(np.ascontiguousarray(rest))
        try:
            corner = np.linalg.cholesky(rest)
        except np.linalg.LinAlgError:  # the same on all
            return None
        none = np.zeros(0, np.int64)
        factor = joined(sizes, [*rows, none], [*blocks, corner.ravel(order="F")])
        own, here = 3 * len(mine), _unknowns(nodes[order])
        scatter, x = _scatter(matrix, here if comm.rank == 0 else here[:own], len(here))
        return cls(comm, factor, slice(own, len(here)), scatter, x, factor.work)

    def solve(self, r: PETSc.Vec, z: PETSc.Vec) -> None:
        """As a KSP's. Collective."""
        forward, back = PETSc.Scatter.Mode.FORWARD, PETSc.Scatter.Mode.REVERSE
        self.scatter.scatter(r, self.x, mode=forward)
        last, values = len(self.factor.at) - 1, self.x.array
        if self.comm.rank > 0:
            values[self.between] = 0.0
        self.factor.solve("forward", 0, last, values, self.work)
        self.comm.Allreduce(MPI.IN_PLACE, values[self.between])
        self.factor.solve("forward", last, last + 1, values, self.work)
        self.factor.solve("backward", 0, last + 1, values, self.work)
        self.scatter.scatter(self.x, z, mode=back)


def _unknowns(points: Array) -> Array:
    """Of points (k,), (3 k,)."""
    return (3 * points[:, None] + np.arange(3)).ravel()


def _graph(matrix: csr_matrix) -> csr_matrix:
    """Which points have to do with which, from a matrix of their unknowns (3 n, 3 m), as (n, m)."""
    entries, shape = matrix.tocoo(), (matrix.shape[0] // 3, matrix.shape[1] // 3)
    ones = np.ones(len(entries.row), np.int32)
    return csr_matrix((ones, (entries.row // 3, entries.col // 3)), shape)


def _shared_out(comm: MPI.Comm, matrix: PETSc.Mat, points: Array) -> tuple[Array, Array]:
    """The points, of all (n, 3), of this rank's part, and those of Γ. Collective."""
    start, columns, values = matrix.getValuesCSR()
    rows = csr_matrix((values, columns, start), (len(start) - 1, matrix.getSize()[1]))
    whole, pieces = comm.gather(_graph(rows)), None
    if whole is not None:
        pieces = divided(points, vstack(whole, format="csr"), min(comm.size, MOST_PARTS))
    *parts, between = comm.bcast(pieces)
    return parts[comm.rank] if comm.rank < len(parts) else np.zeros(0, int), between


def _between(matrix: PETSc.Mat, points: Array) -> csr_matrix:
    """What some points (k,) of all ranks have to do with each other, (3 k, 3 k) in their order. Collective."""
    ascending = np.argsort(points)
    index = PETSc.IS().createGeneral(_unknowns(points[ascending]).astype(PETSc.IntType), comm=PETSc.COMM_SELF)
    start, columns, values = matrix.createSubMatrices([index], [index])[0].getValuesCSR()
    back = np.empty_like(ascending)
    back[ascending] = np.arange(len(points))
    n, place = 3 * len(points), _unknowns(back)
    return csr_matrix((values, columns, start), (n, n))[place][:, place].tocsr()


def _scatter(matrix: PETSc.Mat, unknowns: Array, size: int) -> tuple[PETSc.Scatter, PETSc.Vec]:
    """From vectors of all ranks to the first places of one of this rank's, of a size, and that."""
    x = PETSc.Vec().createSeq(size)
    there = PETSc.IS().createGeneral(unknowns.astype(PETSc.IntType), comm=PETSc.COMM_SELF)
    here = PETSc.IS().createStride(len(unknowns), step=1, comm=PETSc.COMM_SELF)
    return PETSc.Scatter().create(matrix.createVecRight(), there, x, here), x
