"""Quadratic elements that are linear in a part of the mesh: the middles of chosen edges follow their ends.

Where every lattice site is a node the coupling wants linear elements; beyond, quadratic ones converge faster. A
space of degree 2 whose middle nodes are bound, u_full = C u with rows ½, ½, is both, and stays conforming.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from petsc4py import PETSc

from multiscale.continuum import compat

Array = np.ndarray
Region = Callable[[Array], Array]
"""Which points (n, dim), Å, lie in the part of the mesh that is linear, (n,) boolean."""

EDGES = {2: np.array([[1, 2], [0, 2], [0, 1]]), 3: np.array([[2, 3], [1, 3], [1, 2], [0, 3], [0, 2], [0, 1]])}
"""Ends of the edges of a simplex, in the order of its middle nodes, which follow the corners."""


def straight_edges(vertices: Array, region: Region) -> Array:
    """Edges of cells (nc, dim + 1, dim) that have both ends in the region, (nc, edges)."""
    inside = region(vertices.reshape(-1, vertices.shape[2])).reshape(vertices.shape[:2])
    return inside[:, EDGES[vertices.shape[2]]].all(axis=2)


def condense(values: Array, straight: Array, dim: int) -> Array:
    """Shape functions (or gradients) at points, (n, k, …), those of bound middle nodes given to their ends."""
    out = values.copy()
    for edge, (a, b) in enumerate(EDGES[dim]):
        bound = straight[:, edge]
        half = 0.5 * values[bound, dim + 1 + edge]
        out[bound, a] += half
        out[bound, b] += half
        out[bound, dim + 1 + edge] = 0.0
    return out


class Binding:
    """C of a space on this communicator. bound: owned local nodes that follow others."""

    def __init__(self, space: Any, vertices: Array, region: Region):
        """vertices: (nc, dim + 1, dim) of all local cells, ghosts last."""
        mesh, nodes = space.mesh, space.dofmap.index_map
        dim, owned, first = mesh.topology.dim, nodes.size_local, nodes.local_range[0]
        cells = compat.dofmap(space)[: len(vertices)]
        straight = straight_edges(vertices, region)
        middle = cells[:, dim + 1 :][straight]
        ends = cells[:, EDGES[dim]][straight]
        chosen = np.unique(middle, return_index=True)[1]
        chosen = chosen[middle[chosen] < owned]
        self.bound = middle[chosen].astype(np.int64)
        ends = np.asarray(nodes.local_to_global(ends[chosen].ravel().astype(np.int32))).reshape(-1, 2)
        self._matrix = self._assemble(mesh.comm, owned, first, ends)
        self._in, self._out = self._matrix.createVecRight(), self._matrix.createVecLeft()

    def _assemble(self, comm: Any, owned: int, first: int, ends: Array) -> PETSc.Mat:
        count = np.ones(owned, int)
        count[self.bound] = 3  # the two ends, and a zero that keeps its place on the diagonal
        start = np.concatenate([[0], np.cumsum(count)])
        node, weight = np.zeros(start[-1], int), np.ones(start[-1])
        node[start[:-1]] = first + np.arange(owned)
        weight[start[:-1][self.bound]] = 0.0
        at = start[:-1][self.bound][:, None] + np.arange(1, 3)
        node[at], weight[at] = ends, 0.5
        component, row = np.arange(3), np.repeat(np.arange(owned), count)
        order = np.argsort(3 * row[:, None] + component, axis=None, kind="stable")
        cols = (3 * node[:, None] + component).ravel()[order].astype(PETSc.IntType)
        values = np.repeat(weight, 3)[order]
        indptr = np.concatenate([[0], np.cumsum(np.repeat(count, 3))]).astype(PETSc.IntType)
        size = ((3 * owned, None), (3 * owned, None))
        matrix = PETSc.Mat().createAIJ(size, bsize=3, csr=(indptr, cols, values), comm=comm)
        matrix.assemble()
        return matrix

    def spread(self, u: Array) -> Array:
        """C u: all owned dofs from the free ones."""
        self._in.array[:] = u
        self._matrix.mult(self._in, self._out)
        return self._out.array_r.copy()

    def collect(self, g: Array) -> Array:
        """Cᵀ g: the gradient on the free dofs, zero on bound ones."""
        self._out.array[:] = g
        self._matrix.multTranspose(self._out, self._in)
        return self._in.array_r.copy()

    def condensed(self, stiffness: PETSc.Mat) -> PETSc.Mat:
        """Cᵀ K C with the mean diagonal on bound dofs."""
        matrix = stiffness.ptap(self._matrix)
        diagonal = matrix.getDiagonal()
        bound = (3 * self.bound[:, None] + np.arange(3)).ravel()
        values = diagonal.array
        values[bound] = diagonal.sum() / max(diagonal.getSize(), 1)
        matrix.setDiagonal(diagonal)
        return matrix
