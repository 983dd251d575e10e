"""The receptive field of a potential on a graph: which atoms must be sites so that others' energies are right.

A strictly local ε_i needs the pairs of centre i alone. Where potentials pass messages, layer after layer, the
neighbours of i must be sites themselves, and so on, but for the outermost shell: layers − 1 shells in all.
"""

from __future__ import annotations

import math

import torch

from nnp.neighbors import Pairs
from nnp.potential import Potential
from nnp.state import State, Tensor


def shells(potential: Potential) -> int:
    """How many shells of neighbours must be sites beside those that are asked for: layers − 1, or 0 for a
    strictly local potential; of a committee, what its members need at most."""
    members = getattr(potential, "members", None)
    if members is not None:
        return max(shells(m) for m in members)
    return max(0, math.ceil(potential.receptive_field / potential.cutoff - 1e-9) - 1)


def grown(chosen: Tensor, pairs: Pairs, count: int) -> Tensor:
    """The chosen atoms (n,) boolean, and all within `count` steps along the pairs of them, (n,)."""
    for _ in range(count):
        reached = pairs.j[chosen[pairs.i]]
        chosen = chosen.index_fill(0, reached, True)
    return chosen


def hearing(sources: Tensor, n: int, pairs: Pairs, count: int) -> Tensor:
    """The atoms `sources` (k,) and all that reach one of them within `count` steps along the pairs, (n,) boolean."""
    chosen = torch.zeros(n, dtype=torch.bool, device=pairs.i.device).index_fill(0, sources, True)
    for _ in range(count):
        chosen = chosen.index_fill(0, pairs.i[chosen[pairs.j]], True)
    return chosen


def completed(potential: Potential, index: Tensor, pairs: Pairs, state: State) -> Tensor:
    """The sites to evaluate, ascending, so that the energies of those in `index` are right."""
    count = shells(potential)
    if count == 0:
        return index
    near = pairs.vectors(state).detach().square().sum(1) < potential.cutoff**2
    chosen = torch.zeros(len(state), dtype=torch.bool, device=index.device).index_fill(0, index, True)
    return torch.nonzero(grown(chosen, pairs.select(near), count))[:, 0]
