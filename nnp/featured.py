"""Potentials of one mould: features of a site, one network for each element, a repulsion under both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import torch

from nnp.density.network import SiteNetwork
from nnp.neural import Architecture, NeuralPotential
from nnp.potential import Graph
from nnp.repulsion import site_repulsion
from nnp.state import Tensor


class SiteArchitecture(Architecture, Protocol):
    """hidden: widths of the hidden layers. repulsion: where the short-range repulsion has ended, Å (0: none)."""

    @property
    def hidden(self) -> tuple[int, ...]: ...

    @property
    def repulsion(self) -> float: ...


class FeaturedPotential(NeuralPotential):
    """ε_i = n_z(f_i) + repulsion, z the element of site i, n_z its network and f_i its invariant features.

    A family brings `features`, and `settle` where they have scales of their own to set before training.
    """

    ordered: Tensor

    def __init__(
        self,
        architecture: SiteArchitecture,
        numbers: Sequence[int],
        header: dict[str, Any] | None,
        count: int,
    ):
        super().__init__(architecture, numbers, header)
        self._outer = float(architecture.repulsion)
        self.register_buffer("ordered", torch.tensor(self.numbers), persistent=False)
        self.networks = torch.nn.ModuleList(SiteNetwork(count, architecture.hidden) for _ in self.numbers)

    def features(self, graph: Graph, r: Tensor) -> Tensor:
        """f (S, count) of the sites; every pair of the graph is within the cutoff, r: (P,) its length, Å."""
        raise NotImplementedError

    def settle(self, graph: Graph, r: Tensor) -> None:
        """Set the scales inside the features from typical environments."""

    def forward(self, graph: Graph) -> Tensor:
        near, r = within(graph, self.cutoff)
        return self._energies(near.numbers, self.features(near, r)) + site_repulsion(near, r, self._outer)

    @torch.no_grad()
    def prepare(self, typical: Graph, reference: Mapping[int, float]) -> None:
        """See NeuralPotential: the scales inside the features, mean and spread of the features."""
        near, r = within(typical, self.cutoff)
        self.settle(near, r)
        features = self.features(near, r)
        for k, number in enumerate(self.numbers):
            self._network(k).standardise(features[near.numbers == number])
            self._network(k).offset.fill_(reference[number])

    def invariants(self, graph: Graph, element: int) -> Tensor:
        """The features (s, count) of the sites of one element, see NeuralPotential."""
        near, r = within(graph, self.cutoff)
        return self.features(near, r)[near.numbers == self.numbers[element]]

    def species(self, numbers: Tensor) -> Tensor:
        """Place of each atomic number in `numbers`."""
        return torch.searchsorted(self.ordered, numbers)

    def _network(self, k: int) -> SiteNetwork:
        return cast(SiteNetwork, self.networks[k])

    def _energies(self, numbers: Tensor, features: Tensor) -> Tensor:
        if len(self.numbers) == 1:
            return self._network(0)(features)
        energies = features.new_zeros(len(numbers))
        for k, z in enumerate(self.numbers):
            sites = torch.nonzero(numbers == z)[:, 0]
            energies = energies.index_copy(0, sites, self._network(k)(features.index_select(0, sites)))
        return energies


def within(graph: Graph, cutoff: float) -> tuple[Graph, Tensor]:
    """The pairs closer than the cutoff, and their lengths."""
    keep = torch.nonzero(graph.vectors.detach().square().sum(1) < cutoff * cutoff)[:, 0]
    if len(keep) < len(graph.centre):
        graph = Graph(
            graph.centre[keep],
            graph.neighbour[keep],
            graph.vectors.index_select(0, keep),
            graph.numbers,
            graph.neighbour_numbers[keep],
        )
    return graph, graph.vectors.square().sum(1).sqrt()
