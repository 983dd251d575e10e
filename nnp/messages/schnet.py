"""A continuous-filter convolutional network: invariant messages through learned functions of the distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from nnp.density.radial import chebyshev, floored, switch
from nnp.families import Family
from nnp.featured import FeaturedPotential
from nnp.messages.table import Table
from nnp.potential import Graph
from nnp.ranges import COUNT, REACH, within
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
    radial: int = 12
    channels: int = 32
    filters: int = 32
    hidden: tuple[int, ...] = (32,)
    repulsion: float = 1.8

    def __post_init__(self) -> None:
        within(self, cutoff=REACH, layers=(1, 20), radial=COUNT, channels=COUNT, filters=COUNT, hidden=COUNT)
        if not 0.0 <= self.repulsion < self.cutoff:
            raise ValueError(f"repulsion must lie between 0 and the cutoff, not {self.repulsion}")


class ShiftedSoftplus(torch.nn.Module):
    """ln(½ eˣ + ½)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.softplus(x) - math.log(2.0)


class Interaction(torch.nn.Module):
    """h ← h + v(m), m = standardised Σ_j F(r_ij) ∘ W h_j, F a network of the distance that ends at the cutoff, v one
    of atoms. Mean (by element) and spread of m are those of typical neighbourhoods before training: what differs
    between atoms, not what all have in common, is of order one."""

    mean: Tensor
    spread: Tensor

    def __init__(self, shape: Architecture, species: int):
        super().__init__()
        c = shape.channels
        self.filter = torch.nn.Sequential(
            torch.nn.Linear(shape.radial, shape.filters), ShiftedSoftplus(), torch.nn.Linear(shape.filters, c)
        )
        self.inward = torch.nn.Linear(c, c, bias=False)
        self.outward = torch.nn.Sequential(torch.nn.Linear(c, c), ShiftedSoftplus(), torch.nn.Linear(c, c))
        self.register_buffer("mean", torch.zeros(species, c))
        self.register_buffer("spread", torch.ones(c))

    def forward(self, h: Tensor, edges: Edges, sent: Tensor, species: Tensor, settle: bool = False) -> Tensor:
        """h (S, c) with the messages of what the neighbours sent (P, c); `settle`: take mean and spread from them."""
        message = self.filter(edges.basis) * edges.fade[:, None] * self.inward(sent)
        heard = torch.zeros_like(h).index_add(0, edges.centre, message)
        if settle:
            for k in range(len(self.mean)):
                self.mean[k] = heard[species == k].mean(0)
            self.spread.copy_((heard - self.mean[species]).square().mean(0).sqrt() + 1e-3)
        return h + self.outward((heard - self.mean[species]) / self.spread)


@dataclass(frozen=True)
class Edges:
    """centre: (P,) sites; basis: (P, radial); fade: (P,) ends at the cutoff."""

    centre: Tensor
    basis: Tensor
    fade: Tensor


class SchNet(FeaturedPotential):
    """Schütt, Sauceda, Kindermans, Tkatchenko & Müller, J. Chem. Phys. 148, 241722 (2018),
    doi:10.1063/1.5019779, with a polynomial basis and filters that reach zero with two derivatives."""

    def __init__(
        self, architecture: Architecture, numbers: Sequence[int], header: dict[str, Any] | None = None
    ):
        super().__init__(architecture, numbers, header, architecture.channels)
        self.shape = architecture
        self.receptive_field = architecture.layers * self.cutoff
        self.embedding = torch.nn.Parameter(torch.randn(len(self.numbers), architecture.channels))
        self.interactions = torch.nn.ModuleList(
            Interaction(architecture, len(self.numbers)) for _ in range(architecture.layers)
        )

    def settle(self, graph: Graph, r: Tensor) -> None:
        self._pass(graph, r, settle=True)

    def features(self, graph: Graph, r: Tensor) -> Tensor:
        return self._pass(graph, r, settle=False)

    def _pass(self, graph: Graph, r: Tensor, settle: bool) -> Tensor:
        """Through all layers; where `settle`, each sets its scales from what it hears."""
        near = (
            floored(r, self.shape.repulsion, 0.25 * self.shape.repulsion) if self.shape.repulsion > 0.0 else r
        )
        basis = torch.stack(chebyshev(2.0 * near / self.cutoff - 1.0, self.shape.radial), 1)
        edges, table = Edges(graph.centre, basis, switch(r, self.cutoff)), Table.of(graph)
        species = self.species(graph.numbers)
        h = self.embedding[species]
        sent = self.embedding[self.species(graph.neighbour_numbers)]  # known of every neighbour
        for interaction in self.interactions:
            h = interaction(h, edges, sent, species, settle)
            sent = table.received(h)
        return h


FAMILY = Family(Architecture, SchNet)
