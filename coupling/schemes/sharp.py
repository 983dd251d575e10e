"""The composite energy under a mask that jumps from 1 to 0 in the middle of the blend zone: the bad example.

Bonds across the jump are counted by halves on one side only, which leaves the ghost forces of the first
quasi-continuum methods (V. B. Shenoy et al., J. Mech. Phys. Solids 47, 611, 1999) that no width reduces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from petsc4py import PETSc

from coupling.model import Energy, Model
from coupling.remask import remasked
from coupling.schemes.base import Reference
from coupling.tangent import Tangent, energy_tangent


@dataclass
class Sharp:
    """E(q) of the model under the step mask; `reference` is not used."""

    model: Model
    reference: Reference
    has_energy: ClassVar[bool] = True

    def __post_init__(self) -> None:
        assert self.model.mask is not None
        self.model = remasked(self.model, replace(self.model.mask, step="sharp"))

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        self.energy_gradient(q, g)

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        return self.model.energy_gradient(q, g)

    def tangent(self, q: PETSc.Vec) -> Tangent:
        return energy_tangent(self.model, q)
