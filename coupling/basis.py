"""The basis of the crystal relaxed at the local strain: slaved atoms beyond the linear internal shift.

    y_i = X_i + (T q)_i + s_p(F_i) − Λ_p : sym(F_i − 1),      F_i = 1 + ∇u(X_i)

s_p(F) is where the Cauchy–Born law has sublattice p. T holds the linear part, which is exact to first order in the
strain only; with the rest a uniformly strained crystal with a basis leaves no force on any atom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from petsc4py import PETSc

from nnp.homogeneous import HomogeneousCrystal

Array = np.ndarray


@dataclass
class RelaxedBasis:
    """crystal: whose basis follows; shift: Λ (b, 3, 3, 3); sublattice: (n,) of this rank's atoms; slaved: (k,) those of
    them that follow the mesh; slopes: ∂u/∂x, ∂u/∂y, ∂u/∂z at all of them as matrices on the unknowns."""

    crystal: HomogeneousCrystal
    shift: Array
    sublattice: Array
    slaved: Array
    slopes: tuple[PETSc.Mat, ...]
    _last: Array | None = field(default=None, repr=False)

    def beyond(self, q: PETSc.Vec) -> Array:
        """What comes to T q on this rank's atoms, (n, 3) Å. Collective."""
        moved, gradients = np.zeros((len(self.sublattice), 3)), self._gradients(q)
        found = self._shifts(gradients)[np.arange(len(gradients)), self.sublattice[self.slaved]]
        moved[self.slaved] = found - self._linear(gradients)
        return moved

    def slope(self, q: PETSc.Vec) -> Callable[[PETSc.Vec], Array]:
        """v → the derivative of `beyond` at q along v, (n, 3). The function is collective."""
        gradients = self._gradients(q)
        exact = self.crystal.shift_slope(np.eye(3) + gradients, self._shifts(gradients))
        mine = exact[np.arange(len(exact)), self.sublattice[self.slaved]]

        def along(v: PETSc.Vec) -> Array:
            moved, change = np.zeros((len(self.sublattice), 3)), self._gradients(v)
            moved[self.slaved] = np.einsum("icml,iml->ic", mine, change) - self._linear(change)
            return moved

        return along

    def at(self, gradient: Array, sublattice: Array) -> Array:
        """s_p of atoms with displacement gradients (m, 3, 3) and sublattices (m,), (m, 3) Å."""
        found = self.crystal.evaluate(np.eye(3) + gradient).shifts
        return found[np.arange(len(found)), sublattice]

    def _gradients(self, q: PETSc.Vec) -> Array:
        """∇u at the slaved atoms, (k, 3, 3)."""
        columns = []
        for matrix in self.slopes:
            column = matrix.createVecLeft()
            matrix.mult(q, column)
            columns.append(column.array_r.reshape(-1, 3)[self.slaved].copy())
        return np.stack(columns, axis=-1)

    def _shifts(self, gradient: Array) -> Array:
        """Of all sublattices, (k, b, 3); the last ones are the start, which saves most steps."""
        response = self.crystal.evaluate(np.eye(3) + gradient, self._last)
        self._last = response.shifts if np.isfinite(response.energy).all() else None
        return response.shifts

    def _linear(self, gradient: Array) -> Array:
        return np.einsum("icml,iml->ic", self.shift[self.sublattice[self.slaved]], gradient)
