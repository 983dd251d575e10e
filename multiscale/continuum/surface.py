"""Quadrature points on two matching faces of the mesh, and the matrices that give the jump and the mean there.

The points are the nodes of the facets (Newton–Cotes rules): every pair of nodes is a spring of its own. With Gauss
points the tractions of a stiff closed surface oscillate from node to node (J. C. J. Schellekens, R. de Borst, Int. J.
Numer. Methods Eng. 36, 43, 1993, doi:10.1002/nme.1620360104).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from coupling.transfer import Layout, block_matrix

Array = np.ndarray

PLANE = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""Rows are the normal and the two tangents of a plane normal to y (coupling.cohesive.halves has the same)."""

# Barycentric coordinates and weights by (dim of the facet, degree); corners first, then the middles of the edges.
_MIDDLES = {1: [[0.5, 0.5]], 2: [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]}
_RULES = {
    (1, 1): (np.eye(2), np.full(2, 1 / 2)),
    (1, 2): (np.array([*np.eye(2), *_MIDDLES[1]]), np.array([1 / 6, 1 / 6, 2 / 3])),
    (2, 1): (np.eye(3), np.full(3, 1 / 3)),
    (2, 2): (
        np.array([*np.eye(3), *_MIDDLES[2], [1 / 3] * 3]),
        np.array([1 / 20] * 3 + [2 / 15] * 3 + [9 / 20]),
    ),
}


@dataclass(frozen=True)
class Surface:
    """This rank's part of a surface between two faces of a mesh whose facets match, n points on each facet.

    comm: the ranks of the mesh; upper, lower: (f, k) global nodes of each facet, in the same order on both sides;
    corners: (f, dim, 3) Å; rule: barycentric coordinates (n, dim) and weights (n,) of the points, the corners first;
    values: (f, n, k) shape functions there; measure: (f,) area of each facet, Å²; frame: (3, 3) rows are the normal,
    from lower to upper, and two tangents.
    """

    comm: Any
    upper: Array
    lower: Array
    corners: Array
    rule: tuple[Array, Array]
    values: Array
    measure: Array
    frame: Array

    @property
    def points(self) -> Array:
        """(f n, 3) Å."""
        return np.einsum("nc,fci->fni", self.rule[0], self.corners).reshape(-1, 3)

    @property
    def area(self) -> Array:
        """Of each point, (f n,), Å²."""
        return (self.measure[:, None] * self.rule[1]).ravel()

    def jump(self, layout: Layout) -> PETSc.Mat:
        """J: unknowns → displacement of the upper face less that of the lower one in the surface's frame, three
        rows for each point. Collective."""
        return self._matrix(layout, self.frame, -self.frame)

    def mean(self, layout: Layout) -> PETSc.Mat:
        """Unknowns → mean displacement of both faces, laboratory axes. Collective."""
        return self._matrix(layout, 0.5 * np.eye(3), 0.5 * np.eye(3))

    def _matrix(self, layout: Layout, above: Array, below: Array) -> PETSc.Mat:
        f, n, k = self.values.shape
        here = self.values.ravel() != 0.0
        sides = []
        for nodes, turn in ((self.upper, above), (self.lower, below)):
            rows = np.repeat(np.arange(f * n), k)[here]
            cols = np.repeat(layout.node_block(nodes)[:, None], n, axis=1).ravel()[here]
            sides.append((rows, cols, self.values.ravel()[here][:, None, None] * turn))
        rows, cols, blocks = (np.concatenate(parts) for parts in zip(*sides))
        return block_matrix(self.comm, *_summed(rows, cols, blocks), (f * n, layout.n_local // 3))


def make_surface(bulk: Any, tags: Sequence[tuple[str, str]], frame: Array = PLANE) -> Surface:
    """The surface between the faces (upper, lower) of a bulk that the pairs of tags name. Each facet belongs to the
    rank that has its first upper node. Collective. ValueError where the facets of a pair do not match."""
    upper, lower = (np.concatenate([bulk.facet_nodes(pair[side]) for pair in tags]) for side in (0, 1))
    above, below = node_positions(bulk, upper), node_positions(bulk, lower)
    if not (
        above.shape == below.shape and np.allclose(above, below, rtol=1e-9, atol=1e-6 * _shortest(above))
    ):
        raise ValueError(f"the facets of {tags[0][0]} and {tags[0][1]} do not match")
    dim, rule = bulk.dim, _RULES[bulk.dim - 1, bulk.degree]
    first = bulk.first // 3
    mine = (upper[:, 0] >= first) & (upper[:, 0] < first + bulk.n_owned // 3)
    corners = above[mine, :dim]
    bound = np.isin(upper[mine, dim:], np.concatenate(bulk.comm.allgather(first + bulk.bound_nodes)))
    measure = _measure(corners) * (bulk.thickness if dim == 2 else 1.0)
    values = _shape_values(rule[0], bulk.degree, bound)
    return Surface(bulk.comm, upper[mine], lower[mine], corners, rule, values, measure, frame)


def node_positions(bulk: Any, nodes: Array) -> Array:
    """Of global nodes (f, k), the same on every rank: (f, k, 3). Collective."""
    local = nodes - bulk.first // 3
    own = (local >= 0) & (local < bulk.n_owned // 3)
    out = np.zeros((*nodes.shape, 3))
    out[own] = bulk.node_coordinates()[local[own]]
    bulk.comm.Allreduce(MPI.IN_PLACE, out, MPI.SUM)
    return out


def _shortest(positions: Array) -> float:
    """Extent of the smallest facet."""
    return float(np.ptp(positions, axis=1).max(axis=1).min(initial=np.inf)) if len(positions) else 0.0


def _measure(corners: Array) -> Array:
    """Length of segments or area of triangles, (f,)."""
    edges = corners[:, 1:] - corners[:, :1]
    gram = edges @ np.swapaxes(edges, 1, 2)
    return np.sqrt(np.abs(np.linalg.det(gram))) / factorial(edges.shape[1])


def _shape_values(at: Array, degree: int, bound: Array) -> Array:
    """Lagrange functions of the nodes of each facet at barycentric points (n, c): (f, n, k). bound: (f, edges) middle
    nodes that follow the ends of their edge."""
    if degree == 1:
        return np.broadcast_to(at, (len(bound), *at.shape)).copy()
    edges = np.array(list(combinations(range(at.shape[1]), 2)))
    middle = 4.0 * at[:, edges[:, 0]] * at[:, edges[:, 1]]
    values = np.concatenate([at * (2.0 * at - 1.0), middle], axis=1)
    out = np.broadcast_to(values, (len(bound), *values.shape)).copy()
    for edge, ends in enumerate(edges):
        tied, column = bound[:, edge], at.shape[1] + edge
        for end in ends:
            out[tied, :, end] += 0.5 * out[tied, :, column]
        out[tied, :, column] = 0.0
    return out


def _summed(rows: Array, cols: Array, blocks: Array) -> tuple[Array, Array, Array]:
    """Blocks at the same place added up: a node that both faces share has no jump."""
    width = int(cols.max(initial=0)) + 1
    place, inverse = np.unique(rows * width + cols, return_inverse=True)
    total = np.zeros((len(place), 3, 3))
    np.add.at(total, inverse.reshape(-1), blocks)
    return place // width, place % width, total
