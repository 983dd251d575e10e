"""Two rigid bodies that meet in a plane, and what it costs to move one against the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from nnp.crystal import Array, Crystal
from nnp.evaluate import evaluate
from nnp.neighbors import find_pairs
from nnp.potential import Potential
from nnp.state import State

THICK = 2.1
"""Receptive fields on each side of the plane: no site sees both the plane and the outer face."""
AXES = [1, 0, 2]
"""Laboratory axes of (δ_n, δ_t1, δ_t2): the plane is normal to y, its tangents are x and z."""
_AT_ONCE = 3000
"""Atoms that are evaluated together."""


@dataclass(frozen=True)
class Halves:
    """Atoms of two slabs, one period of their plane wide.

    points: (n, 3) Å, laboratory axes; numbers: (n,); upper: (n,) the body that moves; cell: (2, 2) rows are the
    periods of the plane in (x, z), Å; strain: the largest that was put on the upper body so that both share them.
    """

    points: Array
    numbers: Array
    upper: Array
    cell: Array
    strain: float = 0.0

    @property
    def area(self) -> float:
        """Å² of one period."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def gap(self) -> float:
        """Distance between the atomic planes on both sides, Å."""
        y = self.points[:, 1]
        return float(y[self.upper].min() - y[~self.upper].max())

    def shifted(self, opening: Array) -> Halves:
        """The same with the upper body moved by (δ_n, δ_t1, δ_t2), Å."""
        points = self.points.copy()
        for column, axis in enumerate(AXES):
            points[self.upper, axis] += opening[column]
        return Halves(points, self.numbers, self.upper, self.cell, self.strain)


def halves(crystal: Crystal, thickness: float) -> Halves:
    """The crystal cut in the widest gap between its planes normal to y, at least `thickness` (Å) of it on each
    side, one primitive cell of the plane wide. ValueError where the plane has no short periods."""
    centred = crystal.cleavage_centred(1)
    cell = plane_cell(centred)
    points, numbers = slab(centred, cell, -thickness, thickness)
    return Halves(points, numbers, points[:, 1] > 0.0, cell)


def plane_cell(crystal: Crystal, largest: int = 6) -> Array:
    """Two shortest independent lattice vectors in the plane normal to y, (2, 2) rows in (x, z), Å."""
    n = np.arange(-largest, largest + 1)
    lattice = np.stack(np.meshgrid(n, n, n, indexing="ij"), -1).reshape(-1, 3) @ crystal.cell
    flat = lattice[np.abs(lattice[:, 1]) < 1e-6 * crystal.a][:, [0, 2]]
    length = np.linalg.norm(flat, axis=1)
    angle = np.arctan2(flat[:, 1], flat[:, 0])
    kept = (
        (length > 1e-6 * crystal.a) & (angle > -1e-6) & (angle < np.pi - 1e-6)
    )  # one of ±a, the first near x
    order = np.lexsort((np.round(angle[kept], 6), np.round(length[kept], 6)))
    flat = flat[kept][order]
    for second in flat[1:]:
        if abs(flat[0, 0] * second[1] - flat[0, 1] * second[0]) > 1e-6 * crystal.a**2:
            return np.stack([flat[0], second])
    raise ValueError("the plane normal to y has no short lattice periods; choose small crystal directions")


def slab(crystal: Crystal, cell: Array, low: float, high: float) -> tuple[Array, Array]:
    """Sites with low ≤ y < high in one period `cell` of the plane: positions (n, 3) Å and numbers (n,)."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) @ cell
    (x0, z0), (x1, z1) = corners.min(0) - 0.1, corners.max(0) + 0.1
    points, _, numbers = crystal.sites(np.array([x0, low, z0]), np.array([x1, high, z1]))
    within = points[:, [0, 2]] @ np.linalg.inv(cell)
    inside = np.all((within > -1e-6) & (within < 1.0 - 1e-6), axis=1)
    return points[inside], numbers[inside]


def energies(potential: Potential, bodies: Halves, openings: Array) -> tuple[Array, Array]:
    """Energy per area (m,) eV/Å², whose zero is arbitrary, and the traction ∂E/∂δ / area that holds the upper
    body there, (m, 3) eV/Å³, at rigid openings (m, 3) Å."""
    many = max(1, _AT_ONCE // len(bodies.points))
    parts = [openings[k : k + many] for k in range(0, len(openings), many)]
    found = [_stacked(potential, bodies, part) for part in parts]
    return np.concatenate([e for e, _ in found]), np.concatenate([t for _, t in found])


def _stacked(potential: Potential, bodies: Halves, openings: Array) -> tuple[Array, Array]:
    """As `energies`, of copies that stand on top of each other out of each other's reach."""
    n, m = len(bodies.points), len(openings)
    y = bodies.points[:, 1]
    pitch = np.ptp(y) + float(np.ptp(openings[:, 0])) + 2.0 * potential.cutoff + 1.0
    points = np.repeat(bodies.points[None], m, axis=0)
    points[:, :, 1] += pitch * np.arange(m)[:, None] - openings[:, :1].min()
    for column, axis in enumerate(AXES):
        points[:, bodies.upper, axis] += openings[:, column, None]
    cell = np.zeros((3, 3))
    cell[[0, 2]] = np.insert(bodies.cell, 1, 0.0, axis=1)
    cell[1, 1] = pitch * (m + 1)
    state = State(
        torch.as_tensor(points.reshape(-1, 3)),
        torch.as_tensor(np.tile(bodies.numbers, m), dtype=torch.long),
        torch.as_tensor(cell),
        (True, False, True),
    )
    found = evaluate(potential, state, find_pairs(state, potential.cutoff))
    energy = found.site_energies.double().reshape(m, n).sum(1).numpy()
    pull = -found.forces.double().reshape(m, n, 3)[:, torch.as_tensor(bodies.upper)].sum(1).numpy()
    return energy / bodies.area, pull[:, AXES] / bodies.area
