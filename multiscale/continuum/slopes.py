"""∇u at the quadrature points of cells as one sparse matrix, made once: cells are affine and do not change.

Tensors at points, (n, 3, 3), are kept component by component in memory, (3, 3, n) seen as (n, 3, 3): laws work on
whole components, which is several times faster than on one small matrix after another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from multiscale.continuum import compat

Array = np.ndarray


@dataclass(frozen=True)
class Slopes:
    """matrix: (dim · n, nodes), row d · n + p is ∂/∂x_d at point p of the n = cells · nq; transposed: the same as rows
    of nodes. nodes: local ones, ghosts included."""

    matrix: csr_matrix
    transposed: csr_matrix
    dim: int

    @classmethod
    def of(cls, space: Any, degree: int, vertices: Array, points: Array) -> Slopes:
        """vertices: (nc, dim + 1, dim) of the cells; points: (nq, dim) of the reference cell."""
        nc, dim = len(vertices), vertices.shape[2]
        inverse = np.linalg.inv(vertices[:, 1:] - vertices[:, :1])
        reference = compat.tabulate_lagrange(space.mesh, degree, points)[1]
        values = np.einsum("cdr,qkr->dcqk", inverse, reference)
        nodes = compat.dofmap(space)[:nc]
        count = space.dofmap.index_map.size_local + space.dofmap.index_map.num_ghosts
        columns = np.broadcast_to(nodes[None, :, None, :], values.shape)
        starts = np.arange(0, values.size + 1, nodes.shape[1])
        return cls._of(csr_matrix((values.ravel(), columns.ravel(), starts), (len(starts) - 1, count)), dim)

    @classmethod
    def _of(cls, matrix: csr_matrix, dim: int) -> Slopes:
        return cls(matrix, matrix.T.tocsr(), dim)

    def at(self, points: Array) -> Slopes:
        """At some of the points."""
        n = self.matrix.shape[0] // self.dim
        return self._of(self.matrix[(n * np.arange(self.dim)[:, None] + points).ravel()], self.dim)

    def deformation(self, u: Array) -> Array:
        """F = 1 + ∇u (n, 3, 3) of displacements (nodes, 3); without dependence on a third coordinate in a plane."""
        n = self.matrix.shape[0] // self.dim
        F = np.zeros((3, 3, n))
        for i in range(3):
            F[i, : self.dim] = (self.matrix @ u[:, i]).reshape(self.dim, n)
            F[i, i] += 1.0
        return F.transpose(2, 0, 1)

    def pull_back(self, stress: Array, weight: Array) -> Array:
        """Σ weight · P : ∂(∇u)/∂u, (nodes, 3), of P (n, 3, 3) and weight (n,)."""
        out = np.empty((self.matrix.shape[1], 3))
        weighted = weight * stress.transpose(1, 2, 0)[:, : self.dim]
        for i in range(3):
            out[:, i] = self.transposed @ weighted[i].ravel()
        return out
