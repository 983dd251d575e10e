"""A cohesive surface: exact derivatives, and the energy of faces moved apart."""

import numpy as np
import pytest
from petsc4py import PETSc

from coupling.cohesive.law import Response
from coupling.faces import Faces
from coupling.regions import Ball, Mask
from coupling.transfer import block_matrix
from tests.mpi import COMM, largest, total

rng = np.random.default_rng([3, COMM.rank])


def well(opening: np.ndarray) -> Response:
    """Γ = 1 − exp(−|δ|²): convex near the origin, not far from it."""
    e = np.exp(-(opening**2).sum(1))
    outer = opening[:, :, None] * opening[:, None, :]
    return Response(1.0 - e, 2.0 * opening * e[:, None], e[:, None, None] * (2.0 * np.eye(3) - 4.0 * outer))


def pairs(n: int, gap: np.ndarray | None = None) -> Faces:
    """On each rank n points between as many pairs of the next one's nodes, in frames turned at random."""
    frames = np.linalg.qr(rng.normal(size=(n, 3, 3)))[0]
    rows, cols = np.repeat(np.arange(n), 2), np.arange(2 * n)
    blocks = np.stack([frames, -frames], axis=1).reshape(-1, 3, 3)
    jump = block_matrix(COMM, rows, 2 * n * ((COMM.rank + 1) % COMM.size) + cols, blocks, (n, 2 * n))
    return Faces.on(jump, rng.uniform(0.5, 2.0, n), well, np.zeros((n, 3)), gap=gap)


def at(faces: Faces, values: np.ndarray) -> PETSc.Vec:
    q = faces.jump.createVecRight()
    q.array[:] = values
    return q


def test_force_and_stiffness_are_derivatives_of_the_energy() -> None:
    faces = pairs(5, gap=0.1 * rng.normal(size=(5, 3)))
    x, v, h = 0.4 * rng.normal(size=30), rng.normal(size=30), 1e-5
    gradients = [faces.jump.createVecRight() for _ in range(3)]
    low, middle, high = (
        faces.energy_gradient(at(faces, x + s * h * v), g) for s, g in zip((-1, 0, 1), gradients)
    )
    assert middle > 0.1
    assert total(gradients[1].array @ v) == pytest.approx((high - low) / (2 * h), rel=1e-8)
    product = faces.stiffness(at(faces, x)) * at(faces, v)
    np.testing.assert_allclose(product.array, (gradients[2].array - gradients[0].array) / (2 * h), atol=1e-8)
    again = faces.stiffness(at(faces, 0.0 * x)) * at(faces, v)  # the storage of the moduli is used again
    assert largest(again.array - product.array) > 0.1


def test_what_softens_is_left_out_of_the_convex_stiffness() -> None:
    """Γ = 1 − exp(−|δ|²) is convex up to |δ| = 1/√2; farther on it softens along the opening."""
    faces = pairs(4)
    for size in (0.3, 1.2):
        x = np.zeros((4, 2, 3))
        x[:, 0] = size * np.array([0.6, 0.0, 0.8])
        exact, convex = (made(at(faces, x.ravel())) for made in (faces.stiffness, faces.convex_stiffness))
        form = [
            (v.dot(exact * v), v.dot(convex * v)) for v in (at(faces, rng.normal(size=24)) for _ in range(20))
        ]
        assert all(c >= max(0.0, e) - 1e-12 for e, c in form)
        along = at(faces, x.ravel())
        softens = size > 0.5**0.5
        assert (along.dot(exact * along) < -0.1) == softens
        assert along.dot(convex * along) == pytest.approx(
            0.0 if softens else along.dot(exact * along), abs=1e-12
        )


def test_faces_moved_apart_as_a_whole_have_the_area_times_the_law() -> None:
    faces = pairs(4)
    apart = np.array([0.3, -0.2, 0.5])
    q = at(faces, np.tile(np.concatenate([apart, 0 * apart]), 4))
    g = faces.jump.createVecRight()
    energy, area = faces.energy_gradient(q, g), total(faces.area.sum())
    assert energy == pytest.approx(area * (1 - np.exp(-apart @ apart)), rel=1e-12)
    forces = g.array.reshape(-1, 2, 3)
    np.testing.assert_allclose(forces.sum(axis=1), 0.0, atol=1e-14)
    np.testing.assert_allclose(total(forces[:, 0].sum(0)), area * 2 * apart * np.exp(-apart @ apart))


def test_where_atoms_weigh_one_the_law_does_not_act_again() -> None:
    faces = pairs(4)
    points = np.array([[0.0, 0, 0], [4.0, 0, 0], [6.0, 0, 0], [9.0, 0, 0]])
    mask = Mask(Ball((0.0, 0.0), 3.0), 4.0)
    masked = Faces.on(faces.jump, faces.area, well, points, mask)
    w = mask(points)
    np.testing.assert_allclose(masked.share, 1.0 - w)
    assert w[0] == 1.0 and 0.0 < w[2] < w[1] < 1.0 and w[3] == 0.0
    half = Faces.on(faces.jump, faces.area, well, points, mask, chi=np.full(4, 0.5))
    q, g = at(faces, rng.normal(size=24)), faces.jump.createVecRight()
    energies = faces.law(faces.opening(q)).energy
    assert half.energy_gradient(q, g) == pytest.approx(
        total(faces.area * (1 - 0.5 * w) @ energies), rel=1e-12
    )
