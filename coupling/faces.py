"""The energy of a cohesive surface on the mesh.

    E(q) = Σ_p a_p s_p Γ(δ_p),   δ = J q + gap,   ∇E = Jᵀ(a s T),   ∇²E = Jᵀ diag(a s D) J

over quadrature points p of area a, of which the law carries the share s = 1 − χ w̄: where atoms of mean weight w̄ hold
the two sides together themselves, it does not act again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from petsc4py import PETSc

from coupling.cohesive.damage import Irreversible
from coupling.cohesive.law import Response
from coupling.layers import Layers
from coupling.regions import Mask
from coupling.term import Part, convex_part

Array = np.ndarray
Law = Callable[[Array], Response]
"""A potential of the opening (m, 3), see coupling.cohesive.law."""


@dataclass(frozen=True)
class Faces:
    """A cohesive surface as a part of the energy of a model.

    jump: J, (3 m_all × unknowns), rows 3 p … 3 p + 2 the normal and the two tangential openings at point p of this
    rank; area: (m,) of each of this rank's points, Å²; law: Γ; points: (m, 3) where they are, Å; share: (m,) of the
    area on which the law acts; gap: (m, 3) opening at rest, Å; chi: (m,) what atoms carry of the adhesion where they
    weigh one; layers: of atoms over which the mask is averaged, None: w at the points.
    """

    jump: PETSc.Mat
    area: Array
    law: Law
    points: Array
    share: Array
    gap: Array
    chi: Array
    layers: Layers | None = None
    part: Part = "interface"

    @classmethod
    def on(
        cls,
        jump: PETSc.Mat,
        area: Array,
        law: Law,
        points: Array,
        mask: Mask | None = None,
        gap: Array | None = None,
        chi: Array | None = None,
        layers: Layers | None = None,
    ) -> Faces:
        """With the share 1 − χ w of a mask (without one, the law acts everywhere); closed at rest, and χ = 1, where
        they are not given."""
        m = len(area)
        gap = np.zeros((m, 3)) if gap is None else gap
        chi = np.ones(m) if chi is None else chi
        faces = cls(jump, area, law, points, np.ones(m), gap, chi, layers)
        return faces if mask is None else faces.remasked(mask)

    def remasked(self, mask: Mask) -> Faces:
        """The same surface under another mask of the atoms."""
        return replace(self, share=1.0 - self.chi * self.weight(mask))

    def weight(self, mask: Mask) -> Array:
        """w̄ (m,) of the atoms at this rank's points."""
        return mask(self.points) if self.layers is None else self.layers.weight(mask, self.points)

    def opening(self, q: PETSc.Vec) -> Array:
        """δ (m, 3), Å, of this rank's points. Collective."""
        moved = self.jump.createVecLeft()
        self.jump.mult(q, moved)
        return moved.array_r.reshape(-1, 3) + self.gap

    def response(self, q: PETSc.Vec) -> Response:
        """Γ and its derivatives at this rank's points. Collective."""
        return self.law(self.opening(q))

    def commit(self, q: PETSc.Vec) -> None:
        """q is an equilibrium: what it has broken stays broken, where the law has a history. Collective."""
        opening = self.opening(q)
        if isinstance(self.law, Irreversible):
            self.law.commit(opening)

    @property
    def memory(self) -> Array:
        return self.law.largest.copy() if isinstance(self.law, Irreversible) else np.zeros(len(self.points))

    def remember(self, memory: Array) -> None:
        if isinstance(self.law, Irreversible):
            self.law.largest = memory.copy()

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> float:
        at, weight = self.response(q), self.area * self.share
        force = self.jump.createVecLeft()
        force.array[:] = (weight[:, None] * at.traction).ravel()
        self.jump.multTransposeAdd(force, g, g)
        return self.jump.comm.tompi4py().allreduce(float(weight @ at.energy))

    def stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        return self._assembled(self.response(q).stiffness)

    def convex_stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        return self._assembled(convex_part(self.response(q).stiffness))

    def _assembled(self, blocks: Array) -> PETSc.Mat:
        """Jᵀ diag(a s D) J for blocks D (m, 3, 3) of this rank's points."""
        moduli, weight = self._moduli, (self.area * self.share)[:, None, None]
        moduli.setValuesCSR(*self._pattern, (weight * blocks).ravel())
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
