"""Shape functions of the mesh at arbitrary points, whichever rank owns the cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from multiscale.continuum import compat
from multiscale.continuum.straight import condense

Array = np.ndarray
_NOWHERE = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Tabulation:
    """Interpolation at n points: u(x_i) = Σ_k values[i, k] u[nodes[i, k]], ∇u likewise.

    found: (n,) whether the point lies in the mesh; nodes: (n, k) global node numbers (dof = 3 node +
    component); values: (n, k); gradients: (n, k, 3), 1/Å, third component zero in a plane mesh. Rows of
    points that are not found are zero.
    """

    found: Array
    nodes: Array
    values: Array
    gradients: Array


class Locator:
    """Finds the cells of points. A point that several cells share belongs to the one that comes first in the
    mesh as given, so the answer does not depend on how the mesh is spread over the ranks.
    """

    def __init__(self, space: Any, degree: int, vertices: Array, place: Array, straight: Array | None = None):
        """vertices: (nc, dim + 1, dim) of the owned cells; place: (nc,) their place in the mesh as given;
        straight: (nc, edges) edges whose middle node follows the ends."""
        self._straight = straight
        self.space, self.mesh, self.degree = space, space.mesh, degree
        self.comm, self.dim = space.mesh.comm, vertices.shape[-1]
        self._origin, self._place = vertices[:, 0], place
        self._inverse = np.linalg.inv(np.swapaxes(vertices[:, 1:] - vertices[:, :1], 1, 2))
        self._low, self._high = _bounds(vertices)
        low, high = _spread(self.comm, self._low, self._high)
        self._tolerance = 1e-9 * float(np.linalg.norm(high - low))
        cells = np.arange(len(vertices), dtype=np.int32)
        self._tree = compat.box_tree(self.mesh, cells, self._tolerance) if len(cells) else None

    def tabulate(self, points: Array) -> Tabulation:
        """Collective: every rank passes its own points (n, 3) and gets the answer for these. A plane mesh
        looks at x and y alone: its points lie anywhere in the thickness.
        """
        points = np.array(points, float).reshape(-1, 3)
        points[:, self.dim :] = 0.0
        boxes = self.comm.allgather((self._low - self._tolerance, self._high + self._tolerance))
        x = points[:, : self.dim]
        asked = [np.flatnonzero(((x >= low) & (x <= high)).all(1)) for low, high in boxes]
        received = self.comm.alltoall([points[rows] for rows in asked])
        answers = self.comm.alltoall([self._answer(p) for p in received])
        return self._choose(len(points), asked, answers)

    def _choose(self, n: int, asked: list[Array], answers: list[tuple[Array, ...]]) -> Tabulation:
        k = compat.dofmap(self.space).shape[1]
        place = np.full(n, _NOWHERE)
        nodes, values, gradients = np.zeros((n, k), np.int64), np.zeros((n, k)), np.zeros((n, k, 3))
        for rows, (at, its_nodes, its_values, its_gradients) in zip(asked, answers):
            better = at < place[rows]
            to = rows[better]
            place[to], nodes[to] = at[better], its_nodes[better]
            values[to], gradients[to] = its_values[better], its_gradients[better]
        return Tabulation(place < _NOWHERE, nodes, values, gradients)

    def _answer(self, points: Array) -> tuple[Array, Array, Array, Array]:
        """Place of the cell of each point (_NOWHERE: in no owned cell), its nodes, values and gradients."""
        n, k = len(points), compat.dofmap(self.space).shape[1]
        place, cell, X = self._locate(points)
        nodes, values, gradients = np.zeros((n, k), np.int64), np.zeros((n, k)), np.zeros((n, k, 3))
        hit = np.flatnonzero(place < _NOWHERE)
        if len(hit):
            local = compat.dofmap(self.space)[cell[hit]]
            to_global = self.space.dofmap.index_map.local_to_global
            nodes[hit] = np.asarray(to_global(local.ravel().astype(np.int32))).reshape(local.shape)
            values[hit], slopes = compat.tabulate_lagrange(self.mesh, self.degree, X[hit])
            gradients[hit, :, : self.dim] = slopes @ self._inverse[cell[hit]]
            if self._straight is not None:
                edges = self._straight[cell[hit]]
                values[hit] = condense(values[hit], edges, self.dim)
                gradients[hit] = condense(gradients[hit], edges, self.dim)
        return place, nodes, values, gradients

    def _locate(self, points: Array) -> tuple[Array, Array, Array]:
        """Place, local number and reference coordinates of the first owned cell that holds each point."""
        n = len(points)
        place, cell, X = np.full(n, _NOWHERE), np.zeros(n, np.int64), np.zeros((n, self.dim))
        if n == 0 or self._tree is None:
            return place, cell, X
        row, candidate = compat.box_candidates(self._tree, points)
        at = np.einsum(
            "nij,nj->ni", self._inverse[candidate], points[row, : self.dim] - self._origin[candidate]
        )
        # Distance to each facet = barycentric coordinate / length of its gradient.
        weight = np.concatenate([1.0 - at.sum(1, keepdims=True), at], axis=1)
        slope = self._inverse[candidate]
        steep = np.linalg.norm(np.concatenate([-slope.sum(1, keepdims=True), slope], axis=1), axis=2)
        holds = (weight / steep).min(1) >= -self._tolerance
        row, candidate, at = row[holds], candidate[holds], at[holds]
        order = np.lexsort((self._place[candidate], row))
        row, candidate, at = row[order], candidate[order], at[order]
        first = np.append(True, row[1:] != row[:-1])[: len(row)]
        place[row[first]], cell[row[first]] = self._place[candidate[first]], candidate[first]
        X[row[first]] = at[first]
        return place, cell, X


def _bounds(vertices: Array) -> tuple[Array, Array]:
    flat = vertices.reshape(-1, vertices.shape[-1])
    return flat.min(0, initial=np.inf), flat.max(0, initial=-np.inf)


def _spread(comm: Any, low: Array, high: Array) -> tuple[Array, Array]:
    both = comm.allgather((low, high))
    return np.min([b[0] for b in both], axis=0), np.max([b[1] for b in both], axis=0)
