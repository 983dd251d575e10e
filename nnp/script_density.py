"""Density networks as TorchScript modules, see nnp.script."""

import torch

from nnp.density.descriptor import Descriptor
from nnp.density.harmonics import real_harmonics
from nnp.density.model import DensityPotential
from nnp.density.network import SiteNetwork
from nnp.density.radial import radial_basis
from nnp.repulsion import screened_repulsion
from nnp.state import Tensor


class _Harmonics(torch.nn.Module):
    def __init__(self, degree: int):
        super().__init__()
        self.degree = degree

    def forward(self, unit: Tensor) -> Tensor:
        x, y, z = unit.unbind(1)
        return torch.stack(real_harmonics(x, y, z, self.degree), 1)


class _Radial(torch.nn.Module):
    def __init__(self, cutoff: float, floor: float, count: int):
        super().__init__()
        self.cutoff, self.floor, self.count = cutoff, floor, count

    def forward(self, r: Tensor) -> Tensor:
        return radial_basis(r, self.cutoff, self.floor, self.count)


class Repulsion(torch.nn.Module):
    def __init__(self, outer: float):
        super().__init__()
        self.outer = outer

    def forward(self, r: Tensor, z1: Tensor, z2: Tensor) -> Tensor:
        return screened_repulsion(r, z1, z2, self.outer)


class _Element(torch.nn.Module):
    """Energies of the sites of one element."""

    def __init__(self, descriptor: Descriptor, network: SiteNetwork, species: int):
        super().__init__()
        shape, like = descriptor.shape, descriptor.radial
        self.weights = torch.nn.Parameter(
            like.detach().clone().reshape(species, shape.radial, -1), requires_grad=False
        )
        moments = [like.new_ones(n, (shape.degree + 1) ** 2, shape.channels) for n in (3, 5)]
        self.descriptor = torch.jit.trace(descriptor, moments[0], check_inputs=[(moments[1],)])
        invariants = [descriptor(m) for m in moments]
        self.network = torch.jit.trace(network, invariants[0], check_inputs=[(invariants[1],)])

    def forward(self, basis: Tensor, angular: Tensor, centre: Tensor, species: Tensor, n: int) -> Tensor:
        if n == 0:
            return basis.new_zeros(0)
        count = centre.size(0)
        if self.weights.size(0) == 1:
            radial = basis.t() @ self.weights[0]
        else:
            each = torch.einsum("kp,skc->spc", basis, self.weights)
            radial = each[species, torch.arange(count, device=species.device)]
        counts = torch.bincount(centre, minlength=n)
        width = max(int(counts.max().item()), 1)
        first = torch.cumsum(counts, 0) - counts
        slot = centre * width + torch.arange(count, device=centre.device) - first[centre]
        tables = [
            rows.new_zeros(n * width, rows.size(1)).index_copy(0, slot, rows).reshape(n, width, rows.size(1))
            for rows in (angular, radial)
        ]
        return self.network(self.descriptor(torch.bmm(tables[0].transpose(1, 2), tables[1])))


class DensityScript(torch.nn.Module):
    """Site energies of one network, see nnp.script.Scripted."""

    def __init__(self, potential: DensityPotential):
        super().__init__()
        shape, like = potential.architecture, next(potential.parameters())
        self.cutoff = float(potential.cutoff)
        self.outer = float(shape.repulsion)
        r = torch.linspace(1.0, self.cutoff, 7, dtype=like.dtype)
        unit = torch.nn.functional.normalize(torch.stack([r, r.cos(), r.sin()], 1))
        self.radial = torch.jit.trace(_Radial(self.cutoff, self.outer, shape.radial), r)
        self.harmonics = torch.jit.trace(_Harmonics(shape.degree), unit)
        self.repulsion = torch.jit.trace(Repulsion(self.outer), (r, r + 10.0, r + 5.0))
        count = len(potential.numbers)
        self.elements = torch.nn.ModuleList(_Element(*potential.element(k), count) for k in range(count))

    def forward(
        self,
        r: Tensor,
        vectors: Tensor,
        centre: Tensor,
        neighbour: Tensor,
        species: Tensor,
        others: Tensor,
        z: Tensor,
    ) -> Tensor:
        """(S,) eV. r, vectors, centre, neighbour (its site) and others (its species) of pairs sorted by their centre;
        species of the sites, −1 where nothing is asked; z: atomic number of each species."""
        near = torch.nonzero(r < self.cutoff)[:, 0]
        r, vectors, centre, others = r[near], vectors[near], centre[near], others[near]
        basis, angular = self.radial(r), self.harmonics(vectors / r[:, None])
        energies = r.new_zeros(species.size(0))
        for k, element in enumerate(self.elements):
            sites = torch.nonzero(species == k)[:, 0]
            place = torch.full_like(species, -1)
            place[sites] = torch.arange(sites.size(0), device=species.device)
            mine = torch.nonzero(place[centre] >= 0)[:, 0]
            found = element(basis[:, mine], angular[mine], place[centre[mine]], others[mine], sites.size(0))
            energies = energies.index_copy(0, sites, found)
        if self.outer > 0.0:
            close = torch.nonzero(r < self.outer)[:, 0]
            z1, z2 = z[species[centre[close]]].to(r.dtype), z[others[close]].to(r.dtype)
            energies = energies.index_add(0, centre[close], 0.5 * self.repulsion(r[close], z1, z2))
        return energies
