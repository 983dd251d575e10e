"""Cholesky factors of a sparse matrix by dense blocks along a tree of elimination, and the solves with them.

The multifrontal method (J. W. H. Liu, SIAM Rev. 34, 82, 1992, doi:10.1137/1034004): each group of the tree is
eliminated from a dense matrix of itself and what it meets of the groups above, to which it hands on what is left.
Forward and backward solves are to be had apart, so that ranks can share a tree.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.sparse import csr_matrix

from nnp.native.build import library

Array = np.ndarray

_SOURCE = Path(__file__).parent / "triangular.cpp"


def compiled() -> ctypes.CDLL | None:
    """The compiled solves, None where there is no compiler."""
    return library(_SOURCE)


@dataclass(frozen=True)
class Factor:
    """Blocks of columns as triangular.cpp reads them. first (s + 1,): columns of each; place (s + 1,), row: the rows
    below its triangle; at (s,): where its numbers begin in value."""

    first: Array
    place: Array
    row: Array
    at: Array
    value: Array

    @property
    def work(self) -> Array:
        """Room for the longest column."""
        return np.empty(int((np.diff(self.first) + np.diff(self.place)).max(initial=0)))

    def solve(self, way: str, begin: int, end: int, x: Array, work: Array) -> None:
        """x ← L⁻¹ x ("forward") or L⁻ᵀ x ("backward") in place, of the blocks begin … end."""
        code = compiled()
        assert code is not None
        arrays = [
            ctypes.c_void_p(a.ctypes.data) for a in (self.first, self.place, self.row, self.at, self.value)
        ]
        ends = [ctypes.c_int64(begin), ctypes.c_int64(end)]
        getattr(code, way)(*arrays, *ends, *(ctypes.c_void_p(a.ctypes.data) for a in (x, work)))


def eliminated(
    matrix: csr_matrix, sizes: list[int], parts: list[tuple[int, ...]]
) -> tuple[list[Array], list[Array], Array]:
    """Rows and blocks of the factor (see joined) of all groups but the last, and the dense matrix left of that.

    matrix: symmetric, in the order of elimination; sizes: unknowns of each group; parts: the groups that each follows.
    LinAlgError where it is not positive definite.
    """
    first = np.concatenate([[0], np.cumsum(sizes)])
    rows, blocks = [], []
    left: dict[int, tuple[Array, Array]] = {}
    place = np.zeros(first[-1], np.int64)
    for s in range(len(sizes)):
        a, b, last = first[s], first[s + 1], s == len(sizes) - 1
        span = slice(matrix.indptr[a], matrix.indptr[b])
        column, value = matrix.indices[span], matrix.data[span]
        met = [column[column >= b], *(left[part][0] for part in parts[s])]
        met = np.unique(np.concatenate(met))
        met = met[met >= b]
        place[a:b], place[met] = np.arange(b - a), b - a + np.arange(len(met))
        n = b - a + len(met)
        front = np.zeros((n, n), order="F")
        low = column >= a
        row = np.repeat(np.arange(b - a), np.diff(matrix.indptr[a : b + 1]))
        front[place[column[low]], row[low]] = value[low]
        for part in parts[s]:
            index, rest = left.pop(part)
            front[np.ix_(place[index], place[index])] += rest
        if last:
            break
        n = b - a
        corner = cholesky(front[:n, :n], lower=True)
        side = solve_triangular(corner, front[n:, :n].T, lower=True).T
        left[s] = met, front[n:, n:] - side @ side.T
        rows.append(met)
        blocks.append(np.vstack([corner, side]).ravel(order="F"))
    return rows, blocks, front


def joined(sizes: list[int], rows: list[Array], blocks: list[Array]) -> Factor:
    """The factor of blocks (length · columns,), column after column, with so many columns, and rows below each."""
    ends = lambda counts: np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)  # noqa: E731
    return Factor(
        ends(sizes),
        ends([len(row) for row in rows]),
        np.concatenate([np.zeros(0, np.int64), *rows]).astype(np.int64),
        ends([len(block) for block in blocks])[:-1].copy(),
        np.concatenate(blocks) if blocks else np.zeros(0),
    )
