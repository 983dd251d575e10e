"""Several potentials as one: their mean, and how far they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from nnp.evaluate import Evaluation, Sites, evaluate
from nnp.neighbors import Pairs
from nnp.potential import Graph, HasGradients, Potential
from nnp.state import State, Tensor


@dataclass(frozen=True)
class Calibration:
    """Factors that turn standard deviations over the members into half widths of intervals that hold 68.3 % of
    the true values, found on held-out data (nnp.calibration).

    energy, forces: around the mean of the members; first_energy, first_forces: around the first member.
    wide: half width of a 95 % interval over that of a 68.3 % one.
    """

    energy: float = 1.0
    forces: float = 1.0
    first_energy: float = 1.0
    first_forces: float = 1.0
    wide: float = 2.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0.0 <= float(value) < float("inf"):
                raise ValueError(f"{name} must be a number from 0 on, not {value}")


@dataclass(frozen=True)
class Spread:
    """Standard deviations over the members (with n − 1): energy of Σ w_i ε_i, eV; site_energies (S,) eV;
    forces (n, 3), for each component, eV/Å. Those of a calibrated committee's energy and forces are half
    widths of 68.3 % intervals around the mean; site energies, which no data hold, stay as they are."""

    energy: float
    site_energies: Tensor
    forces: Tensor


class Committee:
    """ε_i = mean of the members' ε_i: a potential (nnp.potential.Potential) that also knows its spread.

    It knows the elements that all members know, and reaches as far as the farthest. calibration: None where
    the spread is that of the members as they are; header: where the committee comes from, as in its file.
    ValueError for fewer than two members, and for members without a common element.
    """

    def __init__(
        self,
        potentials: Sequence[Potential],
        calibration: Calibration | None = None,
        header: dict[str, Any] | None = None,
    ):
        self.members = tuple(potentials)
        self.calibration, self.header = calibration, header or {}
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

    def gradients(self, graph: Graph, weights: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """nnp.potential.HasGradients, where all members are."""
        found = [p.gradients(graph, weights) if isinstance(p, HasGradients) else None for p in self.members]
        known = [f for f in found if f is not None]
        if len(known) < len(found):
            return None
        energies, slopes = (torch.stack(each).mean(0) for each in zip(*known))
        return energies, slopes

    def curvature(self, graph: Graph, weights: Tensor | None, directions: Tensor) -> Tensor | None:
        """nnp.potential.HasGradients, where all members are."""
        members = [p for p in self.members if isinstance(p, HasGradients)]
        found = [p.curvature(graph, weights, directions) for p in members]
        known = [f for f in found if f is not None]
        return torch.stack(known).mean(0) if len(known) == len(self.members) else None

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
        factor = self.calibration or Calibration()
        return mean, Spread(
            factor.energy * float(energy.std()), energies.std(0), factor.forces * forces.std(0)
        )


def driving(potential: Potential, choice: str | None = None) -> tuple[Potential, Committee | None]:
    """What moves the atoms, and the committee that is asked for its spread: of a committee its first member
    (choice "spread", or None), its mean ("mean"), or its first member and nothing is asked ("off")."""
    if not isinstance(potential, Committee):
        return potential, None
    if choice == "mean":
        return potential, potential
    return potential.members[0], None if choice == "off" else potential
