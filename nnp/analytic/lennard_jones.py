"""Lennard-Jones, ended smoothly."""

from __future__ import annotations

from dataclasses import dataclass

from ase.data import atomic_numbers

from nnp.analytic.reach import pairs_within, sum_at_sites, switch
from nnp.potential import Graph
from nnp.state import Tensor


@dataclass(frozen=True)
class LennardJones:
    """ε_i = ½ Σ_j 4ε [(σ/r)¹² − (σ/r)⁶] s(r), s a quintic step from 1 at `switch_start`·cutoff to 0 at the
    cutoff: twice continuously differentiable, and unchanged up to where the step begins.

    epsilon: eV; sigma: Å; cutoff: Å (2.5 σ unless given). Defaults: argon.
    """

    symbol: str = "Ar"
    epsilon: float = 0.0104
    sigma: float = 3.40
    cutoff: float = 0.0
    switch_start: float = 0.8

    def __post_init__(self) -> None:
        if self.symbol not in atomic_numbers:
            raise ValueError(f"unknown element '{self.symbol}'")
        if not (self.epsilon > 0.0 and self.sigma > 0.0):
            raise ValueError("epsilon and sigma of the Lennard-Jones potential must be positive")
        if not 0.0 < self.switch_start < 1.0:
            raise ValueError("switch_start is a fraction of the cutoff, between 0 and 1")
        if self.cutoff == 0.0:
            object.__setattr__(self, "cutoff", 2.5 * self.sigma)
        if not self.cutoff > self.sigma:
            raise ValueError("the cutoff of the Lennard-Jones potential must be longer than sigma")

    @property
    def receptive_field(self) -> float:
        return self.cutoff

    @property
    def numbers(self) -> tuple[int, ...]:
        return (atomic_numbers[self.symbol],)

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i, eV, (S,)."""
        centre, _, r = pairs_within(graph, self.cutoff)
        six = (self.sigma / r) ** 6
        pair = (
            4.0 * self.epsilon * six * (six - 1.0) * switch(r, self.switch_start * self.cutoff, self.cutoff)
        )
        return sum_at_sites(graph, centre, 0.5 * pair)
