"""The families of nnp.featured as TorchScript modules, see nnp.script: features of the sites, then a network each."""

from typing import Any

import torch

from nnp.behler.family import BehlerNetwork
from nnp.behler.symmetry import Angular, Radial, SymmetryFunctions, kernels_of
from nnp.behler.triplets import find_triplets
from nnp.density.radial import chebyshev, floored, switch
from nnp.featured import FeaturedPotential
from nnp.messages.schnet import Edges, SchNet
from nnp.script_density import Repulsion
from nnp.state import Tensor


class FeaturedScript(torch.nn.Module):
    """Site energies of one network, see nnp.script.Scripted. features: a module of its family."""

    def __init__(self, potential: FeaturedPotential, features: torch.nn.Module, count: int):
        super().__init__()
        like = next(potential.parameters())
        self.cutoff = float(potential.cutoff)
        self.outer = float(potential.architecture.repulsion)  # type: ignore[attr-defined]
        self.features = features
        some = [torch.ones(n, count, dtype=like.dtype) for n in (3, 5)]
        self.networks = torch.nn.ModuleList(
            torch.jit.trace(network, some[0], check_inputs=[(some[1],)]) for network in potential.networks
        )
        r = torch.linspace(1.0, self.cutoff, 7, dtype=like.dtype)
        self.repulsion = torch.jit.trace(Repulsion(self.outer), (r, r + 10.0, r + 5.0))

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
        """As nnp.script_density.DensityScript."""
        near = torch.nonzero(r < self.cutoff)[:, 0]
        r, vectors, centre = r[near], vectors[near], centre[near]
        neighbour, others = neighbour[near], others[near]
        features = self.features(r, vectors, centre, neighbour, species, others)
        energies = r.new_zeros(species.size(0))
        for k, network in enumerate(self.networks):
            sites = torch.nonzero(species == k)[:, 0]
            energies = energies.index_copy(0, sites, network(features[sites]))
        if self.outer > 0.0:
            close = torch.nonzero(r < self.outer)[:, 0]
            z1, z2 = z[species[centre[close]]].to(r.dtype), z[others[close]].to(r.dtype)
            energies = energies.index_add(0, centre[close], 0.5 * self.repulsion(r[close], z1, z2))
        return energies


class _Filtered(torch.nn.Module):
    """What SchNet makes of a distance: basis (P, radial) and fade (P,)."""

    def __init__(self, shape: Any):
        super().__init__()
        self.shape = shape

    def forward(self, r: Tensor) -> tuple[Tensor, Tensor]:
        floor = self.shape.repulsion
        near = floored(r, floor, 0.25 * floor) if floor > 0.0 else r
        basis = chebyshev(2.0 * near / self.shape.cutoff - 1.0, self.shape.radial)
        return torch.stack(basis, 1), switch(r, self.shape.cutoff)


class _Interaction(torch.nn.Module):
    def __init__(self, interaction: Any):
        super().__init__()
        self.interaction = interaction

    def forward(
        self, h: Tensor, centre: Tensor, basis: Tensor, fade: Tensor, sent: Tensor, species: Tensor
    ) -> Tensor:
        return self.interaction(h, Edges(centre, basis, fade), sent, species)


class _SchNet(torch.nn.Module):
    def __init__(self, potential: SchNet):
        super().__init__()
        a, like = potential.shape, potential.embedding
        self.embedding = torch.nn.Parameter(like.detach().clone(), requires_grad=False)
        r = torch.linspace(1.0, a.cutoff, 7, dtype=like.dtype)
        self.filtered = torch.jit.trace(_Filtered(a), r)
        given = []
        for sites, pairs in ((3, 7), (4, 9)):
            h, sent = like.new_ones(sites, a.channels), like.new_ones(pairs, a.channels)
            centre, species = torch.arange(pairs) % sites, torch.zeros(sites, dtype=torch.long)
            given.append((h, centre, like.new_ones(pairs, a.radial), like.new_ones(pairs), sent, species))
        self.interactions = torch.nn.ModuleList(
            torch.jit.trace(_Interaction(each), given[0], check_inputs=given[1:])
            for each in potential.interactions
        )

    def forward(
        self, r: Tensor, vectors: Tensor, centre: Tensor, neighbour: Tensor, species: Tensor, others: Tensor
    ) -> Tensor:
        basis, fade = self.filtered(r)
        h, sent = self.embedding[species], self.embedding[others]
        for interaction in self.interactions:
            h = interaction(h, centre, basis, fade, sent, species)
            sent = h[neighbour]
        return h


