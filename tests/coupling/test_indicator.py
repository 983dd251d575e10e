"""The error indicator: gradients that do not see across a crack, a response that does not see rotations."""

import numpy as np
import pytest
from crystals import stillinger_weber

from coupling.cut import Cut
from coupling.indicator import nonlinearity, stiffest, strain_gradient
from coupling.regions import Hexagon
from meshes.disc import graded_disc
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.laws import LAWS
from tests.mpi import COMM


def test_gradient_of_a_strain_is_met_on_either_side_of_a_crack() -> None:
    """|∇E| of E = E0 + G·x, with another E0 above the crack than below; blind to the jump only with the cut."""
    rng = np.random.default_rng(3)
    points = rng.uniform((-10.0, -5.0), (0.0, 5.0), (300, 2))
    slope = rng.normal(size=(3, 3, 2))
    strain = np.einsum("ijl,nl->nij", slope, points)
    strain[points[:, 1] > 0.0] += rng.normal(size=(3, 3))
    at = np.arange(len(points))
    found = strain_gradient(points, strain, at, Cut((5.0, 0.0)))
    np.testing.assert_allclose(found, np.linalg.norm(slope), rtol=1e-9)
    assert strain_gradient(points, strain, at).max() > 1.3 * np.linalg.norm(slope)


@pytest.mark.parametrize("degree", [1, 2])
def test_response_is_that_of_the_unturned_crystal(degree) -> None:
    """Turned by 20°: same E and S. The distance from linear response grows as the square of the strain."""
    potential, crystal = stillinger_weber()
    bulk = Bulk(COMM, graded_disc(30.0), LAWS["elastic-series"](potential, crystal), 1.0, degree)
    c, s = np.cos(np.pi / 9.0), np.sin(np.pi / 9.0)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    stretch = np.array([[0.01, 0.002, 0.0], [0.002, 0.03, 0.0], [0.0, 0.0, 0.0]])
    x, moduli = bulk.node_coordinates(), bulk.law.tangent(np.eye(3)[None]).reshape(3, 3, 3, 3)

    def response(F):
        return bulk.cell_response((x @ (F - np.eye(3)).T).ravel())

    straight, turned = response(np.eye(3) + stretch), response(turn @ (np.eye(3) + stretch))
    for a, b in zip(straight, turned):
        np.testing.assert_allclose(a[..., :2, :2], b[..., :2, :2], atol=1e-10)
    np.testing.assert_allclose(straight[0][0], stretch + 0.5 * stretch @ stretch, atol=1e-12)
    sizes = [nonlinearity(*response(np.eye(3) + f * stretch), moduli)[0] for f in (1.0, 0.5)]
    assert sizes[0] / sizes[1] == pytest.approx(4.0, rel=0.1) and sizes[0] < 0.03


def test_a_lengthened_hexagon_is_as_far_away_as_its_halves() -> None:
    """Corners at half the length from those of the regular one, flat sides between."""
    points = np.array(
        [[7.5, 0.0], [-9.0, 0.0], [1.0, 5.0], [-2.0, -np.sqrt(0.75) * 3.0], [4.5, np.sqrt(0.75) * 3.0]]
    )
    regular, long = Hexagon((0.0, 0.0), 3.0), Hexagon((0.0, 0.0), 3.0, 6.0)
    apart = points - np.sign(points[:, :1]) * np.minimum(np.abs(points[:, :1]), 3.0) * [1.0, 0.0]
    np.testing.assert_allclose(long.distance(points), regular.distance(apart), atol=1e-12)
    np.testing.assert_allclose(long.distance(points)[[0, 3, 4]], [1.5, 0.0, 0.0], atol=1e-12)


def test_stiffest_direction() -> None:
    """‖C‖ of an isotropic solid is three times its bulk modulus, or twice its shear modulus."""
    lam, mu, d = 1.3, 0.7, np.eye(3)
    moduli = lam * np.einsum("ij,kl->ijkl", d, d)
    moduli += mu * (np.einsum("ik,jl->ijkl", d, d) + np.einsum("il,jk->ijkl", d, d))
    assert stiffest(moduli) == pytest.approx(3.0 * lam + 2.0 * mu)
