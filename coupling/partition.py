"""Who owns which atom: recursive coordinate bisection by cost.

M. J. Berger, S. H. Bokhari, IEEE Trans. Comput. C-36, 570 (1987), doi:10.1109/TC.1987.1676942. The ranks are halved
again and again, each time across the longest side of what they hold, where the cost on either side is as the number of
ranks there. No rank needs to know another's points: the cut is found from histograms.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from mpi4py import MPI

Array = np.ndarray

_BINS = 256
_TILT = 1e-3
"""Cuts lean this much, so that one may pass through a plane of the lattice, all of whose atoms else go to one side."""

_ROUNDS = 3
"""Each round looks into the bin that the one before has found: the cut is known to 1/256³ of the side."""


def bisected(comm: MPI.Comm, points: Array, cost: Array, parts: int) -> Array:
    """The part, 0 … parts − 1, of each of this rank's points (n, d) with the given cost (n,), so that the parts are
    compact and of about equal total cost. Collective."""
    points = points + _TILT * np.roll(points, 1, axis=1)
    first, count = np.zeros(1, int), np.array([parts])
    group = np.zeros(len(points), int)
    while count.max() > 1:
        left = count // 2
        low, high = _extents(comm, points, group, len(count))
        axis = np.argmax(high - low, axis=1)
        x = points[np.arange(len(points)), axis[group]]
        row = np.arange(len(count))
        cut = _quantile(comm, x, cost, group, low[row, axis], high[row, axis], left / count)
        right = (x >= cut[group]) | (left[group] == 0)
        group = 2 * group + right
        first = np.stack([first, first + left], axis=1).ravel()
        count = np.stack([left, count - left], axis=1).ravel()
        used = np.flatnonzero(count)
        group = np.searchsorted(used, group)
        first, count = first[used], count[used]
    return first[group]


def _extents(comm: MPI.Comm, points: Array, group: Array, n: int) -> tuple[Array, Array]:
    low, high = np.full((n, points.shape[1]), np.inf), np.full((n, points.shape[1]), -np.inf)
    np.minimum.at(low, group, points)
    np.maximum.at(high, group, points)
    comm.Allreduce(MPI.IN_PLACE, low, MPI.MIN)
    comm.Allreduce(MPI.IN_PLACE, high, MPI.MAX)
    empty = low > high
    return np.where(empty, 0.0, low), np.where(empty, 0.0, high)


def _quantile(
    comm: MPI.Comm, x: Array, cost: Array, group: Array, low: Array, high: Array, share: Array
) -> Array:
    """Of each group the place below which the wanted share of its cost lies, (groups,)."""
    n = len(low)
    total = np.bincount(group, cost, n)
    comm.Allreduce(MPI.IN_PLACE, total, MPI.SUM)
    wanted, below = share * total, np.zeros(n)
    for _ in range(_ROUNDS):
        width = np.where(high > low, (high - low) / _BINS, 1.0)
        bin_ = np.floor((x - low[group]) / width[group]).astype(int)
        bin_ = np.where(x == high[group], np.minimum(bin_, _BINS - 1), bin_)
        inside = (bin_ >= 0) & (bin_ < _BINS)
        histogram = np.bincount(group[inside] * _BINS + bin_[inside], cost[inside], n * _BINS).reshape(n, -1)
        comm.Allreduce(MPI.IN_PLACE, histogram, MPI.SUM)
        done = below[:, None] + np.cumsum(histogram, axis=1)
        k = np.minimum((done < wanted[:, None]).sum(axis=1), _BINS - 1)
        below = np.where(k > 0, done[np.arange(n), k - 1], below)
        low, high = low + k * width, low + (k + 1) * width
    return high


def sent_home(comm: MPI.Comm, table: Array, owner: Array) -> Array:
    """The rows (m, k) that belong to this rank, from those (n, k) that each rank has and their owners (n,), in the
    order of the ranks that they come from. Collective."""
    if comm.size == 1:
        return table
    order = np.argsort(owner, kind="stable")
    edges = np.searchsorted(owner[order], np.arange(comm.size + 1))
    return np.concatenate(comm.alltoall([table[order[a:b]] for a, b in pairwise(edges)]))
