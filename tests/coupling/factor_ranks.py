"""Run under mpirun: solves with the shared factor against a dense solve on one rank."""

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc
from scipy.sparse import csr_matrix

from coupling.preconditioner import Preconditioner
from coupling.shared_factor import SharedFactor


def lattice(n: int) -> tuple[np.ndarray, np.ndarray]:
    """n² points and a matrix, symmetric and positive definite, between those within two of each other."""
    points = np.stack(np.meshgrid(np.arange(n), np.arange(n), [0.0]), axis=-1).reshape(-1, 3)
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    scalar = np.where(distance < 2.1, -np.exp(-distance), 0.0)
    np.fill_diagonal(scalar, 0.1 - scalar.sum(axis=1) + scalar.diagonal())
    return points, np.kron(scalar, np.eye(3) + 0.2)


def shared(comm: MPI.Comm, matrix: np.ndarray) -> tuple[PETSc.Mat, slice]:
    """Its rows on the ranks, unequal shares, and the points of this rank."""
    cuts = np.linspace(0.0, 1.0, comm.size + 1) ** 1.5 * (len(matrix) // 3)
    mine = slice(*np.round(cuts[comm.rank : comm.rank + 2]).astype(int))
    rows = csr_matrix(matrix[3 * mine.start : 3 * mine.stop])
    csr = (rows.indptr.astype(PETSc.IntType), rows.indices.astype(PETSc.IntType), rows.data)
    n = rows.shape[0]
    return PETSc.Mat().createAIJ(((n, None), (n, None)), csr=csr, comm=comm), mine


def main(comm: MPI.Comm) -> None:
    points, dense = lattice(20)
    rng = np.random.default_rng(0)
    place = rng.permutation(len(points))  # ranks do not have compact shares
    index = (3 * place[:, None] + np.arange(3)).ravel()
    points, dense = points[place], dense[np.ix_(index, index)]
    matrix, mine = shared(comm, dense)
    factor = SharedFactor.of(matrix, points[mine])
    assert factor is not None
    r, z = matrix.createVecs()
    for _ in range(2):  # nothing is left over from the last solve
        right = rng.normal(size=len(dense))
        r.array[:] = right[3 * mine.start : 3 * mine.stop]
        factor.solve(r, z)
        exact = np.linalg.solve(dense, right)
        np.testing.assert_allclose(z.array, exact[3 * mine.start : 3 * mine.stop], atol=1e-11)

    indefinite, _ = shared(comm, dense - 0.5 * np.eye(len(dense)))
    assert SharedFactor.of(indefinite, points[mine]) is None
    Preconditioner(indefinite, points=points[mine])(r, z)  # which another one takes over
    np.testing.assert_allclose((indefinite * z - r).norm(), 0.0, atol=1e-9)


if __name__ == "__main__":
    main(MPI.COMM_WORLD)
    if MPI.COMM_WORLD.rank == 0:
        print("ok")
