"""The preconditioner of the composite problem: TᵀHT of the atoms at rest plus the bulk's stiffness, factored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from coupling.model import Model

Array = np.ndarray

DIRECT_LIMIT = {2: 1_000_000, 3: 250_000}
"""Unknowns up to which a sparse factorisation is used, in a plane and in space; multigrid beyond. (A disc with 283 000
has the same memory either way, and a step of 0.7 s in place of 32.)"""

GATHERED_LIMIT = 60_000
"""Unknowns up to which one rank factors and solves for all: CHOLMOD's solve takes a fifth of MUMPS's, which many small
messages make slower still on several ranks."""


def stiffness(model: Model, atom_hessian: PETSc.Mat, shift: float = 1e-4) -> PETSc.Mat:
    """TᵀHT + K and the terms at rest, with unit rows for prescribed unknowns, and `shift` times its mean diagonal
    added so that atoms with all their bonds across the cut stay held."""
    total = atom_hessian.ptap(model.transfer)
    if model.bulk is not None:
        total.axpy(1.0, _embedded(model), structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
    rest = model.vector()
    for term in model.terms:
        total.axpy(1.0, term.stiffness(rest), structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
    diagonal = total.getDiagonal()
    unit = _unit(model, shift * diagonal.sum() / model.layout.n_global)
    total.axpy(1.0, unit, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
    fixed = (model.fixed + model.layout.starts[model.comm.rank]).astype(PETSc.IntType)
    total.zeroRowsColumns(fixed, diag=diagonal.max()[1])
    return total


def _unit(model: Model, value: float) -> PETSc.Mat:
    """`value` on the diagonal, also in the empty rows of held atoms that nobody feels, which Mat.shift refuses on
    several ranks."""
    n, first = model.layout.n_local, int(model.layout.starts[model.comm.rank])
    rows = np.arange(n + 1, dtype=PETSc.IntType)
    csr = (rows, rows[:-1] + first, np.full(n, value))
    return PETSc.Mat().createAIJ(((n, None), (n, None)), csr=csr, comm=model.comm)


def _embedded(model: Model) -> PETSc.Mat:
    """The bulk's stiffness in the numbering of the unknowns."""
    assert model.bulk is not None
    k, layout = model.bulk.stiffness(), model.layout
    n = 3 * int(np.diff(layout.mesh_starts)[layout.rank])
    nodes = np.arange(n // 3) + layout.mesh_starts[layout.rank]
    cols = (3 * layout.node_block(nodes)[:, None] + np.arange(3)).ravel().astype(PETSc.IntType)
    first = layout.mesh_starts[layout.rank] * 3
    place = PETSc.Mat().createAIJ(
        ((n, 3 * int(layout.mesh_starts[-1])), (layout.n_local, layout.n_global)), nnz=1, comm=model.comm
    )
    place.setValuesIJV(
        np.arange(n + 1, dtype=PETSc.IntType),
        cols,
        np.ones(n),
        rowmap=np.arange(first, first + n, dtype=PETSc.IntType),
    )
    place.assemble()
    return k.ptap(place)


class Preconditioner:
    """z = P⁻¹ r: by a sparse factorisation up to DIRECT_LIMIT[dim] unknowns, else conjugate gradients with algebraic
    multigrid. On one rank, and for up to GATHERED_LIMIT unknowns, CHOLMOD's as long as P is positive definite."""

    def __init__(self, matrix: PETSc.Mat, dim: int = 3):
        self.matrix = matrix
        if matrix.getSize()[0] > DIRECT_LIMIT[dim]:
            self._ksp = _multigrid(matrix)
        else:
            self._ksp = _cholesky(matrix) or _factored(matrix, "lu", "mumps")

    def __call__(self, r: PETSc.Vec, z: PETSc.Vec) -> None:
        self._ksp.solve(r, z)


def _multigrid(matrix: PETSc.Mat) -> PETSc.KSP:
    ksp = PETSc.KSP().create(matrix.comm)
    ksp.setOperators(matrix)
    ksp.setType("cg")
    ksp.setTolerances(rtol=1e-6, max_it=500)
    ksp.getPC().setType("gamg")
    ksp.setUp()
    return ksp


def _factored(matrix: PETSc.Mat, kind: str, solver: str) -> PETSc.KSP:
    ksp = PETSc.KSP().create(matrix.comm)
    ksp.setOperators(matrix)
    ksp.setType("preonly")
    ksp.getPC().setType(kind)
    ksp.getPC().setFactorSolverType(solver)
    ksp.setUp()
    return ksp


def _cholesky(matrix: PETSc.Mat) -> PETSc.KSP | OnFirst | None:
    """CHOLMOD's factors; None where there is no CHOLMOD, for too large a matrix, and for one that is not positive
    definite."""
    alone = matrix.comm.size == 1
    if not PETSc.Sys.hasExternalPackage("suitesparse") or not (
        alone or matrix.getSize()[0] <= GATHERED_LIMIT
    ):
        return None
    PETSc.Options()["mat_cholmod_print"] = 0
    if not alone:
        return OnFirst.of(matrix)
    try:
        return _factored(matrix, "cholesky", "cholmod")
    except PETSc.Error:
        return None


@dataclass(frozen=True)
class OnFirst:
    """A solver on the first rank, None on others, for vectors spread over all. counts: entries of each rank."""

    comm: MPI.Comm
    solver: PETSc.KSP | None
    counts: Array

    @classmethod
    def of(cls, matrix: PETSc.Mat) -> OnFirst | None:
        """None, on every rank, for a matrix that is not positive definite. Collective."""
        comm, solver = matrix.comm.tompi4py(), None
        parts = comm.gather(matrix.getValuesCSR())
        if parts is not None:
            rows, columns, values = zip(*parts)
            before = np.cumsum([0, *(r[-1] for r in rows[:-1])])
            start = np.concatenate([[0], *(r[1:] + b for r, b in zip(rows, before))]).astype(PETSc.IntType)
            size, csr = matrix.getSize(), (start, np.concatenate(columns), np.concatenate(values))
            solver = _cholesky(PETSc.Mat().createAIJ(size, csr=csr, comm=PETSc.COMM_SELF))
        if not comm.bcast(solver is not None):
            return None
        assert solver is None or isinstance(solver, PETSc.KSP)
        return cls(comm, solver, np.array(comm.allgather(matrix.getLocalSize()[0])))

    def solve(self, r: PETSc.Vec, z: PETSc.Vec) -> None:
        """As a KSP's. Collective."""
        whole = found = None
        if self.solver is not None:
            whole, found = self.solver.getOperators()[0].createVecs()
        self.comm.Gatherv(r.array_r, None if whole is None else [whole.array, self.counts])
        if self.solver is not None:
            self.solver.solve(whole, found)
        self.comm.Scatterv(None if found is None else [found.array, self.counts], z.array)
