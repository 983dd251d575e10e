"""The preconditioner of the composite problem: TᵀHT of the atoms at rest plus the bulk's stiffness, factored."""

from __future__ import annotations

import numpy as np
from petsc4py import PETSc

from coupling.model import Model
from coupling.shared_factor import SharedFactor

Array = np.ndarray

DIRECT_LIMIT = {2: 1_000_000, 3: 250_000}
"""Unknowns up to which a sparse factorisation is used, in a plane and in space; multigrid beyond. (A disc with 283 000
has the same memory either way, and a step of 0.7 s in place of 32.)"""

SHARED_LIMIT = 300_000
"""Unknowns up to which ranks share Cholesky factors of their own, with which a solve takes a fifth of the time that it
takes with MUMPS's."""


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
    multigrid. As long as P is positive definite the factors are CHOLMOD's on one rank; several share some of their own
    where points (n, 3) say where this rank's unknowns are, three at each."""

    def __init__(self, matrix: PETSc.Mat, dim: int = 3, points: Array | None = None):
        self.matrix, self.points = matrix, points
        if matrix.getSize()[0] > DIRECT_LIMIT[dim]:
            self._ksp = _multigrid(matrix)
        else:
            self._ksp = _cholesky(matrix, points) or _factored(matrix, "lu", "mumps")

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


def _cholesky(matrix: PETSc.Mat, points: Array | None) -> PETSc.KSP | SharedFactor | None:
    """Cholesky factors; None where the matrix is not positive definite, and where what makes them is missing."""
    if matrix.comm.size > 1:
        if points is None or matrix.getSize()[0] > SHARED_LIMIT:
            return None
        return SharedFactor.of(matrix, points)
    if not PETSc.Sys.hasExternalPackage("suitesparse"):
        return None
    PETSc.Options()["mat_cholmod_print"] = 0
    try:
        return _factored(matrix, "cholesky", "cholmod")
    except PETSc.Error:
        return None
