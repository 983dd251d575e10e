"""Neighbour lists with a skin. The search is compiled code, or vesin's where there is no compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import vesin

from nnp.native.search import search
from nnp.state import State, Tensor


@dataclass(frozen=True)
class Pairs:
    """Directed pairs i → j, sorted by i; `shifts` (P, 3) counts the lattice vectors added to atom j."""

    i: Tensor
    j: Tensor
    shifts: Tensor

    def __len__(self) -> int:
        return len(self.i)

    def __getitem__(self, span: slice) -> Pairs:
        return Pairs(self.i[span], self.j[span], self.shifts[span])

    def vectors(self, state: State) -> Tensor:
        """r_ij = y_j + S·cell − y_i, (P, 3) Å, differentiable in the positions and the cell."""
        r = state.positions.index_select(0, self.j) - state.positions.index_select(0, self.i)
        return r + self.shifts.to(r.dtype) @ state.cell

    def select(self, keep: Tensor) -> Pairs:
        return Pairs(self.i[keep], self.j[keep], self.shifts[keep])


PairFilter = Callable[[Pairs], Tensor]
"""Says which pairs to keep, as a boolean (P,): how cross pairs of an interface are masked out."""


def find_pairs(state: State, cutoff: float) -> Pairs:
    """All directed pairs closer than `cutoff` (Å), sorted by the first atom."""
    box = state.cell.detach().cpu().numpy().astype(float).copy()
    empty = ~np.any(box != 0.0, axis=1)
    if empty.any():  # three independent vectors are wanted even where nothing repeats
        box[empty] = _complement(box[~empty])
    points = state.positions.detach().cpu().numpy().astype(float)
    found = search(points, box, state.pbc, cutoff) or _search(points, box, state.pbc, cutoff)
    return Pairs(*(t.to(state.positions.device) for t in found))


def _search(
    points: np.ndarray, box: np.ndarray, pbc: tuple[bool, bool, bool], cutoff: float
) -> tuple[Tensor, Tensor, Tensor]:
    """As nnp.native.search.search, by vesin."""
    nl = vesin.NeighborList(cutoff=cutoff, full_list=True)
    i, j, s = nl.compute(points=points, box=box, periodic=list(pbc), quantities="ijS")
    order = np.argsort(i.astype(np.int64), kind="stable")
    first, second, shifts = (torch.as_tensor(x[order].astype(np.int64)) for x in (i, j, s))
    return first, second, shifts


def _complement(rows: np.ndarray) -> np.ndarray:
    """Unit vectors that complete `rows` to a basis of space."""
    if len(rows) == 0:
        return np.eye(3)
    _, _, vt = np.linalg.svd(rows)
    return vt[len(rows) :]


class NeighborList:
    """Pairs within cutoff + skin, rebuilt only when one might be missing.

    A list made for one state serves every later state of the same atoms while they have moved by less than
    half the skin; where the cell has changed, the motion counts that is not the cell's, and the skin is as
    much thinner as the cell has shrunk. Potentials vanish smoothly beyond their cutoff, so the extra pairs
    cost time but change nothing.
    """

    def __init__(self, cutoff: float, skin: float = 0.5, keep: PairFilter | None = None):
        self.cutoff, self.skin, self.keep = cutoff, skin, keep
        self.builds = 0
        self._pairs: Pairs | None = None
        self._built_at: Tensor | None = None
        self._cell: Tensor | None = None

    def __call__(self, state: State) -> Pairs:
        if self._pairs is None or self._stale(state):
            pairs = find_pairs(state, self.cutoff + self.skin)
            self._pairs = pairs if self.keep is None else pairs.select(self.keep(pairs))
            self._built_at = state.positions.detach().clone()
            self._cell = state.cell.detach().clone()
            self.builds += 1
        return self._pairs

    def _stale(self, state: State) -> bool:
        """A pair left out was longer than cutoff + skin; strained by G and with both ends moved by d it is
        longer than σ_min(G)·(cutoff + skin) − 2 d."""
        assert self._built_at is not None and self._cell is not None
        y, start, shrink = state.positions.detach(), self._built_at, 1.0
        if y.shape != start.shape or y.dtype != start.dtype:
            return True
        if not torch.equal(state.cell.detach(), self._cell):
            if not all(state.pbc):
                return True
            G = torch.linalg.solve(self._cell, state.cell.detach())
            start, shrink = start @ G, float(torch.linalg.svdvals(G)[-1])
        moved = float((y - start).square().sum(-1).max()) ** 0.5 if len(y) else 0.0
        return 2.0 * moved > shrink * (self.cutoff + self.skin) - self.cutoff
