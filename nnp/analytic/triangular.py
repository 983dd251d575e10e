"""The nearest-neighbour model of the flat triangular crystal on which blended coupling was first measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import torch
from ase.data import atomic_numbers

from nnp.analytic.reach import pairs_within, sum_at_sites, switch
from nnp.potential import Graph
from nnp.state import Tensor


@dataclass(frozen=True)
class Triangular2D:
    """Morse bonds plus an embedding, nearest neighbours only (Luskin, Ortner & Van Koten,
    10.1016/j.cma.2012.09.007; Ortner & Zhang, arXiv:1407.0053), lattice spacing 1:

        ε_i = ½ Σ_j [e^{-2a(r-1)} − 2e^{-a(r-1)}] + c [(t − t0)² + (t − t0)⁴],
        t = Σ_j e^{-br},   t0 = 6 e^{-0.9b}.

    The sums run over the nearest neighbours of the crystal. Distance picks them: a quintic step goes from
    1 at `switch_start` to 0 at `cutoff`, both between the first shell (1) and the second (√3), so the energy
    is that of the model exactly as long as no bond is longer than the one and no second neighbour nearer
    than the other.
    """

    symbol: str = "X"
    a: float = 4.0
    b: float = 3.0
    c: float = 10.0
    switch_start: float = 1.35
    cutoff: float = 1.5

    def __post_init__(self) -> None:
        if self.symbol not in atomic_numbers:
            raise ValueError(f"unknown element '{self.symbol}'")
        if not 0.0 < self.switch_start < self.cutoff:
            raise ValueError("the triangular model needs 0 < switch_start < cutoff")

    @property
    def receptive_field(self) -> float:
        return self.cutoff

    @property
    def numbers(self) -> tuple[int, ...]:
        return (atomic_numbers[self.symbol],)

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i, (S,), in the model's unit of energy."""
        centre, _, r = pairs_within(graph, self.cutoff)
        s = switch(r, self.switch_start, self.cutoff)
        morse = torch.exp(-self.a * (r - 1.0))
        pair, density = 0.5 * (morse * morse - 2.0 * morse) * s, torch.exp(-self.b * r) * s
        bonds, t = sum_at_sites(graph, centre, torch.stack([pair, density], 1)).unbind(1)
        excess = (t - 6.0 * exp(-0.9 * self.b)).square()
        return bonds + self.c * (excess + excess.square())
