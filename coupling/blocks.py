"""Sparse matrices of 3 × 3 blocks between atoms, put together from contributions that may meet in one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import bsr_matrix, csr_matrix

Array = np.ndarray


@dataclass(frozen=True)
class Blocks:
    """Contributions values (k, 3, 3) to the blocks of atoms row (k,) and column (k,); distinct: no two to the same."""

    row: Array
    column: Array
    values: Array
    distinct: bool = False

    @classmethod
    def joined(cls, parts: Iterable[Blocks]) -> Blocks:
        """All contributions of several."""
        parts = list(parts) or [Blocks(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3, 3)))]
        return cls(*(np.concatenate([getattr(p, k) for p in parts]) for k in ("row", "column", "values")))

    @classmethod
    def between(cls, members: Array, values: Array) -> Blocks:
        """Of values (s, m, m, 3, 3) between the atoms members (s, m); those that are zero are left out."""
        keep = np.abs(values).max(axis=(3, 4)) > 0.0
        row = np.broadcast_to(members[:, :, None], keep.shape)
        column = np.broadcast_to(members[:, None, :], keep.shape)
        return cls(row[keep], column[keep], values[keep])

    @classmethod
    def repeated(cls, members: Array, vectors: Array, h: Array, weight: Array, n: int) -> list[Blocks]:
        """Of weight (s,) times the same h (m, m, 3, 3) between the atoms members (s, m), of n, which stand at the same
        vectors (m, 3) Å from each other around every site.

        What an atom has to do with the one at a certain vector from it is summed up for one vector after the other: a
        pair (a, b) of members meets an atom once, so that nothing has to be sorted.
        """
        between = np.round(1e3 * (vectors[None, :] - vectors[:, None])).astype(np.int64).reshape(-1, 3)
        _, kind = np.unique(between, axis=0, return_inverse=True)
        size, found = len(vectors), []
        for pairs in np.split(np.argsort(kind, kind="stable"), np.cumsum(np.bincount(kind.ravel()))[:-1]):
            values, column = np.zeros((n, 9)), np.full(n, -1)
            for a, b in zip(*np.divmod(pairs, size)):
                values[members[:, a]] += weight[:, None] * h[a, b].ravel()
                column[members[:, a]] = members[:, b]
            row = np.flatnonzero(column >= 0)
            found.append(cls(row, column[row], values[row].reshape(-1, 3, 3), distinct=True))
        return found

    def select(self, chosen: Array) -> Blocks:
        """The chosen ones (k,) boolean."""
        return replace(self, row=self.row[chosen], column=self.column[chosen], values=self.values[chosen])

    def diagonal(self, n: int) -> Array:
        """Of the matrix of n atoms, (3 n,)."""
        own, out = self.select(self.row == self.column), np.zeros((n, 3))
        np.add.at(out, own.row, np.diagonal(own.values, axis1=1, axis2=2))
        return out.ravel()


def summed(parts: list[Blocks], rows: int, columns: int) -> csr_matrix:
    """The matrix (3 rows, 3 columns) of all contributions, sorted."""
    row, column = (np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "column"))
    order = np.argsort(row * columns + column, kind="stable")
    row, column = row[order], column[order]
    new = np.ones(len(row), bool)
    new[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    place, values = np.empty_like(order), np.zeros((np.count_nonzero(new), 3, 3))
    place[order] = np.cumsum(new) - 1
    for part, at in zip(parts, np.split(place, np.cumsum([len(part.row) for part in parts]))):
        if part.distinct:
            values[at] += part.values
        else:
            np.add.at(values, at, part.values)
    start = np.concatenate([[0], np.cumsum(np.bincount(row[new], minlength=rows))])
    return bsr_matrix((values, column[new], start), (3 * rows, 3 * columns)).tocsr()
