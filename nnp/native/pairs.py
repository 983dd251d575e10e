"""From positions to pair vectors, and from the gradients in these back to the atoms. Nothing here is recorded
for automatic differentiation."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import torch

from nnp.native.build import PRECISION, library, plain
from nnp.neighbors import Pairs
from nnp.state import State, Tensor

_SOURCE = Path(__file__).parent / "pairs.cpp"


def pair_vectors(pairs: Pairs, state: State) -> Tensor:
    """r_ij = y_j + S·cell − y_i, (P, 3) Å."""
    y = state.positions.detach()
    out = torch.empty((len(pairs), 3), dtype=y.dtype, device=y.device)
    given = (plain(pairs.shifts, torch.int64), plain(y), plain(state.cell, y.dtype), out)
    if _run("vectors", pairs, *given, torch.get_num_threads()):
        return out
    return pairs.vectors(state).detach()


def differences(pairs: Pairs, v: Tensor) -> Tensor:
    """v_j − v_i of each pair, (P, 3), of the atoms' v (n, 3)."""
    out = torch.empty((len(pairs), 3), dtype=v.dtype, device=v.device)
    if _run("differences", pairs, plain(v), out, torch.get_num_threads()):
        return out
    return v.index_select(0, pairs.j) - v.index_select(0, pairs.i)


def gather(out: Tensor, dr: Tensor, pairs: Pairs) -> None:
    """Add to `out` (n, 3) the derivative in the positions that the derivative `dr` (P, 3) in the pair vectors
    means."""
    if not _run("gather", pairs, plain(dr), out):
        out.index_add_(0, pairs.j, dr).index_add_(0, pairs.i, dr, alpha=-1.0)


def _run(what: str, pairs: Pairs, *given: Tensor | int) -> bool:
    """False where there is no compiled code for these tensors."""
    floats = given[-1] if isinstance(given[-1], torch.Tensor) else given[-2]
    assert isinstance(floats, torch.Tensor)
    compiled = library(_SOURCE) if floats.device.type == "cpu" and floats.dtype in PRECISION else None
    if compiled is None:
        return False
    integers = [plain(pairs.i, torch.int64), plain(pairs.j, torch.int64)]
    arguments: list[Any] = [ctypes.c_int64(len(pairs))]
    arguments += [_argument(t) for t in (*integers, *given)]
    getattr(compiled, f"pair_{what}_{PRECISION[floats.dtype]}")(*arguments)
    return True


def _argument(x: Tensor | int) -> Any:
    return ctypes.c_int64(x) if isinstance(x, int) else ctypes.c_void_p(x.data_ptr())
