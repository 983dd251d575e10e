"""Equivariant networks as TorchScript modules, see nnp.script."""

from typing import Any

import torch

from nnp.density.radial import radial_basis
from nnp.messages.equivariant import EquivariantNetwork
from nnp.messages.layer import Layer
from nnp.messages.products import harmonics
from nnp.state import Tensor


class _Pairs(torch.nn.Module):
    """Radial basis (P, radial) and harmonics (P, (degree + 1)²) of pairs."""

    def __init__(self, cutoff: float, floor: float, count: int, degree: int):
        super().__init__()
        self.cutoff, self.floor, self.count, self.degree = cutoff, floor, count, degree

    def forward(self, r: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        basis = radial_basis(r, self.cutoff, self.floor, self.count).t()
        return basis, harmonics(vectors / r[:, None], self.degree)


class _Shapes(torch.nn.Module):
    """What of a message does not depend on the sender, (P, filters · harmonics)."""

    def __init__(self, layer: Layer):
        super().__init__()
        self.layer = layer

    def forward(self, basis: Tensor, angular: Tensor) -> Tensor:
        return self.layer.shapes(basis, angular)


class _Coupled(torch.nn.Module):
    """What a site makes of the sum of its messages."""

    def __init__(self, layer: Layer):
        super().__init__()
        self.layer = layer

    def forward(self, total: Tensor, species: Tensor) -> tuple[Tensor, Tensor]:
        return self.layer.coupled(self.layer.gathered(total), species)


class _Layer(torch.nn.Module):
    def __init__(self, layer: Any, radial: int, sent: int, like: Tensor):
        super().__init__()
        given = [(like.new_ones(n, radial), like.new_ones(n, layer.angular)) for n in (3, 5)]
        self.shapes = torch.jit.trace(_Shapes(layer), given[0], check_inputs=given[1:])
        width = int(layer.shapes(*given[0]).shape[1])
        sums = [(like.new_ones(n, width, sent), torch.zeros(n, dtype=torch.long)) for n in (3, 5)]
        layer.coupled(
            layer.gathered(sums[0][0]), sums[0][1]
        )  # its tables are cast once, before they are traced
        self.coupled = torch.jit.trace(_Coupled(layer), sums[0], check_inputs=sums[1:])

    def forward(
        self, basis: Tensor, angular: Tensor, sent: Tensor, centre: Tensor, species: Tensor
    ) -> tuple[Tensor, Tensor]:
        shapes = self.shapes(basis, angular)
        sites = species.size(0)
        messages = (shapes[:, :, None] * sent[:, None, :]).flatten(1)
        total = messages.new_zeros(sites, messages.size(1)).index_add(0, centre, messages)
        h, invariants = self.coupled(total.reshape(sites, shapes.size(1), sent.size(1)), species)
        return h, invariants


class EquivariantScript(torch.nn.Module):
    """The features, see nnp.script_featured.FeaturedScript."""

    def __init__(self, potential: EquivariantNetwork):
        super().__init__()
        a, like = potential.shape, potential.embedding
        self.embedding = torch.nn.Parameter(like.detach().clone(), requires_grad=False)
        r = torch.linspace(1.0, a.cutoff, 7, dtype=like.dtype)
        vectors = torch.stack([r, r.cos(), r.sin()], 1)
        pairs = _Pairs(a.cutoff, a.repulsion, a.radial, a.degree)
        self.pairs = torch.jit.trace(pairs, (vectors.square().sum(1).sqrt(), vectors))
        sent = [a.embedding] + [(a.hidden_degree + 1) ** 2 * a.channels] * (a.layers - 1)
        self.layers = torch.nn.ModuleList(
            _Layer(layer, a.radial, width, like) for layer, width in zip(potential.layers, sent)
        )

    def forward(
        self, r: Tensor, vectors: Tensor, centre: Tensor, neighbour: Tensor, species: Tensor, others: Tensor
    ) -> Tensor:
        basis, angular = self.pairs(r, vectors)
        sent = self.embedding[others]
        invariants = []
        for layer in self.layers:
            h, found = layer(basis, angular, sent, centre, species)
            invariants.append(found)
            sent = h.flatten(1)[neighbour]
        return torch.cat(invariants, 1)
