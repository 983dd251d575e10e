"""A further part of the energy of a model: a cohesive surface, a rigid indenter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from petsc4py import PETSc

from coupling.regions import Mask

Part = Literal["interface", "external"]


class Term(Protocol):
    """part: under which name of coupling.model.Energy its energy is reported."""

    @property
    def part(self) -> Part: ...

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> float:
        """E_k at q, eV, summed over all ranks; its gradient is added to g. Collective."""
        ...

    def stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        """∂²E_k/∂q² at q, in the numbering of the unknowns. Collective."""
        ...


@runtime_checkable
class Masked(Protocol):
    """A term that acts where atoms do not."""

    def remasked(self, mask: Mask) -> Term:
        """The same under another mask of the atoms."""
        ...


def add_gradients(terms: Sequence[Term], q: PETSc.Vec, g: PETSc.Vec) -> dict[str, float]:
    """Adds the gradients of all terms to g; their energies by part. Collective."""
    energies: dict[str, float] = {}
    for term in terms:
        energies[term.part] = energies.get(term.part, 0.0) + term.energy_gradient(q, g)
    return energies
