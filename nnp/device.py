"""Potentials that compute on another device, as a graphics card, and look to all others as if they did not.

Graphs come from the processor, where neighbours are searched, and results go back there; in between all is as precise
on the device as the graph is here. Ranks of a machine share out its cards.
"""

from __future__ import annotations

import copy
from typing import Any

import torch

from nnp.committee import Committee
from nnp.external import External
from nnp.known import Extrapolating
from nnp.potential import Graph, HasGradients, Potential
from nnp.state import Tensor

DEVICES = ("cpu", "cuda", "auto")


class DeviceError(ValueError):
    """A device that is not there, or that a potential cannot use."""


def chosen_device(name: str, rank: int = 0) -> torch.device:
    """The device of a name (DEVICES) for the rank-th process of this machine: card rank mod the number of cards; auto
    is a card where there is one. DeviceError where there is none that was asked for."""
    if name not in DEVICES:
        raise DeviceError(f"must be one of {', '.join(DEVICES)}, got {name}")
    count = torch.cuda.device_count() if name != "cpu" and torch.cuda.is_available() else 0
    if name == "cuda" and not count:
        raise DeviceError("is cuda, but PyTorch finds no graphics card here; cpu, or auto, goes without")
    return torch.device("cuda", rank % count) if count else torch.device("cpu")


def rank_within_node(comm: Any) -> int:
    """Which of the ranks on this machine this one is. Collective."""
    from mpi4py import MPI

    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    rank = int(node.rank)
    node.Free()
    return rank


def placed(potential: Potential, device: torch.device) -> Potential:
    """A potential that computes on a device. Itself on the processor; of a committee each member; DeviceError for a
    calculator, which has its own ways."""
    if device.type == "cpu":
        return potential
    if isinstance(potential, External):
        raise DeviceError("must be cpu: a calculator of ASE says itself where it computes")
    if isinstance(potential, Committee):
        members = [placed(member, device) for member in potential.members]
        return Committee(members, potential.calibration, potential.header)
    return OnDevice(potential, device)


class OnDevice:
    """A potential (nnp.potential.Potential, HasGradients, nnp.known.Extrapolating) whose numbers are computed on a
    device. inner: the potential there."""

    def __init__(self, potential: Potential, device: torch.device):
        self.device, self.inner = device, _moved(potential, device)
        self.cutoff, self.receptive_field = potential.cutoff, potential.receptive_field
        self.numbers = potential.numbers

    def site_energies(self, graph: Graph) -> Tensor:
        """See nnp.potential.Potential; differentiable there and back."""
        return self.inner.site_energies(self._there(graph)).to(graph.vectors.device)

    def gradients(self, graph: Graph, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        """See nnp.potential.HasGradients."""
        there, w = self._there(graph), self._to(weights)
        found = self.inner.gradients(there, w) if isinstance(self.inner, HasGradients) else None
        if found is None:
            r, energies, total = self._weighted(there, w)
            found = energies.detach(), torch.autograd.grad(total, r)[0]
        home = graph.vectors.device
        return found[0].to(home), found[1].to(home)

    def curvature(self, graph: Graph, weights: Tensor | None, directions: Tensor) -> Tensor:
        """See nnp.potential.HasGradients."""
        there, w, v = self._there(graph), self._to(weights), directions.to(self.device)
        found = self.inner.curvature(there, w, v) if isinstance(self.inner, HasGradients) else None
        if found is None:
            r, _, total = self._weighted(there, w)
            (slope,) = torch.autograd.grad(total, r, create_graph=True)
            (found,) = torch.autograd.grad((slope * v).sum(), r)
        return found.to(graph.vectors.device)

    def extrapolation(self, graph: Graph) -> Tensor:
        """See nnp.known.Extrapolating."""
        assert isinstance(self.inner, Extrapolating)
        return self.inner.extrapolation(self._there(graph)).to(graph.vectors.device)

    def _weighted(self, graph: Graph, weights: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        r = graph.vectors.detach().requires_grad_(True)
        energies = self.inner.site_energies(_with(graph, r))
        return r, energies, (energies if weights is None else weights * energies).sum()

    def _to(self, values: Tensor | None) -> Tensor | None:
        return None if values is None else values.to(self.device)

    def _there(self, graph: Graph) -> Graph:
        return Graph(*(getattr(graph, name).to(self.device) for name in Graph.__dataclass_fields__))


def _with(graph: Graph, vectors: Tensor) -> Graph:
    return Graph(graph.centre, graph.neighbour, vectors, graph.numbers, graph.neighbour_numbers)


def _moved(potential: Potential, device: torch.device) -> Potential:
    """A copy on the device of what has tensors; the constants of the others are plain numbers."""
    return copy.deepcopy(potential).to(device) if isinstance(potential, torch.nn.Module) else potential
