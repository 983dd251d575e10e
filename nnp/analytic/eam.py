"""Embedded atoms: pairs, and an energy of the density that the neighbours leave at an atom."""

from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import CubicSpline

from nnp.analytic.reach import pairs_within, sum_at_sites, switch
from nnp.analytic.setfl import Setfl
from nnp.potential import Graph
from nnp.state import Tensor


class EmbeddedAtom:
    """ε_i = F_i(Σ_j ρ_j(r_ij)) + ½ Σ_j φ_ij(r_ij)  (Daw & Baskes 1984, doi:10.1103/PhysRevB.29.6443) with F, ρ
    and φ from tables, through cubic splines: twice continuously differentiable.

    Tables end at the cutoff a little above zero, or with a kink: a quintic step takes ρ and φ to zero over
    the last `switch_width` (Å; 0 leaves the tables as they are). Below the first distance of the table φ
    follows its first cubic; above the last density F goes on along its tangent.
    ValueError for a switch_width that is negative or wider than half the cutoff.
    """

    def __init__(self, tables: Setfl, switch_width: float = 0.1):
        if not 0.0 <= switch_width < 0.5 * tables.cutoff:
            raise ValueError("switch_width must be between 0 and half the cutoff")
        self.numbers, self.cutoff, self.switch_width = tables.numbers, tables.cutoff, switch_width
        k, n = len(tables.numbers), tables.density.shape[1]
        r = tables.d_r * np.arange(n)
        pairs = (tables.r_phi[..., 1:] / r[1:]).reshape(k * k, n - 1)
        self._embedding = _Spline(0.0, tables.d_rho, tables.embedding, tangent=True)
        self._density = _Spline(0.0, tables.d_r, tables.density)
        self._pair = _Spline(tables.d_r, tables.d_r, pairs)
        self._place = torch.full((max(tables.numbers) + 1,), -1, dtype=torch.long)
        self._place[list(tables.numbers)] = torch.arange(k)

    @property
    def receptive_field(self) -> float:
        return self.cutoff

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i, eV, (S,)."""
        near = graph.vectors.detach().square().sum(-1) < self.cutoff**2
        centre, _, r = pairs_within(graph, self.cutoff)
        place = self._place.to(r.device)
        mine, other = place[graph.numbers], place[graph.neighbour_numbers[near]]
        ended = switch(r, self.cutoff - self.switch_width, self.cutoff) if self.switch_width else 1.0
        density = self._density(other, r) * ended
        pair = 0.5 * self._pair(mine[centre] * len(self.numbers) + other, r) * ended
        total, bonds = sum_at_sites(graph, centre, torch.stack([density, pair], 1)).unbind(1)
        return self._embedding(mine, total) + bonds


class _Spline:
    """Cubic splines (not-a-knot) of several functions on one even grid.

    values: (functions, points). tangent: above the grid a function goes on along its tangent, else along
    its last cubic; below it along the first cubic.
    """

    def __init__(self, start: float, step: float, values: np.ndarray, tangent: bool = False):
        x = start + step * np.arange(values.shape[1])
        spline = CubicSpline(x, values, axis=1)
        coefficients = np.moveaxis(spline.c, 0, -1)  # scipy: (4, intervals, functions)
        rows = np.moveaxis(coefficients, 0, 1)
        if tangent:
            end = np.stack([0 * values[:, -1], 0 * values[:, -1], spline(x[-1], 1), values[:, -1]], -1)
            rows = np.concatenate([rows, end[:, None]], axis=1)
        self.start, self.step, self.intervals = start, step, rows.shape[1]
        self.table = torch.as_tensor(rows.reshape(-1, 4).copy())

    def __call__(self, function: Tensor, x: Tensor) -> Tensor:
        """Values (P,) of the functions (P,) at x (P,)."""
        k = ((x.detach() - self.start) / self.step).floor().long().clamp(0, self.intervals - 1)
        a, b, c, d = self.table.to(x)[function * self.intervals + k].unbind(1)
        t = x - (self.start + self.step * k.to(x.dtype))
        return d + t * (c + t * (b + t * a))
