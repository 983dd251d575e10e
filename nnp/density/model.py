"""The density potential: moments of the neighbour density, invariants, one network per element."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch

from nnp.density.architecture import Architecture
from nnp.density.descriptor import Descriptor
from nnp.density.harmonics import real_harmonics
from nnp.density.kernel.call import Kernel
from nnp.density.network import SiteNetwork
from nnp.density.radial import radial_basis
from nnp.neural import NeuralPotential
from nnp.potential import Graph
from nnp.repulsion import site_repulsion
from nnp.state import Tensor


class DensityPotential(NeuralPotential):
    """A strictly local neural potential (nnp.neural.NeuralPotential).

    Everything that depends on the species of the centre (radial functions, mixtures, network, reference
    energy) is separate for each element; the radial functions depend on the neighbour's element too.
    """

    architecture: Architecture
    per_element = ("networks", "descriptors")

    def __init__(
        self, architecture: Architecture, numbers: Sequence[int], header: dict[str, Any] | None = None
    ):
        super().__init__(architecture, numbers, header)
        count = len(self.numbers)
        descriptors = [Descriptor(architecture, count) for _ in self.numbers]
        self.descriptors = torch.nn.ModuleList(descriptors)
        self.networks = torch.nn.ModuleList(SiteNetwork(d.count, architecture.hidden) for d in descriptors)
        self._kernel = Kernel(architecture, self.numbers)

    def element(self, place: int) -> tuple[Descriptor, SiteNetwork]:
        """Descriptor and network of one of the `numbers`."""
        return cast(Descriptor, self.descriptors[place]), cast(SiteNetwork, self.networks[place])

    @torch.no_grad()
    def prepare(self, typical: Graph, reference: Mapping[int, float]) -> None:
        """See NeuralPotential: mean neighbour count, and mean and spread of the invariants, per element."""
        for k, number in enumerate(self.numbers):
            descriptor, network = self.element(k)
            centres = (typical.numbers == number).sum()
            pairs = (typical.numbers[typical.centre] == number).sum()
            descriptor.neighbours.fill_(max(1.0, float(pairs / centres)))
            network.standardise(self._invariants(k, *self._sites(typical, k)))
            network.offset.fill_(reference[number])

    def gradients(self, graph: Graph, weights: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """nnp.potential.HasGradients, by the compiled kernel."""
        return self._kernel.gradients(self._elements(), graph, weights)

    def curvature(self, graph: Graph, weights: Tensor | None, directions: Tensor) -> Tensor | None:
        """nnp.potential.HasGradients, by the compiled kernel."""
        return self._kernel.curvature(self._elements(), graph, weights, directions)

    def _elements(self) -> list[tuple[Descriptor, SiteNetwork]]:
        return [self.element(k) for k in range(len(self.numbers))]

    def forward(self, graph: Graph) -> Tensor:
        near, r = _within(graph, self.cutoff)
        if len(self.numbers) == 1:
            energies = self.element(0)[1](self._invariants(0, near, r))
        else:
            energies = near.vectors.new_zeros(graph.n_sites)
            for k, z in enumerate(self.numbers):
                sites = torch.nonzero(near.numbers == z)[:, 0]
                own, own_r = _sites_only(near, r, sites)
                energies = energies.index_copy(0, sites, self.element(k)[1](self._invariants(k, own, own_r)))
        return energies + site_repulsion(near, r, self.architecture.repulsion)

    def invariants(self, graph: Graph, element: int) -> Tensor:
        """Invariants (s, count) of the sites of one element, given by its place in `numbers`; by the compiled
        kernel where nothing is to be differentiated."""
        if not torch.is_grad_enabled():
            found = self._kernel.invariants(self._elements(), graph)
            if found is not None:
                return found[graph.numbers == self.numbers[element]]
        return self._invariants(element, *self._sites(graph, element))

    def _sites(self, graph: Graph, element: int) -> tuple[Graph, Tensor]:
        """The sites of one element with their pairs closer than the cutoff, and the pairs' distances."""
        near, r = _within(graph, self.cutoff)
        return _sites_only(near, r, torch.nonzero(near.numbers == self.numbers[element])[:, 0])

    def _invariants(self, element: int, graph: Graph, r: Tensor) -> Tensor:
        shape, (descriptor, _) = self.architecture, self.element(element)
        basis = radial_basis(r, self.cutoff, shape.repulsion, shape.radial)
        radial = descriptor.radial_functions(basis, self._species(graph.neighbour_numbers))
        x, y, z = (graph.vectors / r[:, None]).unbind(1)
        angular = torch.stack(real_harmonics(x, y, z, shape.degree), 1)
        slot, width = _slots(graph.centre, graph.n_sites)
        moments = torch.bmm(
            _padded(angular, slot, graph.n_sites, width).transpose(1, 2),
            _padded(radial, slot, graph.n_sites, width),
        )
        return descriptor(moments)

    def _species(self, numbers: Tensor) -> Tensor | None:
        if len(self.numbers) == 1:
            return None
        return torch.searchsorted(torch.as_tensor(self.numbers, device=numbers.device), numbers)


def _within(graph: Graph, cutoff: float) -> tuple[Graph, Tensor]:
    """The pairs closer than the cutoff, or at no known distance (nan), and their distances."""
    keep = torch.nonzero(~(graph.vectors.detach().square().sum(1) >= cutoff * cutoff))[:, 0]
    if len(keep) < len(graph.centre):
        graph = _pairs_only(graph, keep)
    return graph, graph.vectors.square().sum(1).sqrt()


def _pairs_only(graph: Graph, keep: Tensor) -> Graph:
    return dataclasses.replace(
        graph,
        centre=graph.centre[keep],
        neighbour=graph.neighbour[keep],
        vectors=graph.vectors.index_select(0, keep),
        neighbour_numbers=graph.neighbour_numbers[keep],
    )


def _sites_only(graph: Graph, r: Tensor, sites: Tensor) -> tuple[Graph, Tensor]:
    """The part of the graph that has its centres among `sites` (ascending), renumbered."""
    place = torch.full((graph.n_sites,), -1, dtype=torch.long, device=sites.device)
    place[sites] = torch.arange(len(sites), device=sites.device)
    keep = torch.nonzero(place[graph.centre] >= 0)[:, 0]
    part = _pairs_only(graph, keep)
    return dataclasses.replace(part, centre=place[part.centre], numbers=graph.numbers[sites]), r.index_select(
        0, keep
    )


def _slots(centre: Tensor, n_sites: int) -> tuple[Tensor, int]:
    """Row of each pair in a table of n_sites × (most neighbours of any site)."""
    counts = torch.bincount(centre, minlength=n_sites)
    width = max(int(counts.max()), 1) if n_sites else 1
    first = torch.cumsum(counts, 0) - counts
    place = torch.arange(len(centre), device=centre.device) - first[centre]
    return centre * width + place, width


def _padded(rows: Tensor, slot: Tensor, n_sites: int, width: int) -> Tensor:
    """Rows (P, k) laid out as (sites, width, k), zero where a site has no further neighbour."""
    if len(rows) < n_sites * width:
        rows = rows.new_zeros(n_sites * width, rows.shape[1]).index_copy(0, slot, rows)
    return rows.reshape(n_sites, width, rows.shape[1])
