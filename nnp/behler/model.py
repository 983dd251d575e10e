"""The Behler–Parrinello potential: symmetry functions and one network per element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from nnp.behler.chunks import chunks, streamed
from nnp.behler.network import Network
from nnp.behler.symmetry import SymmetryFunctions
from nnp.potential import Graph
from nnp.state import Tensor

_KEEP = 1024
"""Up to so many sites the intermediate results (about 0.15 MB for each) are kept, so that many second
derivatives can follow one evaluation; beyond, memory comes first."""


@dataclass(frozen=True)
class ElementModel:
    """What one element brings."""

    functions: SymmetryFunctions
    network: Network


class BehlerPotential:
    """ε_i = N_z(G_i), z the element of atom i (Behler & Parrinello, Phys. Rev. Lett. 98, 146401 (2007),
    doi:10.1103/PhysRevLett.98.146401). Strictly local; satisfies nnp.potential.Potential.

    elements: by atomic number. chunk: sites whose triplets are listed at a time.
    """

    def __init__(self, elements: Mapping[int, ElementModel], chunk: int = 256):
        if not elements:
            raise ValueError("a Behler–Parrinello potential needs at least one element")
        self.elements = dict(sorted(elements.items()))
        self.numbers = tuple(self.elements)
        self.cutoff = self.receptive_field = max(m.functions.reach for m in self.elements.values())
        self.chunk = chunk

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i in eV, (S,). Species outside `numbers` are an error of the caller (see check_species)."""
        if graph.n_sites > _KEEP and graph.vectors.requires_grad and torch.is_grad_enabled():
            return streamed(self._energies, graph, self.chunk)
        return torch.cat([self._energies(part) for part in chunks(graph, self.chunk)])

    def _energies(self, graph: Graph) -> Tensor:
        energies = graph.vectors.new_zeros(graph.n_sites)
        for z, model in self.elements.items():
            sites, own = _of_element(graph, z)
            energies = energies.index_copy(0, sites, model.network(model.functions(own)))
        return energies

    def symmetry_functions(self, graph: Graph, number: int) -> Tensor:
        """G (s, count) of the sites of one element, unscaled."""
        return self.elements[number].functions(_of_element(graph, number)[1])


def _of_element(graph: Graph, number: int) -> tuple[Tensor, Graph]:
    """The sites of one element, and the part of the graph that has its centres there, renumbered."""
    sites = torch.nonzero(graph.numbers == number)[:, 0]
    if len(sites) == graph.n_sites:
        return sites, graph
    place = torch.full((graph.n_sites,), -1, dtype=torch.long, device=sites.device)
    place[sites] = torch.arange(len(sites), device=sites.device)
    index = torch.nonzero(place[graph.centre] >= 0)[:, 0]
    part = Graph(
        place[graph.centre[index]],
        graph.neighbour[index],
        graph.vectors.index_select(0, index),
        graph.numbers[sites],
        graph.neighbour_numbers[index],
    )
    return sites, part
