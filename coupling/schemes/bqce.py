"""Blended quasi-continuum energy: the composite energy as it is.

M. Luskin, C. Ortner, B. Van Koten, Comput. Methods Appl. Mech. Eng. 253, 160 (2013),
doi:10.1016/j.cma.2012.09.007. Its ghost force decreases with the width of the blend zone but is not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from petsc4py import PETSc

from coupling.model import Energy, Model
from coupling.schemes.base import Reference
from coupling.tangent import Tangent, energy_tangent


@dataclass(frozen=True)
class Bqce:
    """E(q) of the model; `reference` is not used."""

    model: Model
    reference: Reference
    has_energy: ClassVar[bool] = True

    def residual(self, q: PETSc.Vec, g: PETSc.Vec) -> None:
        self.energy_gradient(q, g)

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> Energy:
        return self.model.energy_gradient(q, g)

    def tangent(self, q: PETSc.Vec) -> Tangent:
        return energy_tangent(self.model, q)
