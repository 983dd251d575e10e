"""Stillinger–Weber: pairs plus an angular penalty, the classical model of tetrahedral solids."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from ase.data import atomic_numbers

from nnp.analytic.reach import pairs_within, sum_at_sites
from nnp.potential import Graph
from nnp.state import Tensor

# exp(1/(r/σ − a)) underflows to exactly zero in double precision closer to the cutoff than this (in σ), so
# leaving those pairs out changes nothing and keeps every derivative finite.
_GUARD = 1e-3


@dataclass(frozen=True)
class StillingerWeber:
    """ε_i = ½ Σ_j φ(r_ij) + Σ_{j<k} λε f_ij f_ik (cos θ_jik + cos0)²  (10.1103/PhysRevB.31.5262), with

    φ(r) = Aε [B x^{-p} − x^{-q}] exp(1/(x − a)),   f = exp(γ/(x − a)),   x = r/σ,   zero for x ≥ a.

    epsilon: eV; sigma: Å; `strength` is λ; cos0 = 1/3 is the tetrahedral angle. Defaults: silicon.

    The angular term is a polynomial in cos θ, so the sum over j, k factorises into moments of the
    neighbours, n = Σ f, m = Σ f u, M = Σ f u⊗u with u = r/|r|:
        Σ_{j<k} f_j f_k (cos θ + c)² = ½ [M:M + 2c m·m + c² n² − (1 + c)² Σ f²],
    the same number without a list of triplets.
    """

    symbol: str = "Si"
    epsilon: float = 2.1683
    sigma: float = 2.0951
    A: float = 7.049556277
    B: float = 0.6022245584
    p: float = 4.0
    q: float = 0.0
    a: float = 1.80
    strength: float = 21.0
    gamma: float = 1.20
    cos0: float = 1.0 / 3.0

    def __post_init__(self) -> None:
        if self.symbol not in atomic_numbers:
            raise ValueError(f"unknown element '{self.symbol}'")
        for name in ("epsilon", "sigma", "a", "gamma"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} of the Stillinger–Weber potential must be positive")

    @property
    def cutoff(self) -> float:
        """a σ, Å."""
        return self.a * self.sigma

    @property
    def receptive_field(self) -> float:
        return self.cutoff

    @property
    def numbers(self) -> tuple[int, ...]:
        return (atomic_numbers[self.symbol],)

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i, eV, (S,)."""
        centre, vectors, r = pairs_within(graph, (self.a - _GUARD) * self.sigma)
        x = r / self.sigma
        w = 1.0 / (x - self.a)
        f = torch.exp(self.gamma * w)
        pair = self.A * self.epsilon * (self.B * x**-self.p - x**-self.q) * torch.exp(w)
        k = self.strength * self.epsilon
        alone = 0.5 * pair - 0.5 * k * (1.0 + self.cos0) ** 2 * f * f
        moments = sum_at_sites(graph, centre, _features(alone, f, vectors / r[:, None]))
        zeroth, first, diagonal, mixed = moments.split((2, 3, 3, 3), dim=1)
        e, n = zeroth.unbind(1)
        second = diagonal.square().sum(1) + 2.0 * mixed.square().sum(1)
        return e + 0.5 * k * (second + 2.0 * self.cos0 * first.square().sum(1) + (self.cos0 * n) ** 2)


def _features(alone: Tensor, f: Tensor, u: Tensor) -> Tensor:
    """Per pair: its own energy, f, f u, f u_k u_k, f u_x u_y, f u_y u_z, f u_z u_x: (P, 11)."""
    fu = f[:, None] * u
    return torch.cat([alone[:, None], f[:, None], fu, fu * u, fu * u.roll(-1, 1)], dim=1)