class _Radials(torch.nn.Module):
    """Columns of the radial symmetry functions; zeros: (S,), pairs of other elements count nothing."""

    def __init__(self, functions: SymmetryFunctions, mine: list[Radial], numbers: tuple[int, ...]):
        super().__init__()
        self.functions, self.mine, self.numbers = functions, mine, numbers

    def forward(self, r: Tensor, centre: Tensor, others: Tensor, zeros: Tensor) -> Tensor:
        windows = self.functions.windows(r, [(f.eta, f.shift, f.cutoff) for f in self.mine])
        columns = [
            zeros.index_add(0, centre, w * (others == self.numbers.index(f.neighbour)).to(r.dtype))
            for f, w in zip(self.mine, windows)
        ]
        return torch.stack(columns, 1)


class _Angulars(torch.nn.Module):
    """Columns of the angular ones, from triplets: distances, cosine at the centre, species of both neighbours."""

    def __init__(self, functions: SymmetryFunctions, mine: list[Angular], numbers: tuple[int, ...]):
        super().__init__()
        self.functions, self.mine, self.numbers = functions, mine, numbers

    def forward(
        self,
        rj: Tensor,
        rk: Tensor,
        between: Tensor,
        cosine: Tensor,
        first: Tensor,
        second: Tensor,
        site: Tensor,
        zeros: Tensor,
    ) -> Tensor:
        columns = []
        for f in self.mine:
            a, b = (self.numbers.index(z) for z in f.neighbours)
            counted = ((first == a) & (second == b)) | ((first == b) & (second == a))
            sides = (rj, rk) if f.wide else (rj, rk, between)
            (kernel,) = kernels_of(cosine, [(f.zeta, f.lam)])
            product = 2.0 ** (1.0 - f.zeta) * kernel * counted.to(rj.dtype)
            for side in sides:
                product = product * self.functions.windows(side, [f.window])[0]
            columns.append(zeros.index_add(0, site, product))
        return torch.stack(columns, 1)


class _Behler(torch.nn.Module):
    def __init__(self, potential: BehlerNetwork):
        super().__init__()
        functions, numbers = potential.functions, potential.numbers
        radial = [f for f in functions.functions if isinstance(f, Radial)]
        angular = [f for f in functions.functions if isinstance(f, Angular)]
        assert [*radial, *angular] == list(functions.functions)
        self.reach = float("inf") if any(f.wide for f in angular) else potential.cutoff
        like = next(potential.parameters())
        r = torch.linspace(1.0, potential.cutoff, 7, dtype=like.dtype)
        index, zeros = torch.arange(7) % 3, like.new_zeros(3)
        self.radials = torch.jit.trace(_Radials(functions, radial, numbers), (r, index, 0 * index, zeros))
        self.has_angular = len(angular) > 0
        example = (r, r, r, 0.1 * r, 0 * index, 0 * index, index, zeros)
        self.angulars = torch.jit.trace(_Angulars(functions, angular, numbers), example) if angular else None
        self.triplets = torch.jit.script(find_triplets)

    def forward(
        self, r: Tensor, vectors: Tensor, centre: Tensor, neighbour: Tensor, species: Tensor, others: Tensor
    ) -> Tensor:
        zeros = r.new_zeros(species.size(0))
        columns = self.radials(r, centre, others, zeros)
        if self.angulars is not None:
            j, k, site = find_triplets(centre, vectors, species.size(0), self.reach)
            dot = (vectors[j] * vectors[k]).sum(1)
            rj, rk = r[j], r[k]
            between = (rj * rj + rk * rk - 2.0 * dot).sqrt()
            angular = self.angulars(rj, rk, between, dot / (rj * rk), others[j], others[k], site, zeros)
            columns = torch.cat([columns, angular], 1)
        return columns


def featured_script(potential: FeaturedPotential) -> FeaturedScript:
    """The module of one network."""
    if isinstance(potential, BehlerNetwork):
        return FeaturedScript(potential, _Behler(potential), len(potential.functions.functions))
    if isinstance(potential, SchNet):
        return FeaturedScript(potential, _SchNet(potential), potential.shape.channels)
    from nnp.messages.equivariant import EquivariantNetwork  # e3nn is slow to import
    from nnp.script_equivariant import EquivariantScript

    assert isinstance(potential, EquivariantNetwork)
    return FeaturedScript(potential, EquivariantScript(potential), potential.invariant_count)
