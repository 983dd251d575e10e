"""Nested dissection: an order of elimination that keeps sparse factors small, and a tree to share out.

A. George, SIAM J. Numer. Anal. 10, 345 (1973), doi:10.1137/0710032. Points are halved across the direction that needs
the fewest of them to separate the halves; these come after both halves, which do not meet before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

Array = np.ndarray

LEAF = 32
"""Points that are not divided further."""

_DIRECTIONS = {
    2: [(1, 0, 0), (0, 1, 0), (1, 1, 0), (1, -1, 0)],
    3: [(1, 0, 0), (0, 1, 0), (0, 0, 1)],
}


@dataclass(frozen=True)
class Group:
    """Points that are eliminated together, after those of its parts (places among the groups of a tree)."""

    points: Array
    parts: tuple[int, ...] = ()


def divided(points: Array, graph: csr_matrix, parts: int) -> tuple[Array, ...]:
    """The points (n, 3) in so many parts between which there are no edges, and, last, those that separate them; graph:
    symmetric, (n, n)."""
    pieces, between = [np.arange(len(points))], []
    while len(pieces) < parts:
        largest = int(np.argmax([len(piece) for piece in pieces]))
        low, high, cut = _halved(points, graph, pieces.pop(largest))
        pieces += [low, high]
        between.append(cut)
    return *pieces, np.concatenate([np.zeros(0, int), *between])


def dissected(points: Array, graph: csr_matrix, last: int) -> list[Group]:
    """The tree of the points (n, 3), parts before the groups that they belong to; the `last` ones of the points are the
    last group, to which all others belong."""
    groups: list[Group] = []
    first = np.arange(len(points) - last)
    roots = _dissect(points, graph, first, groups) if len(first) else ()
    return [*groups, Group(np.arange(len(first), len(points)), roots)]


def _dissect(points: Array, graph: csr_matrix, chosen: Array, groups: list[Group]) -> tuple[int, ...]:
    """Appends the groups of the chosen points; places of the last ones."""
    if len(chosen) > LEAF:
        low, high, cut = _halved(points, graph, chosen)
        if min(len(low), len(high)) > 0:
            parts = _dissect(points, graph, low, groups) + _dissect(points, graph, high, groups)
            if len(cut) == 0:
                return parts
            groups.append(Group(cut, parts))
            return (len(groups) - 1,)
    groups.append(Group(chosen))
    return (len(groups) - 1,)


def _halved(points: Array, graph: csr_matrix, chosen: Array) -> tuple[Array, Array, Array]:
    """Two parts of the chosen points with no edge between them and about as many inside, and the points between."""
    inner = graph[chosen][:, chosen]
    x, edges, work, best = points[chosen], inner.tocoo(), np.diff(inner.indptr), None
    for direction in _DIRECTIONS[2 if np.ptp(x[:, 2]) < 0.2 * np.ptp(x[:, :2], axis=0).max() else 3]:
        order = np.argsort(x @ np.array(direction, float), kind="stable")
        below = np.cumsum(work[order])
        high = np.zeros(len(x), bool)
        high[order[below > 0.5 * below[-1]]] = True
        across = ~high[edges.row] & high[edges.col]
        cut = _cover(edges.row[across], edges.col[across])
        if best is None or len(cut) < len(best[1]):
            best = high, cut
    assert best is not None
    high, cut = best
    separates = np.zeros(len(x), bool)
    separates[cut] = True
    return chosen[~high & ~separates], chosen[high & ~separates], chosen[separates]


def _cover(a: Array, b: Array) -> Array:
    """The fewest points that touch all edges between points a (k,) of one half and b (k,) of the other: by König's
    theorem those of a that no alternating path reaches from an unmatched one, and those of b that one does."""
    left, i = np.unique(a, return_inverse=True)
    right, j = np.unique(b, return_inverse=True)
    edges = csr_matrix((np.ones(len(i), np.int8), (i, j)), (len(left), len(right)))
    mate = maximum_bipartite_matching(edges, perm_type="column")
    reached, seen = mate < 0, np.zeros(len(right), bool)
    while True:
        new = np.zeros(len(right), bool)
        new[j[reached[i]]] = True
        if not (new & ~seen).any():
            return np.concatenate([left[~reached], right[seen]])
        seen |= new
        matched = np.flatnonzero(mate >= 0)
        reached[matched[seen[mate[matched]]]] = True
