"""The interface of a coupling scheme."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from petsc4py import PETSc

from coupling.cut import Cut
from coupling.model import Energy, Model

Array = np.ndarray


@dataclass(frozen=True)
class Reference:
    """The state in which a scheme must be free of spurious forces: the crystal under the displacement
    gradient `gradient` (3, 3), cut where the crack has removed bonds."""

    gradient: Array = field(default_factory=lambda: np.zeros((3, 3)))
    cut: Cut | None = None


class Scheme(Protocol):
    """Energy and gradient of a coupled model as a solver sees them."""

    @property
    def model(self) -> Model: ...

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        """Energy at q; the gradient, prescribed unknowns included, is written to g. Collective."""
        ...
