"""Energy, gradient and tangent of a bulk material whose law is any function of the deformation gradient.

E = t Σ_T φ_T ∫_T W(F) dx,   F = I + ∇u,   δE = t Σ_T φ_T ∫_T P : ∇v dx,   δ²E = t Σ_T φ_T ∫_T ∇v : A : ∇w dx

The law is evaluated for all quadrature points at once; its results enter the forms as values on a quadrature
element. The displacement has three components on a mesh of either dimension: in a plane mesh u = u(x, y), so
the third column of ∇u is zero.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import ufl
from dolfinx import fem
from petsc4py import PETSc

from multiscale.continuum import compat
from multiscale.continuum.laws import Bounded, Law

Array = np.ndarray


class Assembly:
    """Integrals over the owned cells. t: thickness; φ: (nc,) what the continuum carries of each cell."""

    def __init__(self, space: Any, law: Law, degree: int, thickness: float, volumes: Array):
        self.space, self.law, self.mesh = space, law, space.mesh
        self.thickness, self.volumes = thickness, volumes
        self.dim = self.mesh.topology.dim
        self.cells = np.arange(len(volumes), dtype=np.int32)
        self.fraction = np.ones(len(volumes))
        self.u, self.residual = fem.Function(space), fem.Function(space)
        order = 2 * (degree - 1) if degree > 1 else 1
        points, weights = compat.quadrature_rule(self.mesh, order)
        self.weights = weights / weights.sum()
        self._gradient = compat.expression(ufl.grad(self.u), points)
        d = 3 * self.dim
        self.stress = fem.Function(compat.quadrature_space(self.mesh, order, (3, self.dim)))
        self.moduli = fem.Function(compat.quadrature_space(self.mesh, order, (d, d)))
        self._force_form, self._stiffness_form = self._forms(order)

    def _forms(self, order: int) -> tuple[Any, Any]:
        metadata = {"quadrature_degree": order, "quadrature_scheme": "default"}
        dx = ufl.Measure("dx", domain=self.mesh, metadata=metadata)
        v, w = ufl.TestFunction(self.space), ufl.TrialFunction(self.space)
        flat = [(i, j) for i in range(3) for j in range(self.dim)]
        a, b = (ufl.as_vector([ufl.grad(f)[i, j] for i, j in flat]) for f in (v, w))
        force = ufl.inner(self.stress, ufl.grad(v)) * dx
        return compat.form(force), compat.form(ufl.inner(a, ufl.dot(self.moduli, b)) * dx)

    def set_displacement(self, u: Array) -> None:
        """u: owned dofs."""
        self.u.x.array[: len(u)] = u
        self.u.x.scatter_forward()

    def deformation(self, cells: Array) -> Array:
        """F (n, nq, 3, 3) at the quadrature points of the cells."""
        slope = compat.evaluate(self._gradient, self.mesh, cells, (3, self.dim))
        F = np.zeros((*slope.shape[:2], 3, 3))
        F[..., : self.dim] = slope
        return F + np.eye(3)

    def energy_gradient(self) -> tuple[float, Array]:
        """Energy of the owned cells, eV, and the owned entries of the gradient, eV/Å. Collective."""
        # A cell without weight may be torn or collapsed: no finite energy to multiply by zero.
        cells = self._active()
        W, P = self._law(cells)
        scale = self.thickness * self.fraction[cells]
        values = np.zeros((len(self.cells), len(self.weights), 3, self.dim))
        values[cells] = scale[:, None, None, None] * P[..., : self.dim]
        self.stress.x.array[: values.size] = values.ravel()
        compat.assemble_vector(self.residual, self._force_form)
        owned = 3 * self.space.dofmap.index_map.size_local
        return float(scale * self.volumes[cells] @ (W @ self.weights)), self.residual.x.array[:owned].copy()

    def tangent(self) -> PETSc.Mat:
        """The stiffness matrix at the displacement that is set. Collective."""
        cells, d = self._active(), 3 * self.dim
        A = self.law.tangent(self.deformation(cells).reshape(-1, 3, 3)).reshape(-1, 3, 3, 3, 3)
        A = A[:, :, : self.dim, :, : self.dim].reshape(len(cells), len(self.weights), d, d)
        values = np.zeros((len(self.cells), len(self.weights), d, d))
        values[cells] = (self.thickness * self.fraction[cells])[:, None, None, None] * A
        self.moduli.x.array[: values.size] = values.ravel()
        return compat.assemble_matrix(self._stiffness_form)

    def cell_means(self) -> tuple[Array, Array, Array]:
        """Means over each owned cell of W (nc,), of the Cauchy stress P Fᵀ / det F and of the Green–Lagrange
        strain ½ (FᵀF − I), both (nc, 3, 3)."""
        cells, n = self._active(), len(self.cells)
        F = self.deformation(cells)
        W, P = self._law(cells)
        cauchy = P @ np.swapaxes(F, -1, -2) / np.linalg.det(F)[..., None, None]
        strain = 0.5 * (np.swapaxes(F, -1, -2) @ F - np.eye(3))
        out = np.zeros(n), np.zeros((n, 3, 3)), np.zeros((n, 3, 3))
        for field, values in zip(out, (W[..., None, None], cauchy, strain)):
            field[cells] = np.einsum("q,nqij->nij", self.weights, values).reshape(
                len(cells), *field.shape[1:]
            )
        return out

    def extrapolation(self, least: float) -> Array:
        """(nc, nq): above one where the strain lies beyond what the law was made from; 0 in cells of which the
        continuum carries no more than `least`."""
        cells = np.flatnonzero(self.fraction > least).astype(np.int32)
        out = np.zeros((len(self.cells), len(self.weights)))
        far = cast(Bounded, self.law).extrapolation(self.deformation(cells).reshape(-1, 3, 3))
        out[cells] = far.reshape(len(cells), -1)
        return out

    def _active(self) -> Array:
        return self.cells[self.fraction > 0]

    def _law(self, cells: Array) -> tuple[Array, Array]:
        W, P = self.law.evaluate(self.deformation(cells).reshape(-1, 3, 3))
        nq = len(self.weights)
        return W.reshape(len(cells), nq), P.reshape(len(cells), nq, 3, 3)
