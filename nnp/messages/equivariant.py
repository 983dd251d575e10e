"""An equivariant message-passing network: features of atoms are scalars, vectors and tensors that turn with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from nnp.density.radial import radial_basis
from nnp.families import Family
from nnp.featured import FeaturedPotential
from nnp.messages.layer import Layer
from nnp.messages.products import harmonics
from nnp.messages.table import Table
from nnp.potential import Graph
from nnp.ranges import COUNT, REACH, within
from nnp.state import Tensor


@dataclass(frozen=True)
class Architecture:
    """Sizes of an equivariant network.

    type: the family, always "equivariant". cutoff: reach of one layer, Å. layers: the receptive field is layers ×
    cutoff. radial: Chebyshev polynomials in the radial basis. filters: learned radial functions of the messages.
    degree: highest spherical harmonic of the messages; hidden_degree: of the features that atoms send (1: scalars
    and vectors); product_degree: of the products of features. channels: features of each component. embedding:
    numbers that describe an element to its neighbours. hidden: widths of the network of the energy. repulsion:
    distance where the short-range repulsion has ended, Å; below it the radial functions flatten out (0: neither).
    """

    type: str = "equivariant"
    cutoff: float = 4.5
    layers: int = 2
    radial: int = 8
    filters: int = 6
    degree: int = 3
    hidden_degree: int = 1
    product_degree: int = 2
    channels: int = 16
    embedding: int = 4
    hidden: tuple[int, ...] = (32,)
    repulsion: float = 1.8

    def __post_init__(self) -> None:
        within(
            self, cutoff=REACH, layers=(1, 20), radial=COUNT, filters=COUNT, channels=COUNT, embedding=COUNT
        )
        within(self, hidden=COUNT)
        if not 0.0 <= self.repulsion < self.cutoff:
            raise ValueError(f"repulsion must lie between 0 and the cutoff, not {self.repulsion}")
        if not 0 <= self.hidden_degree <= self.product_degree <= self.degree <= 6:
            raise ValueError("need 0 <= hidden_degree <= product_degree <= degree <= 6")


class EquivariantNetwork(FeaturedPotential):
    """Messages as in Batzner et al., Nat. Commun. 13, 2453 (2022), doi:10.1038/s41467-022-29939-5; products of
    what arrives as in Batatia et al., NeurIPS 2022, arXiv:2206.07697. The invariant features of every layer
    enter the network of the energy.

    The weights of a message are linear in the radial basis, so that summing over neighbours is one matrix
    product for each site, and all mixing happens after it, once per site instead of once per pair.
    """

    def __init__(
        self, architecture: Architecture, numbers: Sequence[int], header: dict[str, Any] | None = None
    ):
        a = architecture
        count = len(set(numbers))
        # the first layer hears of elements only, the last one has nobody to send vectors to
        heard = [(0, a.embedding)] + [(a.hidden_degree, a.channels)] * (a.layers - 1)
        sends = [a.hidden_degree] * (a.layers - 1) + [0]
        layers = [Layer(a, count, degree, channels, out) for (degree, channels), out in zip(heard, sends)]
        invariant_count = sum(layer.invariants for layer in layers)
        super().__init__(a, numbers, header, invariant_count)
        self.invariant_count = invariant_count
        self.shape = a
        self.receptive_field = a.layers * self.cutoff
        self.embedding = torch.nn.Parameter(torch.randn(count, a.embedding))
        self.layers = torch.nn.ModuleList(layers)

    def features(self, graph: Graph, r: Tensor) -> Tensor:
        return self._pass(graph, r, settle=False)

    def settle(self, graph: Graph, r: Tensor) -> None:
        self._pass(graph, r, settle=True)

    def _pass(self, graph: Graph, r: Tensor, settle: bool) -> Tensor:
        """Through all layers; where `settle`, each sets its scales from what it hears."""
        a, table = self.shape, Table.of(graph)
        basis = radial_basis(r, self.cutoff, a.repulsion, a.radial).T
        angular = harmonics(graph.vectors / r[:, None], a.degree)
        species = self.species(graph.numbers)
        sent = self.embedding[self.species(graph.neighbour_numbers)]  # known of every neighbour
        invariants: list[Tensor] = []
        for layer in self.layers:
            h, found = layer(table, basis, angular, sent, species, settle)
            invariants.append(found)
            sent = table.received(h.flatten(1))
        return torch.cat(invariants, 1)


FAMILY = Family(Architecture, EquivariantNetwork)
