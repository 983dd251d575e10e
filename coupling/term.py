"""A further part of the energy of a model: a cohesive surface, a rigid indenter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from petsc4py import PETSc

from coupling.regions import Mask

Array = np.ndarray

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


@runtime_checkable
class Holding(Protocol):
    """A term that the preconditioner knows. One without this is left out there: bodies apart do not feel each other."""

    def convex_stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        """∂²E_k/∂q² at q without the directions in which it softens, so without negative eigenvalues, in the numbering
        of the unknowns. Collective."""
        ...


@runtime_checkable
class Driven(Protocol):
    """A term that the load moves: a rigid body at a depth."""

    def drive(self, value: float) -> None:
        """Go to where the load's value puts it."""
        ...


@runtime_checkable
class Historic(Protocol):
    """A term that remembers what has happened to it. points: (m, 3) of this rank, Å."""

    @property
    def points(self) -> Array: ...

    def commit(self, q: PETSc.Vec) -> None:
        """Take q for an equilibrium that was reached. Collective."""
        ...

    @property
    def memory(self) -> Array:
        """All that it remembers, one value for each of this rank's points, (m,)."""
        ...

    def remember(self, memory: Array) -> None: ...


def convex_part(h: Array) -> Array:
    """Of symmetric matrices (m, k, k), without their negative eigenvalues."""
    values, vectors = np.linalg.eigh(h)
    return np.einsum("mik,mk,mjk->mij", vectors, np.maximum(values, 0.0), vectors)


def commit(terms: Sequence[Term], q: PETSc.Vec) -> None:
    """Let all terms that have a history take q for an equilibrium. Collective."""
    for term in historic(terms):
        term.commit(q)


def historic(terms: Sequence[Term]) -> list[Historic]:
    """The terms that have a history."""
    return [term for term in terms if isinstance(term, Historic)]


def add_gradients(terms: Sequence[Term], q: PETSc.Vec, g: PETSc.Vec) -> dict[str, float]:
    """Adds the gradients of all terms to g; their energies by part. Collective."""
    energies: dict[str, float] = {}
    for term in terms:
        energies[term.part] = energies.get(term.part, 0.0) + term.energy_gradient(q, g)
    return energies
