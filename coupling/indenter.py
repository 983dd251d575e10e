"""A smooth rigid sphere or cylinder pressed into the free surface of a model, or pulled off it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from petsc4py import PETSc

from coupling.model import Model
from coupling.surface import Surface, follow
from coupling.term import Part
from coupling.wall import Wall

Array = np.ndarray


@dataclass
class Indenter:
    """E(q) = Σ_s φ(|y_s − c| − R) over the sites of the surface, y = X + S q; c = (x, zero + R − depth, z).

    reference: (m, 3) X_s of this rank, Å; transfer: S; axis: (3,) x, 0, z of the centre, Å; across: (3,) 1 for the
    directions that the distance is measured in, 0 along the axis of a cylinder; radius: R, Å; zero: height of the
    lowest point at depth 0, Å. `drive` moves it.
    """

    reference: Array
    transfer: PETSc.Mat
    axis: Array
    across: Array
    radius: float
    wall: Wall
    zero: float
    depth: float = 0.0
    part: ClassVar[Part] = "external"

    def drive(self, value: float) -> None:
        self.depth = value

    @property
    def centre(self) -> Array:
        return self.axis + np.array([0.0, self.zero + self.radius - self.depth, 0.0])

    def _approach(self, q: PETSc.Vec) -> tuple[Array, Array, Array]:
        """Distances (m,) of the sites from the centre or axis, unit vectors (m, 3) away from it, positions (m, 3)."""
        moved = self.transfer.createVecLeft()
        self.transfer.mult(q, moved)
        y = self.reference + moved.array_r.reshape(-1, 3)
        d = (y - self.centre) * self.across
        r = np.linalg.norm(d, axis=1)
        return r, d / r[:, None], y

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> float:
        r, n, _ = self._approach(q)
        energy, slope, _ = self.wall(r - self.radius)
        f = self.transfer.createVecLeft()
        f.array[:] = (slope[:, None] * n).ravel()
        self.transfer.multTransposeAdd(f, g, g)
        return float(q.comm.tompi4py().allreduce(float(energy.sum())))

    def stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        """Sᵀ D S with D = φ″ n nᵀ + φ′/r (1 − n nᵀ) of each site."""
        r, n, _ = self._approach(q)
        _, slope, curvature = self.wall(r - self.radius)
        return self._assembled(curvature, slope / r, n)

    def convex_stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        """The same with what is positive of φ″ and φ′."""
        r, n, _ = self._approach(q)
        _, slope, curvature = self.wall(r - self.radius)
        return self._assembled(np.maximum(curvature, 0.0), np.maximum(slope, 0.0) / r, n)

    def _assembled(self, along: Array, across: Array, n: Array) -> PETSc.Mat:
        """Sᵀ D S, D = along n nᵀ + across (1 − n nᵀ) of each site (m,)."""
        nn = n[:, :, None] * n[:, None, :]
        blocks = along[:, None, None] * nn + across[:, None, None] * (np.diag(self.across) - nn)
        return _block_diagonal(blocks, self.transfer).ptap(self.transfer)

    def gaps(self, q: PETSc.Vec) -> tuple[Array, Array]:
        """Distances (m,) of this rank's sites from the surface of the indenter, negative inside it, and where they are
        (m, 3), Å. Collective."""
        r, _, y = self._approach(q)
        return r - self.radius, y

    def forces(self, q: PETSc.Vec) -> tuple[Array, Array]:
        """Positions (m, 3), Å, of this rank's sites, and the force of the indenter on each, (m, 3) eV/Å."""
        r, n, y = self._approach(q)
        return y, -self.wall(r - self.radius)[1][:, None] * n

    def force(self, q: PETSc.Vec) -> Array:
        """Force of the body on the indenter, (3,) eV/Å (of one slice in two dimensions). Collective."""
        return -np.asarray(q.comm.tompi4py().allreduce(self.forces(q)[1].sum(axis=0)))

    def contact_radius(self, q: PETSc.Vec) -> float:
        """a, Å, by the second moment of the pressure, which under Hertz's half ellipse is a²/4 about the axis of a
        cylinder and 2a²/5 about that of a sphere; zero without contact. Collective."""
        y, f = self.forces(q)
        push = np.maximum(-f[:, 1], 0.0)
        off = (y - self.axis) * self.across
        square = off[:, 0] ** 2 + off[:, 2] ** 2
        whole, moment = q.comm.tompi4py().allreduce(np.array([push.sum(), push @ square]))
        return float(np.sqrt((2.5 if self.across[2] else 4.0) * moment / whole)) if whole > 0.0 else 0.0


def make_indenter(
    model: Model, surface: Surface, dim: int, centre: tuple[float, ...], radius: float, wall: Wall
) -> Indenter:
    """A sphere (dim 3) or a cylinder along z (dim 2) over the point `centre` (x, or x and z) of a surface. At depth
    zero it would rest on the uppermost plane of sites, at the gap where a single site feels no force. Collective."""
    reference, transfer = follow(model, surface)
    axis = np.array([centre[0], 0.0, centre[1] if dim == 3 else 0.0])
    across = np.array([1.0, 1.0, 1.0 if dim == 3 else 0.0])
    return Indenter(reference, transfer, axis, across, radius, wall, surface.top + wall.rest)


def _block_diagonal(blocks: Array, like: PETSc.Mat) -> PETSc.Mat:
    """Square matrix of 3 × 3 blocks (m, 3, 3), rows distributed as those of `like`."""
    (n, total), _ = like.getSizes()
    first = like.getOwnershipRange()[0]
    row = np.arange(0, 3 * n + 1, 3, dtype=PETSc.IntType)
    column = (3 * (np.arange(n) // 3)[:, None] + np.arange(3) + first).astype(PETSc.IntType)
    matrix = PETSc.Mat().createAIJ(
        ((n, total), (n, total)), csr=(row, column.ravel(), blocks.ravel()), comm=like.comm
    )
    matrix.assemble()
    return matrix
