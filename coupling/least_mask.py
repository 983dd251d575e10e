"""The mask with the least second difference on a lattice.

The ghost force of a blended energy, and with it the error of `bqce`, goes with ‖∇²w‖ (M. Luskin, C. Ortner,
B. Van Koten, Comput. Methods Appl. Mech. Eng. 253, 160, 2013, doi:10.1016/j.cma.2012.09.007). The best mask with given
core and blend zone is therefore the solution of a sparse least-squares problem on the sites R of the lattice,

    min Σ_R |H_R|²,      w = 1 in the core, w = 0 beyond the blend zone,

with the Hessian H_R from second differences along lattice directions ρ, w(R + ρ) − 2 w(R) + w(R − ρ) = ρ·H ρ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import csr_matrix, eye, kron, vstack
from scipy.sparse.linalg import spsolve

from coupling.regions import Shape

Array = np.ndarray


@dataclass(frozen=True)
class LatticeTable:
    """Values on sites of a lattice, (n₁, …, n_d), multilinear between them: the first is at `corner` (d,) Å, vectors
    (d, d) Å as rows."""

    values: Array
    corner: Array
    vectors: Array

    def __call__(self, points: Array) -> Array:
        """points (n, d or more) Å → (n,)."""
        d = len(self.vectors)
        place = (np.asarray(points, float)[:, :d] - self.corner) @ np.linalg.inv(self.vectors)
        return map_coordinates(self.values, place.T, order=1, mode="nearest")


def least_second_difference(core: Shape, blend: float, vectors: Array, origin: Array) -> LatticeTable:
    """The best mask on the lattice through `origin` (d,) with `vectors` (d, d), Å."""
    corner, shape, points = _sites(core, blend, vectors, origin)
    t = 1.0 - core.distance(points) / blend
    free = (t > 1e-9) & (t < 1.0 - 1e-9)
    w = (t >= 1.0 - 1e-9).astype(float)
    hessian = _hessian(shape, vectors)
    inner = hessian[:, free]
    w[free] = spsolve((inner.T @ inner).tocsc(), -(inner.T @ (hessian @ w)))
    return LatticeTable(np.clip(w, 0.0, 1.0).reshape(shape), corner, vectors)


def _sites(core: Shape, blend: float, vectors: Array, origin: Array) -> tuple[Array, tuple[int, ...], Array]:
    """Corner, shape and points of a block of sites that holds the blend zone and a layer around it."""
    d = len(vectors)
    low, high = (bound[:d] for bound in core.bounds())
    box = np.stack(np.meshgrid(*np.stack([low - blend, high + blend], 1), indexing="ij"), -1).reshape(-1, d)
    place = (box - origin) @ np.linalg.inv(vectors)
    first = np.floor(place.min(0)).astype(int) - 2
    last = np.ceil(place.max(0)).astype(int) + 2
    grid = np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(first, last)), indexing="ij")
    points = origin + np.stack(grid, -1).reshape(-1, d) @ vectors
    return origin + first @ vectors, grid[0].shape, points


def _hessian(shape: tuple[int, ...], vectors: Array) -> csr_matrix:
    """The components H_xx, √2 H_xy, … at all inner sites as one matrix on the values, rows by component."""
    d = len(shape)
    steps = [np.eye(d, dtype=int)[k] for k in range(d)]
    for k in range(d):
        for m in range(k):
            sign = -1 if vectors[k] @ vectors[m] > 0.0 else 1  # the shorter diagonal
            steps.append(steps[k] + sign * steps[m])
    number = np.arange(np.prod(shape)).reshape(shape)
    inner = number[(slice(1, -1),) * d].ravel()
    strides = np.array([np.prod(shape[k + 1 :], dtype=int) for k in range(d)])
    pick = eye(number.size, format="csr")
    along = [pick[inner + s @ strides] - 2.0 * pick[inner] + pick[inner - s @ strides] for s in steps]
    rows, cols = np.triu_indices(d)
    twice = np.where(rows == cols, 1.0, np.sqrt(2.0))
    rho = np.stack(steps) @ vectors
    of_components = rho[:, rows] * rho[:, cols] * twice
    return kron(np.linalg.inv(of_components), eye(len(inner)), format="csr") @ vstack(along, format="csr")
