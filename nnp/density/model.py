"""The density potential: moments of the neighbour density, invariants, one network per element."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch

from nnp.density.architecture import Architecture
from nnp.density.descriptor import Descriptor
from nnp.density.harmonics import real_harmonics
from nnp.density.network import SiteNetwork
from nnp.density.radial import radial_basis
from nnp.density.repulsion import screened_repulsion
from nnp.density.storage import ModelFileError, find_model, read_model, write_model
from nnp.potential import Graph
from nnp.state import Tensor

__all__ = ["Architecture", "DensityPotential", "ModelFileError", "load", "save"]

KIND = "density"


class DensityPotential(torch.nn.Module):
    """A strictly local neural potential (nnp.potential.Potential).

    numbers: the atomic numbers it knows. Everything that depends on the species of the centre (radial
    functions, mixtures, network, reference energy) is separate for each element; the radial functions depend
    on the neighbour's element too. It computes in the dtype of the graph's vectors, whatever its weights are
    stored in. `header` says where the model comes from (units, training data, errors).
    """

    def __init__(
        self, architecture: Architecture, numbers: Sequence[int], header: dict[str, Any] | None = None
    ):
        super().__init__()
        self.architecture = architecture
        self.numbers = tuple(sorted(int(z) for z in numbers))
        self.cutoff = self.receptive_field = float(architecture.cutoff)
        self.header = header or {}
        count = len(self.numbers)
        descriptors = [Descriptor(architecture, count) for _ in self.numbers]
        self.descriptors = torch.nn.ModuleList(descriptors)
        self.networks = torch.nn.ModuleList(SiteNetwork(d.count, architecture.hidden) for d in descriptors)

    def element(self, place: int) -> tuple[Descriptor, SiteNetwork]:
        """Descriptor and network of one of the `numbers`."""
        return cast(Descriptor, self.descriptors[place]), cast(SiteNetwork, self.networks[place])

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i in eV, (S,). Species outside `numbers` are an error of the caller (see check_species)."""
        dtype = graph.vectors.dtype
        if next(self.parameters()).dtype == dtype:
            return self(graph)
        converted = {k: v.to(dtype) for k, v in self._tensors().items() if v.is_floating_point()}
        return torch.func.functional_call(self, converted, (graph,))

    def _tensors(self) -> dict[str, Tensor]:
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}

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
        return energies + self._repulsion(near, r)

    def invariants(self, graph: Graph, element: int) -> Tensor:
        """Invariants (s, count) of the sites of one element, given by its place in `numbers`."""
        near, r = _within(graph, self.cutoff)
        sites = torch.nonzero(near.numbers == self.numbers[element])[:, 0]
        return self._invariants(element, *_sites_only(near, r, sites))

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

    def _repulsion(self, graph: Graph, r: Tensor) -> Tensor:
        """Half of each close pair's repulsion, on its centre, (S,) eV."""
        close = torch.nonzero(r < self.architecture.repulsion)[:, 0]
        zero = r.new_zeros(graph.n_sites)
        if len(close) == 0:
            return zero
        centre = graph.centre[close]
        z1, z2 = graph.numbers[centre].to(r.dtype), graph.neighbour_numbers[close].to(r.dtype)
        pair = screened_repulsion(r[close], z1, z2, self.architecture.repulsion)
        return zero.index_add(0, centre, 0.5 * pair)


def _within(graph: Graph, cutoff: float) -> tuple[Graph, Tensor]:
    """The pairs closer than the cutoff, and their distances."""
    keep = torch.nonzero(graph.vectors.detach().square().sum(1) < cutoff * cutoff)[:, 0]
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


def save(potential: DensityPotential, path: str | Path, training: dict[str, Any] | None = None) -> None:
    """Write the model; `training` (data and errors, plain values) goes into the header."""
    header = {
        "kind": KIND,
        "elements": list(potential.numbers),
        "architecture": dataclasses.asdict(potential.architecture),
        "units": {"length": "angstrom", "energy": "eV"},
        "training": training if training is not None else potential.header.get("training", {}),
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in potential.state_dict().items()}
    write_model(Path(path), header, tensors)


def load(path_or_name: str | Path, dtype: torch.dtype = torch.float64) -> DensityPotential:
    """The model of a file, or a shipped one by its name; weights frozen. ModelFileError when unreadable."""
    path = find_model(path_or_name)
    header, tensors = read_model(path)
    if header.get("kind") != KIND:
        raise ModelFileError(f"{path}: holds a model of kind '{header.get('kind')}', not '{KIND}'")
    try:
        shape = dict(header["architecture"])
        architecture = Architecture(**{**shape, "hidden": tuple(shape["hidden"])})
        potential = DensityPotential(architecture, header["elements"], header)
        potential.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelFileError(f"{path}: header and weights do not describe one model ({reason})") from None
    return potential.to(dtype).requires_grad_(False)
