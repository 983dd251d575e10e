"""What the families of neural potentials share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch

from nnp.known import Known
from nnp.potential import Graph
from nnp.state import Tensor


class Architecture(Protocol):
    """What fixes the shape of a network: a frozen dataclass of plain values, one for each family.

    type: name of the family in nnp.families. cutoff: longest pair vector that matters, Å.
    """

    @property
    def type(self) -> str: ...

    @property
    def cutoff(self) -> float: ...


class NeuralPotential(torch.nn.Module):
    """A potential (nnp.potential.Potential) with weights to train.

    A family brings `forward`, the site energies, and `prepare`. numbers: the atomic numbers it knows. header:
    where the model comes from (units, training data, errors), as in its file. It computes in the dtype of
    the graph's vectors, whatever its weights are stored in. receptive_field is the cutoff unless a family
    with message passing says more. known: for each of the `numbers` what the training set held, which
    `extrapolation` needs (nnp.statistics makes it); None in a family or a file without.
    """

    known: tuple[Known | None, ...] | None = None

    def __init__(
        self, architecture: Architecture, numbers: Sequence[int], header: dict[str, Any] | None = None
    ):
        super().__init__()
        self.architecture = architecture
        self.numbers = tuple(sorted(int(z) for z in numbers))
        self.cutoff = self.receptive_field = float(architecture.cutoff)
        self.header = header or {}

    def forward(self, graph: Graph) -> Tensor:
        """ε_i in eV, (S,), in the dtype of the weights; pairs beyond the cutoff contribute nothing."""
        raise NotImplementedError

    def prepare(self, typical: Graph, reference: Mapping[int, float]) -> None:
        """Before training: scales of the features from typical environments (every element occurs among
        their centres), and the reference energy of each element, eV, which is trained with the rest."""
        raise NotImplementedError

    def invariants(self, graph: Graph, element: int) -> Tensor:
        """What describes the neighbourhoods of the sites of one element, given by its place in `numbers`:
        (s, N), in the dtype of the weights. For families that measure extrapolation."""
        raise NotImplementedError

    @torch.no_grad()
    def extrapolation(self, graph: Graph) -> Tensor:
        """See nnp.known.Extrapolating; infinite on elements of which `known` holds nothing. ValueError where
        nothing at all is known."""
        if self.known is None:
            raise ValueError("the model holds no statistics of its training set")
        graph = dataclasses.replace(graph, vectors=graph.vectors.detach().to(next(self.parameters()).dtype))
        out = graph.vectors.new_full((graph.n_sites,), torch.inf)
        for k, known in enumerate(self.known):
            sites = torch.nonzero(graph.numbers == self.numbers[k])[:, 0]
            if known is not None and len(sites):
                out[sites] = known.distance(self.invariants(graph, k))
        return out

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i in eV, (S,). Species outside `numbers` are an error of the caller (see check_species)."""
        dtype = graph.vectors.dtype
        if next(self.parameters()).dtype == dtype:
            return self(graph)
        tensors = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        converted = {k: v.to(dtype) for k, v in tensors.items() if v.is_floating_point()}
        return torch.func.functional_call(self, converted, (graph,))
