"""The Behler–Parrinello form as a family of potentials to train: symmetry functions under the same networks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from nnp.behler.chunks import streamed
from nnp.behler.cutoffs import Cutoff
from nnp.behler.symmetry import Angular, Radial, SymmetryFunctions
from nnp.families import Family
from nnp.featured import FeaturedPotential
from nnp.potential import Graph
from nnp.ranges import COUNT, REACH, within
from nnp.state import Tensor

_KEEP = 1024
"""Up to so many sites intermediate results are kept; beyond, and where nothing is trained, memory comes first."""
_CHUNK = 256
STEEP = (0.0, 1e4)
"""Of an η, Å⁻²."""


@dataclass(frozen=True)
class Architecture:
    """The symmetry functions (see nnp.behler.symmetry), the same for every element, and the networks.

    type: the family, always "behler". cutoff: reach, Å. radial_etas: η of the G2 about the atom itself, Å⁻²;
    shells: shifts of further G2, Å. shell_eta: η of these, Å⁻². angular_etas, zetas, lambdas: every combination
    of them is one G4. wide: G5 in place of G4. Each function is there for every neighbouring element, or pair of them.
    hidden: widths of the hidden layers. repulsion: where the short-range repulsion has ended, Å (0: none).
    """

    type: str = "behler"
    cutoff: float = 5.0
    radial_etas: tuple[float, ...] = (0.02, 0.1, 0.3, 0.8)
    shells: tuple[float, ...] = (2.0, 2.5, 3.0, 3.5, 4.0, 4.5)
    shell_eta: float = 4.0
    angular_etas: tuple[float, ...] = (0.01, 0.08)
    zetas: tuple[float, ...] = (1.0, 2.0, 4.0, 16.0)
    lambdas: tuple[float, ...] = (-1.0, 1.0)
    wide: bool = False
    hidden: tuple[int, ...] = (24, 24)
    repulsion: float = 1.8

    def __post_init__(self) -> None:
        within(self, cutoff=REACH, hidden=COUNT, shells=(0.0, REACH[1]))
        within(self, radial_etas=STEEP, shell_eta=STEEP, angular_etas=STEEP, zetas=(1.0, 1e4))
        if not 0.0 <= self.repulsion < self.cutoff:
            raise ValueError(f"repulsion must lie between 0 and the cutoff, not {self.repulsion}")
        if not self.radial_etas and not self.shells:
            raise ValueError(
                "radial_etas and shells are both empty: there must be a radial symmetry function"
            )
        self.functions((1,))  # wrong zetas and lambdas are refused here

    def functions(self, numbers: Sequence[int]) -> tuple[Radial | Angular, ...]:
        """The symmetry functions among the elements `numbers`."""
        windows = [(eta, 0.0) for eta in self.radial_etas] + [(self.shell_eta, s) for s in self.shells]
        radial = [Radial(z, *window, self.cutoff) for z in numbers for window in windows]
        pairs = itertools.combinations_with_replacement(sorted(numbers), 2)
        kinds = itertools.product(pairs, self.angular_etas, self.zetas, self.lambdas)
        angular = [
            Angular(pair, eta, 0.0, zeta, lam, self.cutoff, self.wide) for pair, eta, zeta, lam in kinds
        ]
        return (*radial, *angular)


class BehlerNetwork(FeaturedPotential):
    """Behler & Parrinello, Phys. Rev. Lett. 98, 146401 (2007), doi:10.1103/PhysRevLett.98.146401. Strictly
    local. The cutoff function ends with two continuous derivatives."""

    def __init__(
        self, architecture: Architecture, numbers: Sequence[int], header: dict[str, Any] | None = None
    ):
        functions = SymmetryFunctions(architecture.functions(sorted(numbers)), Cutoff("poly2"))
        super().__init__(architecture, numbers, header, len(functions.functions))
        self.functions = functions

    def features(self, graph: Graph, r: Tensor) -> Tensor:
        return self.functions(graph)

    def forward(self, graph: Graph) -> Tensor:
        frozen = not any(p.requires_grad for p in self.parameters())
        if graph.n_sites > _KEEP and frozen and graph.vectors.requires_grad:
            # what runs later, in the backward pass, must see the weights as they are now
            weights = {**dict(self.named_parameters()), **dict(self.named_buffers())}
            return streamed(lambda part: torch.func.functional_call(self, weights, (part,)), graph, _CHUNK)
        return super().forward(graph)


FAMILY = Family(Architecture, BehlerNetwork)
