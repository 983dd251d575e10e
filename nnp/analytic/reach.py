"""What the analytic potentials share: the pairs that matter, and a smooth end of the interaction."""

from __future__ import annotations

import torch

from nnp.potential import Graph
from nnp.state import Tensor


def pairs_within(graph: Graph, reach: float) -> tuple[Tensor, Tensor, Tensor]:
    """Centres (P',), vectors (P', 3) and lengths (P',) of the pairs shorter than `reach` (Å)."""
    near = graph.vectors.detach().square().sum(-1) < reach * reach
    centre, vectors = graph.centre, graph.vectors
    if not bool(near.all()):
        keep = torch.nonzero(near)[:, 0]
        centre, vectors = centre.index_select(0, keep), vectors.index_select(0, keep)
    return centre, vectors, vectors.square().sum(-1).sqrt()


def switch(r: Tensor, start: float, end: float) -> Tensor:
    """1 below `start`, 0 above `end`, between 1 − 10t³ + 15t⁴ − 6t⁵, t = (r − start)/(end − start): C²."""
    t = ((r - start) / (end - start)).clamp(0.0, 1.0)
    return 1.0 - t**3 * (10.0 - 15.0 * t + 6.0 * t * t)


def sum_at_sites(graph: Graph, centre: Tensor, values: Tensor) -> Tensor:
    """Sum of the pairs' values (P', ...) at their centres, (S, ...)."""
    zeros = values.new_zeros((graph.n_sites, *values.shape[1:]))
    return zeros.index_add(0, centre, values)
