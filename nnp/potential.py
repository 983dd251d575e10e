"""What every potential offers: site energies of a graph of atoms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from nnp.state import Tensor


@dataclass(frozen=True)
class Graph:
    """The environments of some sites.

    centre: (P,) index into the sites, ascending; neighbour: (P,) index of the neighbour among the sites, or
    −1 where it is not a site itself (strictly local potentials never look); vectors: (P, 3) r_ij, Å;
    numbers: (S,) atomic number of each site; neighbour_numbers: (P,) atomic number of each neighbour.
    Pairs beyond the cutoff may be present and must contribute nothing.
    """

    centre: Tensor
    neighbour: Tensor
    vectors: Tensor
    numbers: Tensor
    neighbour_numbers: Tensor

    @property
    def n_sites(self) -> int:
        return len(self.numbers)


@runtime_checkable
class Potential(Protocol):
    """A potential with site energies ε_i and a finite reach.

    cutoff: longest pair vector that matters, Å. receptive_field: distance beyond which an atom has no
    influence on ε_i, Å (equals the cutoff for a strictly local potential; layers × cutoff with message
    passing). numbers: the atomic numbers it was made for.
    """

    @property
    def cutoff(self) -> float: ...

    @property
    def receptive_field(self) -> float: ...

    @property
    def numbers(self) -> tuple[int, ...]: ...

    def site_energies(self, graph: Graph) -> Tensor:
        """ε_i in eV, (S,), differentiable at least twice in `graph.vectors`."""
        ...


@runtime_checkable
class HasGradients(Protocol):
    """A potential that knows derivatives of Σ w_i ε_i faster than automatic differentiation does.

    weights: (S,), or None for ones. Both give None where they do not serve (device, precision, species), and
    the caller differentiates. Their results cannot be differentiated further.
    """

    def gradients(self, graph: Graph, weights: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """ε_i in eV, (S,), and ∂(Σ w ε)/∂r of each pair, (P, 3) eV/Å."""
        ...

    def curvature(self, graph: Graph, weights: Tensor | None, directions: Tensor) -> Tensor | None:
        """Derivative of ∂(Σ w ε)/∂r, (P, 3), when the pair vectors move along `directions` (P, 3)."""
        ...


class UnknownSpeciesError(ValueError):
    """A species that the potential was not made for."""


def check_species(potential: Potential, numbers: Tensor) -> None:
    """Raise UnknownSpeciesError, naming element and atoms, when a species is not covered."""
    from ase.data import chemical_symbols

    known = torch.as_tensor(potential.numbers, device=numbers.device)
    bad = ~torch.isin(numbers, known)
    if bool(bad.any()):
        names = sorted({chemical_symbols[int(z)] for z in numbers[bad]})
        have = ", ".join(chemical_symbols[z] for z in potential.numbers)
        first = int(torch.nonzero(bad)[0, 0])
        raise UnknownSpeciesError(
            f"the potential knows {have}, not {', '.join(names)} ({int(bad.sum())} atoms, the first is {first})"
        )
