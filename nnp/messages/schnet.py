"""A continuous-filter convolutional network: invariant messages through learned functions of the distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from nnp.density.radial import radial_basis, switch
from nnp.families import Family
from nnp.featured import FeaturedPotential
from nnp.messages.table import Table
from nnp.potential import Graph
from nnp.state import Tensor


@dataclass(frozen=True)
class Architecture:
    """Sizes of a SchNet.

    type: the family, always "schnet". cutoff: reach of one layer, Å. layers: interactions; the receptive field
    is layers × cutoff. radial: Chebyshev polynomials in the radial basis. channels: features of an atom.
    filters: width of the hidden layer of the filters. hidden: widths of the network of the energy. repulsion:
    distance where the short-range repulsion has ended, Å; below it the radial functions flatten out (0: neither).
    """

    type: str = "schnet"
    cutoff: float = 5.0
    layers: int = 3
    radial: int = 16
    channels: int = 32
    filters: int = 32
    hidden: tuple[int, ...] = (32,)
    repulsion: float = 1.8

    def __post_init__(self) -> None:
        for name in ("layers", "radial", "channels", "filters"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not self.cutoff > 0.0:
            raise ValueError(f"cutoff must be positive, not {self.cutoff}")
        if not 0.0 <= self.repulsion < self.cutoff:
            raise ValueError(f"repulsion must lie between 0 and the cutoff, not {self.repulsion}")


class ShiftedSoftplus(torch.nn.Module):
    """ln(½ eˣ + ½)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.softplus(x) - math.log(2.0)


class Interaction(torch.nn.Module):
    """h ← h + v(Σ_j F(r_ij) ∘ W h_j / √N), F a network of the distance that ends at the cutoff, v one of atoms."""

    def __init__(self, shape: Architecture):
        super().__init__()
        c = shape.channels
        self.filter = torch.nn.Sequential(
            torch.nn.Linear(shape.radial, shape.filters), ShiftedSoftplus(), torch.nn.Linear(shape.filters, c)
        )
        self.inward = torch.nn.Linear(c, c, bias=False)
        self.outward = torch.nn.Sequential(
            torch.nn.Linear(c, c), ShiftedSoftplus(), torch.nn.Linear(c, c, bias=False)
        )

    def forward(self, h: Tensor, centre: Tensor, sent: Tensor, basis: Tensor, fade: Tensor) -> Tensor:
        """h (S, c) with the messages of what the neighbours sent (P, c)."""
        message = self.filter(basis) * fade[:, None] * self.inward(sent)
        return h + self.outward(torch.zeros_like(h).index_add(0, centre, message))


class SchNet(FeaturedPotential):
    """Schütt, Sauceda, Kindermans, Tkatchenko & Müller, J. Chem. Phys. 148, 241722 (2018),
    doi:10.1063/1.5019779, with a polynomial basis and filters that reach zero with two derivatives."""

    neighbours: Tensor

    def __init__(
        self, architecture: Architecture, numbers: Sequence[int], header: dict[str, Any] | None = None
    ):
        super().__init__(architecture, numbers, header, architecture.channels)
        self.shape = architecture
        self.receptive_field = architecture.layers * self.cutoff
        self.embedding = torch.nn.Parameter(torch.randn(len(self.numbers), architecture.channels))
        self.interactions = torch.nn.ModuleList(Interaction(architecture) for _ in range(architecture.layers))
        self.register_buffer("neighbours", torch.tensor(28.0))

    def settle(self, graph: Graph, r: Tensor) -> None:
        self.neighbours.fill_(max(1.0, len(graph.centre) / graph.n_sites))

    def features(self, graph: Graph, r: Tensor) -> Tensor:
        basis = radial_basis(r, self.cutoff, self.shape.repulsion, self.shape.radial).T
        fade, table = switch(r, self.cutoff) * self.neighbours.rsqrt(), Table.of(graph)
        h = self.embedding[self.species(graph.numbers)]
        sent = self.embedding[self.species(graph.neighbour_numbers)]  # known of every neighbour
        for k, interaction in enumerate(self.interactions):
            sent = table.received(h) if k else sent
            h = interaction(h, graph.centre, sent, basis, fade)
        return h


FAMILY = Family(Architecture, SchNet)
