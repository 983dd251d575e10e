"""Products of features that turn with the atoms, by the coupling coefficients of e3nn."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from e3nn import o3

from nnp.state import Tensor


def block(l: int) -> slice:
    """Where the 2l + 1 components of one degree stand among all of them."""
    return slice(l * l, (l + 1) ** 2)


def harmonics(unit: Tensor, degree: int) -> Tensor:
    """Real spherical harmonics (P, (degree + 1)²) of unit vectors (P, 3), Σ_m Y_lm² = 2l + 1."""
    return o3.spherical_harmonics(list(range(degree + 1)), unit, normalize=False, normalization="component")


@dataclass(frozen=True, eq=False)
class Product:
    """All couplings of x (degrees 0 … left) and y (0 … right) to degrees 0 … out that keep the natural parity
    (−1)^l, so that nothing tells left from right.

    paths: of each degree l, how many ways lead there. matrix: (rows, (left+1)²·(right+1)²), float64; rows are
    ordered by degree, path, component. A path's row is scaled so that features of unit variance give such.
    """

    left: int
    right: int
    out: int
    paths: tuple[int, ...] = field(init=False)
    matrix: Tensor = field(init=False)
    _cast: dict[tuple[torch.dtype, torch.device], Tensor] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        counts, rows = [], []
        for l in range(self.out + 1):
            ways = [
                (a, b)
                for a in range(self.left + 1)
                for b in range(self.right + 1)
                if abs(a - b) <= l <= a + b and (a + b + l) % 2 == 0
            ]
            counts.append(len(ways))
            for a, b in ways:
                table = torch.zeros(
                    2 * l + 1, (self.left + 1) ** 2, (self.right + 1) ** 2, dtype=torch.float64
                )
                symbol = o3.wigner_3j(a, b, l, dtype=torch.float64)
                table[:, block(a), block(b)] = symbol.permute(2, 0, 1) * (2 * l + 1) ** 0.5
                rows.append(table.flatten(1))
        object.__setattr__(self, "paths", tuple(counts))
        object.__setattr__(self, "matrix", torch.cat(rows))

    def __call__(self, x: Tensor) -> list[Tensor]:
        """x: (S, (left+1)²·(right+1)², k), products of the components. Of each degree (S, paths, 2l + 1, k)."""
        rows = self._like(x) @ x
        sizes = [n * (2 * l + 1) for l, n in enumerate(self.paths)]
        parts = rows.split(sizes, 1)
        return [p.unflatten(1, (n, 2 * l + 1)) for l, (n, p) in enumerate(zip(self.paths, parts))]

    def of(self, x: Tensor, y: Tensor) -> list[Tensor]:
        """x (S, (left+1)², k) with y (S, (right+1)², k), channel by channel."""
        return self((x[:, :, None] * y[:, None]).flatten(1, 2))

    def _like(self, x: Tensor) -> Tensor:
        """The matrix in the dtype of x. It is no buffer of a module: rounded once to single precision and used in
        double, it would break the symmetry."""
        key = x.dtype, x.device
        if key not in self._cast:
            self._cast[key] = self.matrix.to(x)
        return self._cast[key]
