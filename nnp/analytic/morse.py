"""Morse pairs, ended smoothly."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from ase.data import atomic_numbers

from nnp.analytic.reach import pairs_within, sum_at_sites, switch
from nnp.potential import Graph
from nnp.state import Tensor


@dataclass(frozen=True)
class Morse:
    """ε_i = ½ Σ_j D [e^{-2α(r-r0)} − 2e^{-α(r-r0)}] s(r), s a quintic step from 1 at `switch_start`·cutoff to 0
    at the cutoff: twice continuously differentiable.

    depth: D, eV; alpha: 1/Å; r0: Å; cutoff: Å (2.7 r0 unless given). Defaults: copper of Girifalco & Weizer
    (10.1103/PhysRev.114.687), who sum over all pairs: a longer cutoff comes closer to their constants.
    """

    symbol: str = "Cu"
    depth: float = 0.3429
    alpha: float = 1.3588
    r0: float = 2.866
    cutoff: float = 0.0
    switch_start: float = 0.7

    def __post_init__(self) -> None:
        if self.symbol not in atomic_numbers:
            raise ValueError(f"unknown element '{self.symbol}'")
        if not min(self.depth, self.alpha, self.r0) > 0.0:
            raise ValueError("depth, alpha and r0 of the Morse potential must be positive")
        if not 0.0 < self.switch_start < 1.0:
            raise ValueError("switch_start is a fraction of the cutoff, between 0 and 1")
        if self.cutoff == 0.0:
            object.__setattr__(self, "cutoff", 2.7 * self.r0)
        if not self.cutoff > self.r0:
            raise ValueError("the cutoff of the Morse potential must be longer than r0")

    @property
    def receptive_field(self) -> float:
        return self.cutoff

    @property
    def numbers(self) -> tuple[int, ...]:
        return (atomic_numbers[self.symbol],)

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i, eV, (S,)."""
        centre, _, r = pairs_within(graph, self.cutoff)
        bond = torch.exp(-self.alpha * (r - self.r0))
        pair = self.depth * bond * (bond - 2.0) * switch(r, self.switch_start * self.cutoff, self.cutoff)
        return sum_at_sites(graph, centre, 0.5 * pair)
