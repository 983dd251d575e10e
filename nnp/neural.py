"""What the families of neural potentials share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, cast

import torch

from nnp.density.network import SiteNetwork
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

    per_element: ClassVar[tuple[str, ...]] = ("networks",)
    """Module lists that hold one module for each of the `numbers`. Besides, a tensor whose first axis grows with
    the number of elements must hold one block for each, in their order: `adopt` relies on both."""

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

    def parts(self) -> dict[str, list[torch.nn.Parameter]]:
        """What can be held fixed in training: "descriptor", everything before the networks of the elements,
        and "layers", their hidden layers. The last layer and the reference energies are in neither."""
        found: dict[str, list[torch.nn.Parameter]] = {"descriptor": [], "layers": []}
        for name, parameter in self.named_parameters():
            place = name.split(".")
            if place[0] != "networks":
                found["descriptor"].append(parameter)
            elif place[2] == "layers" and int(place[3]) < len(self._network(int(place[1])).layers) - 1:
                found["layers"].append(parameter)
        return found

    @torch.no_grad()
    def adopt(self, other: NeuralPotential) -> None:
        """Take over all that `other` knows about its elements, so that their energies among themselves are as
        in `other`. ValueError when the sizes differ, or the family cannot be given new elements."""
        theirs, places = other.state_dict(), [self.numbers.index(z) for z in other.numbers]
        mine = self.state_dict()  # shares memory with the parameters
        for name, value in theirs.items():
            first, *rest = name.split(".")
            if first in self.per_element:
                name = ".".join([first, str(places[int(rest[0])]), *rest[1:]])
            _copy_blocks(mine.get(name), value, places, len(self.numbers))

    @torch.no_grad()
    def shift_energies(self, shift: Mapping[int, float]) -> None:
        """Add to the reference energies, {atomic number: eV}."""
        for number, value in shift.items():
            self._network(self.numbers.index(number)).offset.add_(value)

    def _network(self, place: int) -> SiteNetwork:
        return cast(SiteNetwork, cast(torch.nn.ModuleList, self.networks)[place])

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


def _copy_blocks(mine: Tensor | None, theirs: Tensor, places: Sequence[int], count: int) -> None:
    """Copy a tensor, or its blocks of the elements (see NeuralPotential.per_element) to their new places."""
    if mine is not None and mine.shape == theirs.shape:
        mine.copy_(theirs)
        return
    size = theirs.numel() // len(places) if theirs.ndim else 0
    fits = mine is not None and theirs.ndim and mine.ndim and mine.shape[1:] == theirs.shape[1:]
    if mine is None or not fits or mine.numel() != size * count or theirs.numel() != size * len(places):
        raise ValueError("its sizes differ, or potentials of this family cannot be given new elements")
    mine.view(count, size)[list(places)] = theirs.reshape(len(places), size).to(mine.dtype)
