"""One layer of an equivariant network: messages from the neighbours, and products of what they add up to."""

from __future__ import annotations

from typing import Any

import torch

from nnp.messages.products import Product, block
from nnp.messages.table import Table
from nnp.state import Tensor


class Mix(torch.nn.Module):
    """Σ over paths and inputs of weights × features, for each degree apart: whatever turns with the atoms still does.

    From a list by degree of (S, paths, 2l + 1, inputs) to (S, (degree + 1)², outputs). Weights are of order one, and
    scaled by the number of terms, so that one learning rate suits all of them.
    """

    def __init__(self, paths: tuple[int, ...], inputs: int, outputs: int):
        super().__init__()
        self.weights = torch.nn.ParameterList(
            torch.nn.Parameter(torch.randn(n, inputs, outputs)) for n in paths
        )
        self._scales = [(n * inputs) ** -0.5 for n in paths]

    def forward(self, parts: list[Tensor]) -> Tensor:
        mixed = zip(parts, self.weights, self._scales)
        return torch.cat([torch.einsum("spmk,pko->smo", x, s * w) for x, w, s in mixed], 1)


class Layer(torch.nn.Module):
    """From what the neighbours send to new features h of the sites, with filters Q_q (learned, of the distance):

        A_i = mix Σ_j Q_q(r_ij) Y_l(r̂_ij) ⊗ h_j / √N,    B = A + w A ⊗ A,    C = B + w' B ⊗ A,    h = mix C

    ⊗ couples to all degrees of natural parity; w, w' differ between the elements of the site. The invariants of
    the layer are h_0, A_0, Σ_m A_lm² of every degree l > 0, and the scalars of B ⊗ A by every path.
    """

    neighbours: Tensor
    mean: Tensor
    spread: Tensor

    def __init__(self, shape: Any, species: int, degree: int, channels: int, sends: int):
        """shape: the architecture; degree, channels: of the features heard; sends: degree of the new ones."""
        super().__init__()
        c, d = shape.channels, shape.product_degree
        self.degrees = shape.degree + 1
        self.filters = torch.nn.Parameter(torch.randn(shape.radial, shape.filters))
        self.angular, self.heard, self.multiplied = ((l + 1) ** 2 for l in (shape.degree, degree, d))
        self.message = Product(shape.degree, degree, shape.degree)
        self.gather = Mix(self.message.paths, shape.filters * channels, c)
        self.square, self.cube = Product(d, d, d), Product(d, d, sends)
        self.first = torch.nn.ParameterList(_gains(species, n, c) for n in self.square.paths)
        self.second = torch.nn.ParameterList(_gains(species, n, c) for n in self.cube.paths)
        self.out = Mix((1,) * (sends + 1), c, c)
        self.invariants = c * (2 + shape.degree + self.cube.paths[0])
        self.register_buffer("neighbours", torch.tensor(28.0))
        self.register_buffer("mean", torch.zeros(species, c))
        self.register_buffer("spread", torch.ones(shape.degree + 1, c))

    def forward(
        self, table: Table, basis: Tensor, angular: Tensor, sent: Tensor, species: Tensor, settle: bool
    ) -> tuple[Tensor, Tensor]:
        """h (S, (sends + 1)², c) and the invariants (S, …). basis: (P, radial); angular: (P, (degree + 1)²); sent:
        (P, k); species: (S,)."""
        if settle:
            self.neighbours.fill_(max(1.0, len(basis) / table.sites))
        a = self._heard(table, basis, angular, sent)
        if settle:
            self._settle(a, species)
        return self.coupled(a, species)

    def coupled(self, a: Tensor, species: Tensor) -> tuple[Tensor, Tensor]:
        """h and the invariants, as `forward`, from A (S, (degree + 1)², c)."""
        a = self._standardised(a, species)
        low = a[:, : self.multiplied]
        b = low + _weighted(self.square.of(low, low), self.first, species)
        cubes = self.cube.of(b, low)
        c = b[:, : len(self.second) ** 2] + _weighted(cubes, self.second, species)
        h = self.out([p[:, None] for p in c.split([2 * l + 1 for l in range(len(self.second))], 1)])
        squares = [a[:, block(l)].square().mean(1) for l in range(1, self.degrees)]
        return h, torch.cat([h[:, 0], a[:, 0], *squares, cubes[0].flatten(1)], 1)

    def _heard(self, table: Table, basis: Tensor, angular: Tensor, sent: Tensor) -> Tensor:
        """A (S, (degree + 1)², c)."""
        shapes = self.shapes(basis, angular)
        return self.gathered(torch.bmm(table.padded(shapes).transpose(1, 2), table.padded(sent)))

    def shapes(self, basis: Tensor, angular: Tensor) -> Tensor:
        """Q_q(r_ij) Y_l(r̂_ij)/√N of each pair, (P, (degree + 1)² · filters)."""
        filters = basis @ (self.filters * (self.neighbours * self.filters.shape[0]).rsqrt())
        return (filters[:, None, :] * angular[:, :, None]).flatten(1)

    def gathered(self, total: Tensor) -> Tensor:
        """A (S, (degree + 1)², c) from the sums over neighbours of shapes and what is sent, (S, shapes, k)."""
        sites = total.shape[0]
        total = total.reshape(sites, self.angular, self.filters.shape[1], self.heard, -1).transpose(2, 3)
        return self.gather(self.message(total.reshape(sites, self.angular * self.heard, -1)))

    def _settle(self, a: Tensor, species: Tensor) -> None:
        """Means of the scalars by element, and root mean squares of every degree, over the typical sites."""
        for k in range(len(self.mean)):
            self.mean[k] = a[species == k, 0].mean(0)
        centred = torch.cat([a[:, :1] - self.mean[species][:, None], a[:, 1:]], 1)
        for l in range(len(self.spread)):
            self.spread[l] = centred[:, l * l : (l + 1) ** 2].square().mean((0, 1)).sqrt() + 1e-3

    def _standardised(self, a: Tensor, species: Tensor) -> Tensor:
        spread = torch.cat([s[None].expand(2 * l + 1, -1) for l, s in enumerate(self.spread.unbind(0))])
        return torch.cat([a[:, :1] - self.mean[species][:, None], a[:, 1:]], 1) / spread


def _gains(species: int, paths: int, channels: int) -> torch.nn.Parameter:
    return torch.nn.Parameter(0.3 * torch.randn(species, paths, 1, channels) / max(paths, 1) ** 0.5)


def _weighted(parts: list[Tensor], gains: torch.nn.ParameterList, species: Tensor) -> Tensor:
    """Σ over paths, channel by channel, with the weights of each site's element: (S, (degree + 1)², c)."""
    return torch.cat([(x * w[species]).sum(1) for x, w in zip(parts, gains)], 1)
