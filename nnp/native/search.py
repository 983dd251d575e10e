"""The neighbour search."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import torch

from nnp.native.build import library
from nnp.state import Tensor

_SOURCE = Path(__file__).parent / "search.cpp"
_LARGEST = 1e9


def search(
    positions: np.ndarray, cell: np.ndarray, pbc: tuple[bool, bool, bool], cutoff: float
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Directed pairs closer than `cutoff`: i (P,) ascending, j (P,) and the lattice vectors added to j (P, 3).

    cell: three independent vectors, also where nothing repeats. None where there is no compiled code.
    FloatingPointError for a position that is not a number.
    """
    compiled = library(_SOURCE)
    if compiled is None:
        return None
    wild = ~(np.abs(positions) < _LARGEST).all(1)
    if wild.any():
        raise FloatingPointError(f"positions are not finite, first of atom {int(np.argmax(wild))}")
    n = len(positions)
    if n == 0:
        return torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.long), torch.zeros((0, 3)).long()
    arrays = [np.ascontiguousarray(a, dtype=float) for a in (positions, cell, np.linalg.inv(cell))]
    periodic = np.asarray(pbc, dtype=np.int64)
    first = np.zeros(n + 1, dtype=np.int64)
    given = [ctypes.c_int64(n), *(ctypes.c_void_p(a.ctypes.data) for a in (*arrays, periodic))]
    given += [ctypes.c_double(cutoff), ctypes.c_void_p(first.ctypes.data)]
    threads = ctypes.c_int64(torch.get_num_threads())
    compiled.pair_search.restype = ctypes.c_int64
    count = compiled.pair_search(*given, None, None, None, threads)
    out = [torch.empty(shape, dtype=torch.long) for shape in ((count,), (count,), (count, 3))]
    compiled.pair_search(*given, *(ctypes.c_void_p(t.data_ptr()) for t in out), threads)
    return out[0], out[1], out[2]
