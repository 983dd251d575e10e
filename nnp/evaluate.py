"""Energy, forces, virial and Hessian–vector products of Σ w_i ε_i by automatic differentiation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nnp.neighbors import Pairs
from nnp.potential import Graph, Potential
from nnp.state import State, Tensor


@dataclass(frozen=True)
class Evaluation:
    """energy: Σ w_i ε_i, eV. site_energies: (S,) ε_i of the evaluated sites, unweighted, eV. forces: (n, 3)
    −∂(Σ w ε)/∂y, eV/Å. virial: (3, 3) Σ_pairs r ⊗ ∂(Σ w ε)/∂r, eV: the derivative of the energy with
    respect to a homogeneous strain; divided by the volume it is the stress, tension positive."""

    energy: float
    site_energies: Tensor
    forces: Tensor
    virial: Tensor


@dataclass(frozen=True)
class Sites:
    """Which atoms are evaluated, and with what weight: index (S,) ascending, weight (S,)."""

    index: Tensor
    weight: Tensor

    @classmethod
    def weighted(cls, weights: Tensor) -> Sites:
        """The atoms whose weight is not zero."""
        index = torch.nonzero(weights)[:, 0]
        return cls(index, weights[index])


def evaluate(potential: Potential, state: State, pairs: Pairs, sites: Sites | None = None) -> Evaluation:
    """Evaluate Σ w_i ε_i and its first derivatives; w = 1 on every atom when `sites` is None."""
    kept, r, energies, total = _weighted(potential, state, pairs, sites)
    (dr,) = torch.autograd.grad(total, r)
    return Evaluation(
        energy=float(total.detach()),
        site_energies=energies.detach(),
        forces=_gather(dr, kept, len(state)).neg_(),
        virial=r.detach().T @ dr,
    )


def environments(state: State, pairs: Pairs, sites: Sites | None = None) -> tuple[Pairs, Graph]:
    """The pairs that start at a site, and the graph that they make."""
    device = pairs.i.device
    index = torch.arange(len(state), device=device) if sites is None else sites.index
    site_of = torch.full((len(state),), -1, dtype=torch.long, device=device)
    site_of[index] = torch.arange(len(index), device=device)
    kept = pairs if sites is None else pairs.select(site_of[pairs.i] >= 0)
    r, numbers = kept.vectors(state).detach(), state.numbers
    return kept, Graph(site_of[kept.i], site_of[kept.j], r, numbers[index], numbers[kept.j])


def hessian_vector(
    potential: Potential, state: State, pairs: Pairs, v: Tensor, sites: Sites | None = None
) -> Tensor:
    """H·v with H the Hessian of Σ w_i ε_i in the positions; v and the result (n, 3)."""
    kept, r, _, total = _weighted(potential, state, pairs, sites)
    (dr,) = torch.autograd.grad(total, r, create_graph=True)
    dv = v.index_select(0, kept.j) - v.index_select(0, kept.i)
    (h,) = torch.autograd.grad((dr * dv).sum(), r)
    return _gather(h, kept, len(state))


def _weighted(
    potential: Potential, state: State, pairs: Pairs, sites: Sites | None
) -> tuple[Pairs, Tensor, Tensor, Tensor]:
    """The sites' pairs, their vectors as leaves to differentiate by, the site energies and Σ w_i ε_i."""
    kept, graph = environments(state, pairs, sites)
    r = graph.vectors.requires_grad_(True)
    energies = potential.site_energies(graph)
    total = energies.sum() if sites is None else (sites.weight.to(energies.dtype) * energies).sum()
    return kept, r, energies, total


def _gather(dr: Tensor, pairs: Pairs, n: int) -> Tensor:
    """Derivative with respect to positions from that with respect to pair vectors."""
    out = torch.zeros((n, 3), dtype=dr.dtype, device=dr.device)
    return out.index_add_(0, pairs.j, dr).index_add_(0, pairs.i, dr, alpha=-1.0)
