"""The preconditioner of the composite problem, factored: TᵀHT of the atoms at rest, the bulk's stiffness, and that of
the terms, which is renewed where they have changed: a surface that opens, a contact that closes."""

from __future__ import annotations

import numpy as np
from petsc4py import PETSc

from coupling.model import Model
from coupling.shared_factor import SharedFactor
from coupling.term import Holding

Array = np.ndarray

DIRECT_LIMIT = {2: 1_000_000, 3: 250_000}
"""Unknowns up to which a sparse factorisation is used, in a plane and in space; multigrid beyond. (A disc with 283 000
has the same memory either way, and a step of 0.7 s in place of 32.)"""

PATIENCE = {2: 12, 3: 60}
"""Iterations after which it is renewed, in a plane and in space, where factors cost more."""

SHARED_LIMIT = 300_000
"""Unknowns up to which ranks share Cholesky factors of their own, with which a solve takes a fifth of the time that it
takes with MUMPS's."""


def stiffness(model: Model, atom_hessian: PETSc.Mat, shift: float = 1e-4) -> PETSc.Mat:
    """TᵀHT + K, with unit rows for prescribed unknowns, and `shift` times its mean diagonal added so that atoms with
    all their bonds across the cut stay held. The terms are not in it."""
    total = atom_hessian.ptap(model.transfer)
    if model.bulk is not None:
        total.axpy(1.0, _embedded(model), structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
    diagonal = total.getDiagonal()
    unit = _unit(model, shift * diagonal.sum() / model.layout.n_global)
    total.axpy(1.0, unit, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
    total.zeroRowsColumns(_fixed(model), diag=diagonal.max()[1])
    return total


def _fixed(model: Model) -> Array:
    """Prescribed unknowns of this rank in the numbering of all."""
    return (model.fixed + model.layout.starts[model.comm.rank]).astype(PETSc.IntType)


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
    where points (n, 3), or a model, say where this rank's unknowns are, three at each.

    P: `steady` plus the terms of the model, if one is given, at rest; `renew` takes them as they are at a state. What
    softens in them is left out: P stays positive definite. renewed: whether it was.
    """

    def __init__(
        self, steady: PETSc.Mat, dim: int = 3, points: Array | None = None, model: Model | None = None
    ):
        self._steady, self._dim, self._model, self.renewed = steady, dim, model, False
        self.points = points if model is None else model.points
        self._terms = [] if model is None else [term for term in model.terms if isinstance(term, Holding)]
        self.matrix = steady if model is None or not self._terms else self._with_terms(model.vector())
        self._solver = self._factor()

    def __call__(self, r: PETSc.Vec, z: PETSc.Vec) -> None:
        self._solver.solve(r, z)

    def is_due(self, iteration: int) -> bool:
        """Whether a solver that still iterates does well to renew it."""
        return len(self._terms) > 0 and iteration % PATIENCE[self._dim] == 0

    def renew(self, q: PETSc.Vec) -> None:
        """Factor with the terms as they are at q, where there are any. Collective."""
        if not self._terms:
            return
        matrix, self.renewed = self._with_terms(q), True
        if isinstance(self._solver, PETSc.KSP) and _same_pattern(matrix, self.matrix):
            matrix.copy(self.matrix, structure=PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
            self._solver.setOperators(self.matrix)  # keeps the ordering, most of a factorisation's cost
            self._solver.setUp()
        else:
            self.matrix = matrix
            self._solver = self._factor()

    def _with_terms(self, q: PETSc.Vec) -> PETSc.Mat:
        assert self._model is not None
        total = self._steady.copy()
        for term in self._terms:
            part = term.convex_stiffness(q)
            part.zeroRowsColumns(_fixed(self._model), diag=0.0)
            total.axpy(1.0, part, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
        return total

    def _factor(self) -> PETSc.KSP | SharedFactor:
        if self.matrix.getSize()[0] > DIRECT_LIMIT[self._dim]:
            return _multigrid(self.matrix)
        return _cholesky(self.matrix, self.points) or _factored(self.matrix, "lu", "mumps")


def _same_pattern(a: PETSc.Mat, b: PETSc.Mat) -> bool:
    """Whether the entries of two matrices of one rank are in the same places."""
    return a.comm.size == 1 and all(np.array_equal(x, y) for x, y in zip(a.getRowIJ(), b.getRowIJ()))


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
