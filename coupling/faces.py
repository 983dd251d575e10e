"""The energy of a cohesive surface on the mesh: an opening at every quadrature point of its two faces.

E(q) = Σ_p a_p Γ(δ_p),   δ = J q + gap,   ∇E = Jᵀ(a T),   ∇²E = Jᵀ diag(a D) J
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from petsc4py import PETSc

from coupling.term import Part

Array = np.ndarray


class Response(Protocol):
    """energy (m,) Γ, eV/Å²; traction (m, 3) ∂Γ/∂δ, eV/Å³; stiffness (m, 3, 3) ∂²Γ/∂δ², eV/Å⁴."""

    @property
    def energy(self) -> Array: ...
    @property
    def traction(self) -> Array: ...
    @property
    def stiffness(self) -> Array: ...


class Law(Protocol):
    """A potential of the opening (m, 3) Å: along the normal, positive apart, and along two tangents."""

    def __call__(self, opening: Array) -> Response: ...


@dataclass(frozen=True)
class Faces:
    """A cohesive surface as a part of the energy of a model.

    jump: J, (3 m_all × unknowns), rows 3 p … 3 p + 2 the normal and the two tangential openings at point p of this
    rank; area: (m,) of each of this rank's points, Å², times the share that the law carries there; law: Γ; points:
    (m, 3) where they are, Å; gap: (m, 3) opening at rest, Å.
    """

    jump: PETSc.Mat
    area: Array
    law: Law
    points: Array
    gap: Array
    part: Part = "interface"

    def opening(self, q: PETSc.Vec) -> Array:
        """δ (m, 3), Å, of this rank's points. Collective."""
        moved = self.jump.createVecLeft()
        self.jump.mult(q, moved)
        return moved.array_r.reshape(-1, 3) + self.gap

    def response(self, q: PETSc.Vec) -> Response:
        """Γ and its derivatives at this rank's points. Collective."""
        return self.law(self.opening(q))

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> float:
        at = self.response(q)
        force = self.jump.createVecLeft()
        force.array[:] = (self.area[:, None] * at.traction).ravel()
        self.jump.multTransposeAdd(force, g, g)
        return self.jump.comm.tompi4py().allreduce(float(self.area @ at.energy))

    def stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        moduli = self._moduli
        moduli.setValuesCSR(*self._pattern, (self.area[:, None, None] * self.response(q).stiffness).ravel())
        moduli.assemble()
        return moduli.ptap(self.jump)

    @cached_property
    def _pattern(self) -> tuple[Array, Array]:
        """Rows and columns of 3 × 3 blocks on the diagonal."""
        m, first = len(self.area), self.jump.getOwnershipRange()[0]
        columns = first + 3 * np.repeat(np.arange(m), 9) + np.tile(np.arange(3), 3 * m)
        return 3 * np.arange(3 * m + 1, dtype=PETSc.IntType), columns.astype(PETSc.IntType)

    @cached_property
    def _moduli(self) -> PETSc.Mat:
        size = self.jump.getSizes()[0]
        blank = np.zeros(len(self._pattern[1]))
        return PETSc.Mat().createAIJ((size, size), csr=(*self._pattern, blank), comm=self.jump.comm)
