"""Site energies and their derivatives run by run of sites, in bounded memory.

A strictly local energy ε_i depends on the vectors of the pairs of centre i alone, so its derivative in them
can be taken as soon as the run is evaluated, and nothing else has to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch

from nnp.potential import Graph
from nnp.state import Tensor

Energies = Callable[[Graph], Tensor]


def chunks(graph: Graph, size: int) -> Iterator[Graph]:
    """The graph cut into runs of `size` sites (at least one run, which may be empty)."""
    starts = torch.arange(0, max(graph.n_sites, 1), size, device=graph.centre.device)
    bounds = [*torch.searchsorted(graph.centre, starts).tolist(), len(graph.centre)]
    counts = [b - a for a, b in pairwise(bounds)]
    columns = (graph.centre, graph.neighbour, graph.vectors, graph.neighbour_numbers)
    pieces = zip(*(c.split(counts) for c in columns), graph.numbers.split(size))
    for k, (centre, neighbour, vectors, neighbour_numbers, numbers) in enumerate(pieces):
        yield Graph(centre - k * size, neighbour, vectors, numbers, neighbour_numbers)


def streamed(energies: Energies, graph: Graph, size: int) -> Tensor:
    """energies(graph), (S,), twice differentiable in `graph.vectors`, and in nothing else."""
    return _Energies.apply(graph.vectors, energies, graph, size)


class _Energies(torch.autograd.Function):
    """ε_i and, on the way, ∂ε_i/∂r of every pair of centre i."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, energies: Energies, graph: Graph, size: int) -> Tensor:
        values, slopes = [], []
        for part in _detached(graph, vectors, size):
            with torch.enable_grad():
                e = energies(part)
                slopes.append(torch.autograd.grad(e.sum(), part.vectors)[0])
            values.append(e.detach())
        ctx.save_for_backward(vectors, torch.cat(slopes))
        ctx.rest = (energies, graph, size)
        return torch.cat(values)

    @staticmethod
    def backward(ctx: Any, weights: Tensor) -> tuple[Tensor | None, ...]:
        vectors, slope = ctx.saved_tensors
        return _Slope.apply(vectors, weights, slope, *ctx.rest), None, None, None


class _Slope(torch.autograd.Function):
    """w_i ∂ε_i/∂r of every pair; its derivative is evaluated anew, run by run."""

    @staticmethod
    def forward(
        ctx: Any, vectors: Tensor, weights: Tensor, slope: Tensor, energies: Energies, graph: Graph, size: int
    ) -> Tensor:
        ctx.save_for_backward(vectors, weights, slope)
        ctx.rest = (energies, graph, size)
        return weights.index_select(0, graph.centre)[:, None] * slope

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor | None, ...]:
        vectors, weights, slope = ctx.saved_tensors
        energies, graph, size = ctx.rest
        runs = zip(weights.split(size), _detached(graph, vectors, size), _detached(graph, v, size))
        curved = []
        for w, part, direction in runs:
            with torch.enable_grad():
                total = (w * energies(part)).sum()
                (g,) = torch.autograd.grad(total, part.vectors, create_graph=True)
                along = (g * direction.vectors.detach()).sum()
                curved.append(torch.autograd.grad(along, part.vectors)[0])
        on_weights = torch.zeros_like(weights).index_add(0, graph.centre, (v * slope).sum(1))
        return torch.cat(curved), on_weights, None, None, None, None


def _detached(graph: Graph, vectors: Tensor, size: int) -> Iterator[Graph]:
    for part in chunks(replace(graph, vectors=vectors.detach()), size):
        yield replace(part, vectors=part.vectors.detach().requires_grad_(True))
