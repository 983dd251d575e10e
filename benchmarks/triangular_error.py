"""What the runs of the triangular benchmark are measured against: displacements on the fully resolved lattice.

Within `near` layers the reference is a fully atomistic solution whose rim follows the finest coupled one; beyond, up
to `far` layers, that coupled one itself, on every fourth site. Errors are those of the P1 gradient on these sites,
|∇(u − u_ref)| / |∇u_ref| with u relative to F0 x and zero beyond a run's own domain; triangles at vacant sites are
left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from triangular import LAYER, Case, Layout, Run, atomistic, couple, solve

Array = np.ndarray
STRIDE = 4


@dataclass(frozen=True)
class Lattice:
    """Sites (n, 2) of a hexagon and its triangles (m, 3), of edge `spacing`."""

    points: Array
    cells: Array
    spacing: float

    @classmethod
    def hexagon(cls, layers: int, spacing: int = 1, hole: int = 0) -> Lattice:
        n = layers // spacing
        i, j = (k.ravel() for k in np.mgrid[-n : n + 1, -n : n + 1])
        rank = np.maximum.reduce([np.abs(i), np.abs(j), np.abs(i + j)])
        number = np.full(rank.shape, -1)
        number[rank <= n] = np.arange((rank <= n).sum())
        grid, rank_of = number.reshape(2 * n + 1, -1), rank.reshape(2 * n + 1, -1)
        p, q, r, s = grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]
        cells = np.concatenate([np.stack([a.ravel() for a in t], 1) for t in ((p, q, r), (q, s, r))])
        cells = cells[(cells >= 0).all(1)]
        least = np.minimum.reduce([rank_of.ravel()[rank <= n][c] for c in cells.T])
        points = spacing * np.stack([i + 0.5 * j, LAYER * j], 1)[rank <= n]
        return cls(points, cells[least >= hole // spacing], float(spacing))

    def square(self, v: Array) -> float:
        """∫ |∇v|² of the nodal values v (n, 2); triangles with a nan are left out."""
        x = self.points[self.cells]
        edges, jumps = x[:, 1:] - x[:, :1], v[self.cells][:, 1:] - v[self.cells][:, :1]
        slope = np.linalg.solve(edges, jumps)
        return float(np.nansum(np.nansum(slope**2, axis=(1, 2)) * 0.5 * LAYER * self.spacing**2))


class Truth:
    """The reference of a case. coarse: the finest coupled run; fine: the atomistic one within it."""

    def __init__(self, case: Case, finest: Layout, near: int = 120, far: int = 1200):
        self.case = case
        self.coarse = couple(case, "bgfc", finest)
        model = atomistic(case, near)
        self.fine = solve(case, "atomistic", model, 0.0, rim=self._rim)
        self.grids = (Lattice.hexagon(near), Lattice.hexagon(far, STRIDE, near))
        self.values = (self._relative(self.fine, 0), self._relative(self.coarse, 1))
        self.values[0][case.removed(self.grids[0].points)] = np.nan
        self.size = np.sqrt(sum(g.square(v) for g, v in zip(self.grids, self.values)))

    def _rim(self, x: Array) -> Array:
        u = self.coarse.displacement(x[:, :2])
        return np.column_stack([u, np.zeros(len(u))])

    def _relative(self, run: Run, grid: int) -> Array:
        x = self.grids[grid].points
        u = run.displacement(x) - x @ self.case.gradient[:2, :2].T
        return np.where(np.isnan(u), 0.0, u)

    def error(self, run: Run) -> float:
        """Relative error of the gradient."""
        total = 0.0
        for k, grid in enumerate(self.grids):
            total += grid.square(self._relative(run, k) - self.values[k])
        return float(np.sqrt(total)) / self.size
