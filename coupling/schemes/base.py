"""The interface of a coupling scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from petsc4py import PETSc

from coupling.cut import Cut
from coupling.model import Energy, Model
from coupling.tangent import Tangent

Array = np.ndarray


@dataclass(frozen=True)
class Reference:
    """The state in which a scheme must be free of spurious forces: the crystal under the displacement
    gradient `gradient` (3, 3), cut where the crack has removed bonds."""

    gradient: Array = field(default_factory=lambda: np.zeros((3, 3)))
    cut: Cut | None = None


class Scheme(Protocol):
    """A coupled model as a solver sees it.

    model: with the weights that the scheme uses. has_energy: whether the residual is the gradient of an energy.
    """

    @property
    def model(self) -> Model: ...

    @property
    def has_energy(self) -> bool: ...

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        """Minus the forces at q, prescribed unknowns included, written to g. Collective."""
        ...

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        """The residual, and the energy at q whose gradient it is; without an energy that of the blended model,
        for the record. Collective."""
        ...


@runtime_checkable
class Differentiable(Scheme, Protocol):
    """A scheme whose residual has a derivative, so that Newton's method can be used."""

    def tangent(self, q: PETSc.Vec) -> Tangent:
        """∂R/∂q at q, as a product. Collective."""
        ...


@runtime_checkable
class Alternating(Protocol):
    """A scheme whose parts are relaxed in turn, each with the unknowns of the others fixed in its model."""

    @property
    def model(self) -> Model: ...

    @property
    def parts(self) -> Sequence[Scheme]: ...

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None: ...
    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy: ...
