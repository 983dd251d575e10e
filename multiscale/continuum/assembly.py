"""Energy, gradient and tangent of a bulk material whose law is any function of the deformation gradient.

E = t Σ_T φ_T ∫_T W(F) dx,   F = I + ∇u,   δE = t Σ_T φ_T ∫_T P : ∇v dx,   δ²E = t Σ_T φ_T ∫_T ∇v : A : ∇w dx

The law is evaluated for all quadrature points at once. The energy and its gradient, which a solver asks for all the
time, are a product with a sparse matrix each way; the tangent's moduli enter a form as values on a quadrature
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
from multiscale.continuum.laws.two_bodies import TwoBodies
from multiscale.continuum.slopes import Slopes

Array = np.ndarray


class Assembly:
    """Integrals over the owned cells. t: thickness; φ: (nc,) what the continuum carries of each cell; upper: another
    law and the cells (nc,) where it holds, None where there is one law only."""

    def __init__(self, space: Any, law: Law, degree: int, thickness: float, vertices: Array, volumes: Array):
        self.space, self.law, self.mesh = space, law, space.mesh
        self.upper: tuple[Law, Array] | None = None
        self.thickness, self.volumes = thickness, volumes
        self.dim = self.mesh.topology.dim
        self.u, self.residual = fem.Function(space), fem.Function(space)
        order = 2 * (degree - 1) if degree > 1 else 1
        points, weights = compat.quadrature_rule(self.mesh, order)
        self.weights = weights / weights.sum()
        self._everywhere = Slopes.of(space, degree, vertices, points)
        d = 3 * self.dim
        self.moduli = fem.Function(compat.quadrature_space(self.mesh, order, (d, d)))
        self._stiffness_form = self._form(order)
        self.set_fraction(np.ones(len(volumes)))

    def _form(self, order: int) -> Any:
        metadata = {"quadrature_degree": order, "quadrature_scheme": "default"}
        dx = ufl.Measure("dx", domain=self.mesh, metadata=metadata)
        v, w = ufl.TestFunction(self.space), ufl.TrialFunction(self.space)
        flat = [(i, j) for i in range(3) for j in range(self.dim)]
        a, b = (ufl.as_vector([ufl.grad(f)[i, j] for i, j in flat]) for f in (v, w))
        return compat.form(ufl.inner(a, ufl.dot(self.moduli, b)) * dx)

    def set_fraction(self, fraction: Array) -> None:
        """φ. Cells without weight are left out: one may be torn, and have no finite energy to multiply by zero."""
        self.fraction = fraction
        self._cells = np.flatnonzero(fraction > 0)
        self._slopes = self._everywhere.at(self._points(self._cells))
        weight = self.thickness * (fraction * self.volumes)[self._cells]
        self._weight = (weight[:, None] * self.weights).ravel()

    def _points(self, cells: Array) -> Array:
        """Quadrature points of the cells, in their order, (n · nq,)."""
        nq = len(self.weights)
        return (nq * cells[:, None] + np.arange(nq)).ravel()

    def _law(self, cells: Array) -> Law:
        """At the quadrature points of cells, in their order."""
        if self.upper is None:
            return self.law
        law, above = self.upper
        return TwoBodies(self.law, law, np.repeat(above[cells], len(self.weights)))

    def set_displacement(self, u: Array) -> None:
        """u: owned dofs."""
        self.u.x.array[: len(u)] = u
        self.u.x.scatter_forward()

    def _deformation(self) -> Array:
        """F (n · nq, 3, 3) at the quadrature points of the cells that carry something."""
        return self._slopes.deformation(self.u.x.array.reshape(-1, 3))

    def energy_gradient(self) -> tuple[float, Array]:
        """Energy of the owned cells, eV, and the owned entries of the gradient, eV/Å. Collective."""
        W, P = self._law(self._cells).evaluate(self._deformation())
        self.residual.x.array[:] = self._slopes.pull_back(P, self._weight).ravel()
        compat.add_ghosts(self.residual)
        owned = 3 * self.space.dofmap.index_map.size_local
        return float(self._weight @ W), self.residual.x.array[:owned].copy()

    def tangent(self) -> PETSc.Mat:
        """The stiffness matrix at the displacement that is set. Collective."""
        cells, d = self._cells, 3 * self.dim
        A = self._law(self._cells).tangent(self._deformation()).reshape(-1, 3, 3, 3, 3)
        A = A[:, :, : self.dim, :, : self.dim].reshape(len(cells), len(self.weights), d, d)
        values = np.zeros((len(self.volumes), len(self.weights), d, d))
        values[cells] = (self.thickness * self.fraction[cells])[:, None, None, None] * A
        self.moduli.x.array[: values.size] = values.ravel()
        return compat.assemble_matrix(self._stiffness_form)

    def cell_means(self) -> tuple[Array, Array, Array]:
        """Means over each owned cell of W (nc,), of the Cauchy stress P Fᵀ / det F and of the Green–Lagrange
        strain ½ (FᵀF − I), both (nc, 3, 3)."""
        n, F = len(self.volumes), self._deformation()
        W, P = self._law(self._cells).evaluate(F)
        cauchy = P @ np.swapaxes(F, -1, -2) / np.linalg.det(F)[..., None, None]
        strain = 0.5 * (np.swapaxes(F, -1, -2) @ F - np.eye(3))
        out = np.zeros(n), np.zeros((n, 3, 3)), np.zeros((n, 3, 3))
        for field, values in zip(out, (W, cauchy, strain)):
            by_cell = values.reshape(len(self._cells), len(self.weights), *field.shape[1:])
            field[self._cells] = np.einsum("q,nq...->n...", self.weights, by_cell)
        return out

    def cell_response(self) -> tuple[Array, Array]:
        """Means over each owned cell of the Green–Lagrange strain and of the second Piola–Kirchhoff stress F⁻¹P, both
        (nc, 3, 3): neither knows how the crystal is turned. Zero where the continuum carries nothing."""
        F = self._deformation()
        _, P = self._law(self._cells).evaluate(F)
        strain = 0.5 * (np.swapaxes(F, -1, -2) @ F - np.eye(3))
        out = np.zeros((len(self.volumes), 3, 3)), np.zeros((len(self.volumes), 3, 3))
        for field, values in zip(out, (strain, np.linalg.solve(F, P))):
            by_cell = values.reshape(len(self._cells), len(self.weights), 3, 3)
            field[self._cells] = np.einsum("q,nqij->nij", self.weights, by_cell)
        return out

    def eshelby(self, cells: Array) -> Array:
        """Means over owned cells (k,) of W 1 − (F − 1)ᵀ P, (k, 3, 3), eV/Å³."""
        F = self._everywhere.at(self._points(cells)).deformation(self.u.x.array.reshape(-1, 3))
        W, P = self._law(cells).evaluate(F)
        tensor = W[:, None, None] * np.eye(3) - np.swapaxes(F - np.eye(3), -1, -2) @ P
        return np.einsum("q,nqij->nij", self.weights, tensor.reshape(len(cells), len(self.weights), 3, 3))

    def extrapolation(self, least: float) -> Array:
        """(nc, nq): above one where the strain lies beyond what the law was made from; 0 in cells of which the
        continuum carries no more than `least`."""
        cells = np.flatnonzero(self.fraction > least)
        out = np.zeros((len(self.volumes), len(self.weights)))
        F = self._everywhere.at(self._points(cells)).deformation(self.u.x.array.reshape(-1, 3))
        beyond = cast(Bounded, self._law(cells)).extrapolation(F)
        out[cells] = beyond.reshape(len(cells), len(self.weights))
        return out
