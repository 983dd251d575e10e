"""Several potentials as one: their mean, and how far they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nnp.evaluate import Evaluation, Sites, evaluate
from nnp.neighbors import Pairs
from nnp.potential import Graph, Potential
from nnp.state import State, Tensor


@dataclass(frozen=True)
class Spread:
    """Standard deviations over the members (with n − 1): energy of Σ w_i ε_i, eV; site_energies (S,) eV;
    forces (n, 3), for each component, eV/Å."""

    energy: float
    site_energies: Tensor
    forces: Tensor


class Committee:
    """ε_i = mean of the members' ε_i: a potential (nnp.potential.Potential) that also knows its spread.

    It knows the elements that all members know, and reaches as far as the farthest. ValueError for fewer
    than two members, and for members without a common element.
    """

    def __init__(self, potentials: Sequence[Potential]):
        self.members = tuple(potentials)
        if len(self.members) < 2:
            raise ValueError(f"a committee needs at least two potentials, not {len(self.members)}")
        common = set.intersection(*(set(p.numbers) for p in self.members))
        if not common:
            raise ValueError("the potentials of a committee have no element in common")
        self.numbers = tuple(sorted(common))
        self.cutoff = max(p.cutoff for p in self.members)
        self.receptive_field = max(p.receptive_field for p in self.members)

    def site_energies(self, graph: Graph) -> Tensor:
        """Mean ε_i, eV, (S,)."""
        return torch.stack([p.site_energies(graph) for p in self.members]).mean(0)

    def spread(self, state: State, pairs: Pairs, sites: Sites | None = None) -> Spread:
        """How far the members disagree; arguments as of nnp.evaluate.evaluate."""
        return self.evaluate(state, pairs, sites)[1]

    def evaluate(self, state: State, pairs: Pairs, sites: Sites | None = None) -> tuple[Evaluation, Spread]:
        """Mean and spread at the cost of one evaluation of each member."""
        found = [evaluate(p, state, pairs, sites) for p in self.members]
        energy = torch.tensor([f.energy for f in found], dtype=torch.float64)
        energies, forces, virial = (
            torch.stack([getattr(f, name) for f in found]) for name in ("site_energies", "forces", "virial")
        )
        mean = Evaluation(float(energy.mean()), energies.mean(0), forces.mean(0), virial.mean(0))
        return mean, Spread(float(energy.std()), energies.std(0), forces.std(0))
