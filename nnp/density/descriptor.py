"""Invariants of an atom's neighbourhood from the moments of the neighbour density."""

from __future__ import annotations

import numpy as np
import torch

from nnp.density.architecture import Architecture
from nnp.density.couplings import couplings
from nnp.density.harmonics import block
from nnp.state import Tensor


class Descriptor(torch.nn.Module):
    """Invariants of one species of centre.

    The moments are A_{lm,c} = N^-½ Σ_j R_c(r_ij; species j) Y_lm(r_ij/r_ij), with learned radial functions
    R_c. Products of moments summed over atoms inside the sum are cheap many-body terms: this is the density
    trick of the atomic cluster expansion (Drautz, Phys. Rev. B 99, 014104 (2019),
    doi:10.1103/PhysRevB.99.014104). Invariants, each of learned mixtures of the channels c:

    - two-body: A_00;
    - three-body: Σ_m a_lm b_lm for every degree l;
    - four-body: Σ_m (a ⊗ a)_{lm} a_lm, with (a ⊗ a) coupled by the Gaunt tensors;
    - five-body: Σ_m (a ⊗ a)_{lm} (a ⊗ a)'_{lm}.
    """

    neighbours: Tensor
    first: Tensor
    second: Tensor
    matrix: Tensor

    def __init__(self, shape: Architecture, species: int):
        super().__init__()
        self.shape = shape
        c, k, q = shape.channels, shape.three_body, shape.many_body
        self.radial = torch.nn.Parameter(torch.randn(species * shape.radial, c) / shape.radial**0.5)
        self.left = torch.nn.Parameter(torch.randn(shape.degree + 1, c, k) / c**0.5)
        self.right = torch.nn.Parameter(torch.randn(shape.degree + 1, c, k) / c**0.5)
        self.many = torch.nn.Parameter(torch.randn(shape.many_degree + 1, c, q) / c**0.5)
        self.register_buffer("neighbours", torch.tensor(28.0))
        self.coupled, first, second, matrix = _coupling_table(shape.many_degree)
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("second", second, persistent=False)
        self.register_buffer(
            "matrix", matrix, persistent=False
        )  # float64: rounding it would break the symmetry
        degrees = [l for l, _ in self.coupled]
        self.squares = [
            (i, j) for i, l in enumerate(degrees) for j, m in enumerate(degrees) if i <= j and l == m
        ]

    @property
    def count(self) -> int:
        """Number of invariants."""
        many = len(self.coupled) + (len(self.squares) if self.shape.five_body else 0)
        return (
            self.shape.channels
            + self.shape.three_body * (self.shape.degree + 1)
            + self.shape.many_body * many
        )

    def radial_functions(self, basis: Tensor, species: Tensor | None) -> Tensor:
        """R_c of each pair, (P, channels), from the basis (radial, P) and the neighbours' species (P,)."""
        if species is None:
            return basis.T @ self.radial
        weights = self.radial.reshape(-1, *basis.shape[:1], self.radial.shape[1])
        each = torch.einsum("kp,skc->spc", basis, weights)
        return each[species, torch.arange(len(species), device=species.device)]

    def forward(self, moments: Tensor) -> Tensor:
        """Invariants (S, count) of the moments (S, (degree + 1)², channels)."""
        # harmonics first: each degree is then one block of rows, and mixing channels one matrix product
        a = (moments * self.neighbours.rsqrt()).transpose(0, 1).contiguous()
        parts = [a[0]]
        for l in range(self.shape.degree + 1):
            al = a[block(l)]
            parts.append(((al @ self.left[l]) * (al @ self.right[l])).sum(0))
        if self.shape.many_degree > 0:
            parts += self._many_body(a)
        return torch.cat(parts, 1)

    def _many_body(self, a: Tensor) -> list[Tensor]:
        b = torch.cat([a[block(l)] @ self.many[l] for l in range(self.shape.many_degree + 1)])
        products = b.index_select(0, self.first) * b.index_select(0, self.second)
        matrix = self.matrix.to(b.dtype)
        coupled = (matrix @ products.flatten(1)).reshape(matrix.shape[0], *b.shape[1:])
        pieces = [coupled[row : row + 2 * l + 1] for l, row in self.coupled]
        out = [(t * b[block(l)]).sum(0) for t, (l, _) in zip(pieces, self.coupled)]
        if self.shape.five_body:
            out += [(pieces[i] * pieces[j]).sum(0) for i, j in self.squares]
        return out


def _coupling_table(degree: int) -> tuple[list[tuple[int, int]], Tensor, Tensor, Tensor]:
    """(degree, first row) of each coupled moment; which moments to multiply, (q,) and (q,); and the matrix
    (rows, q) that makes the coupled moments of the products."""
    paths = couplings(degree) if degree > 0 else []
    size = (degree + 1) ** 2
    table = np.zeros((sum(2 * l3 + 1 for _, _, l3, _ in paths), size, size))
    where, row = [], 0
    for l1, l2, l3, c in paths:
        table[row : row + 2 * l3 + 1, block(l1), block(l2)] = c.transpose(2, 0, 1)
        where.append((l3, row))
        row += 2 * l3 + 1
    table = table + table.transpose(0, 2, 1)  # a product does not know the order of its factors
    first, second = np.triu_indices(size)
    table = table[:, first, second] / np.where(first == second, 2.0, 1.0)
    used = np.abs(table).max(0, initial=0.0) > 1e-12
    return where, torch.as_tensor(first[used]), torch.as_tensor(second[used]), torch.as_tensor(table[:, used])
