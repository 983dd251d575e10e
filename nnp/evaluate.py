"""Energy, forces, virial and Hessian–vector products of Σ w_i ε_i.

A potential that knows its derivatives (nnp.potential.HasGradients) gives them; others are differentiated
automatically. Sites are taken in parts, so that memory is bounded however many atoms there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from nnp.field import completed
from nnp.native.pairs import differences, gather, pair_vectors
from nnp.neighbors import Pairs
from nnp.potential import Graph, HasGradients, Potential
from nnp.state import State, Tensor

PAIRS_AT_ONCE = 250_000
"""Pairs that are evaluated in one go: about a gigabyte when the shipped model is differentiated automatically."""


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
    """Evaluate Σ w_i ε_i and its first derivatives; w = 1 on every atom when `sites` is None. The total is
    summed in double precision."""
    dtype, device = state.positions.dtype, state.positions.device
    energies, total = [], 0.0
    forces = torch.zeros((len(state), 3), dtype=dtype, device=device)
    virial = torch.zeros((3, 3), dtype=torch.float64, device=device)
    heard = _with_senders(potential, state, pairs, sites)
    for part in _parts(potential, state, pairs, heard):
        each, dr = _gradients(potential, part)
        energies.append(each)
        weighted = each.double() if part.weights is None else part.weights.double() * each.double()
        total += float(weighted.sum())
        virial += part.graph.vectors.T @ dr
        gather(forces, dr, part.pairs)
    asked = torch.cat(energies)
    if sites is not None and heard is not None and len(heard.index) > len(sites.index):
        asked = asked[torch.searchsorted(heard.index, sites.index)]
    return Evaluation(total, asked, forces.neg_(), virial.to(dtype))


def hessian_vector(
    potential: Potential, state: State, pairs: Pairs, v: Tensor, sites: Sites | None = None
) -> Tensor:
    """H·v with H the Hessian of Σ w_i ε_i in the positions; v and the result (n, 3)."""
    out = torch.zeros_like(state.positions)
    heard = _with_senders(potential, state, pairs, sites)
    for part in _parts(potential, state, pairs, heard):
        gather(out, _curvature(potential, part, differences(part.pairs, v)), part.pairs)
    return out


class Curvature:
    """v → H·v at one state, (n, 3) → (n, 3), as `hessian_vector`, for many products.

    Where the derivatives are automatic the first ones are formed once and kept, so that a product costs one more
    backward pass.
    """

    def __init__(self, potential: Potential, state: State, pairs: Pairs, sites: Sites | None = None):
        self._n = len(state)
        parts = _parts(potential, state, pairs, _with_senders(potential, state, pairs, sites))
        self._products = [(part.pairs, _product(potential, part)) for part in parts]

    def __call__(self, v: Tensor) -> Tensor:
        out = v.new_zeros(self._n, 3)
        for pairs, product in self._products:
            gather(out, product(differences(pairs, v)), pairs)
        return out


def environments(state: State, pairs: Pairs, sites: Sites | None = None) -> tuple[Pairs, Graph]:
    """The pairs that start at a site, and the graph that they make."""
    chosen = _Chosen.of(state, pairs, sites)
    return chosen.pairs, chosen.graph(state)


def _with_senders(potential: Potential, state: State, pairs: Pairs, sites: Sites | None) -> Sites | None:
    """The sites and, without weight, those that send them messages."""
    if sites is None:
        return None
    index = completed(potential, sites.index, pairs, state)
    if len(index) == len(sites.index):
        return sites
    weight = sites.weight.new_zeros(len(index))
    weight[torch.searchsorted(index, sites.index)] = sites.weight
    return Sites(index, weight)


@dataclass(frozen=True)
class _Chosen:
    """Some sites: index (S,), the pairs that start at them, (P,), and of each pair the place of its centre and
    of its neighbour among the sites, −1 for a neighbour that is none."""

    index: Tensor
    pairs: Pairs
    centre: Tensor
    neighbour: Tensor

    @classmethod
    def of(cls, state: State, pairs: Pairs, sites: Sites | None) -> _Chosen:
        if sites is None:
            return cls(torch.arange(len(state), device=pairs.i.device), pairs, pairs.i, pairs.j)
        place = torch.full((len(state),), -1, dtype=torch.long, device=pairs.i.device)
        place[sites.index] = torch.arange(len(sites.index), device=pairs.i.device)
        keep = place[pairs.i] >= 0
        pairs = pairs if bool(keep.all()) else pairs.select(keep)
        return cls(sites.index, pairs, place[pairs.i], place[pairs.j])

    def part(self, rows: slice, span: slice) -> _Chosen:
        """Consecutive sites and their pairs, for potentials that never ask where a neighbour is."""
        neighbour = torch.full_like(self.neighbour[span], -1)
        return _Chosen(self.index[rows], self.pairs[span], self.centre[span] - rows.start, neighbour)

    def graph(self, state: State) -> Graph:
        numbers, r = state.numbers, pair_vectors(self.pairs, state)
        return Graph(self.centre, self.neighbour, r, numbers[self.index], numbers[self.pairs.j])


@dataclass(frozen=True)
class _Part:
    """Sites that are evaluated together: their pairs, graph, and weights (None for ones)."""

    pairs: Pairs
    graph: Graph
    weights: Tensor | None


def _parts(potential: Potential, state: State, pairs: Pairs, sites: Sites | None) -> Iterator[_Part]:
    """All sites in parts of a limited number of pairs; whole where sites hear of each other (message passing)."""
    chosen = _Chosen.of(state, pairs, sites)
    spans = _spans(potential, chosen.centre, len(chosen.index))
    for rows, span in spans:
        some = chosen if len(spans) == 1 else chosen.part(rows, span)
        graph = some.graph(state)
        weights = None if sites is None else sites.weight[rows].to(graph.vectors.dtype)
        yield _Part(some.pairs, graph, weights)


def _spans(potential: Potential, centre: Tensor, n_sites: int) -> list[tuple[slice, slice]]:
    """Ranges of sites, and of their pairs, that are evaluated together."""
    local = potential.receptive_field <= potential.cutoff * (1.0 + 1e-12)
    count = -(-len(centre) // PAIRS_AT_ONCE) if local else 1
    if count <= 1:
        return [(slice(0, n_sites), slice(0, len(centre)))]
    at = [len(centre) * k // count for k in range(1, count)]
    edges = [0, *sorted(set(centre[at].tolist()) - {0}), n_sites]
    ends = torch.searchsorted(centre, torch.tensor(edges, device=centre.device)).tolist()
    return [(slice(a, b), slice(p, q)) for a, b, p, q in zip(edges, edges[1:], ends, ends[1:])]


def _gradients(potential: Potential, part: _Part) -> tuple[Tensor, Tensor]:
    """Site energies and ∂(Σ w ε)/∂r of each pair."""
    if isinstance(potential, HasGradients):
        found = potential.gradients(part.graph, part.weights)
        if found is not None:
            return found
    r, energies, total = _weighted(potential, part)
    (dr,) = torch.autograd.grad(total, r)
    return energies.detach(), dr


def _curvature(potential: Potential, part: _Part, dv: Tensor) -> Tensor:
    """Derivative of ∂(Σ w ε)/∂r along dv."""
    if isinstance(potential, HasGradients):
        found = potential.curvature(part.graph, part.weights, dv)
        if found is not None:
            return found
    r, _, total = _weighted(potential, part)
    (dr,) = torch.autograd.grad(total, r, create_graph=True)
    (h,) = torch.autograd.grad((dr * dv).sum(), r)
    return h


def _product(potential: Potential, part: _Part) -> Callable[[Tensor], Tensor]:
    """dv → derivative of ∂(Σ w ε)/∂r along dv."""
    if isinstance(potential, HasGradients) and potential.gradients(part.graph, part.weights) is not None:
        return lambda dv: _curvature(potential, part, dv)
    r, _, total = _weighted(potential, part)
    (dr,) = torch.autograd.grad(total, r, create_graph=True)
    return lambda dv: torch.autograd.grad(dr, r, grad_outputs=dv, retain_graph=True)[0]


def _weighted(potential: Potential, part: _Part) -> tuple[Tensor, Tensor, Tensor]:
    """The pair vectors as leaves to differentiate by, the site energies and Σ w_i ε_i."""
    r = part.graph.vectors.detach().requires_grad_(True)
    energies = potential.site_energies(replace(part.graph, vectors=r))
    return r, energies, (energies if part.weights is None else part.weights * energies).sum()
