"""Cell weights: what the atoms leave over of each element."""

import numpy as np
import pytest
from scipy.spatial import Delaunay

from coupling.voronoi import _cell_measure, cell_fraction, clip, measure, site_neighbours
from nnp.crystal import make_crystal

ORIENTATIONS = {
    "diamond (111)[1-10]": ("diamond", {"x": (1, 1, -2), "y": (1, 1, 1), "z": (1, -1, 0)}),
    "fcc cubic": ("fcc", None),
    "bcc (110)": ("bcc", {"x": (1, -1, 0), "y": (1, 1, 0), "z": (0, 0, 1)}),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("dim", [2, 3])
def test_voronoi_cells_have_the_volume_of_a_site(name: str, dim: int) -> None:
    structure, orientation = ORIENTATIONS[name]
    crystal = make_crystal(structure, "Si", 5.0, orientation)
    depth = crystal.period((0, 0, 1)) if dim == 2 else 1.0
    for neighbours in site_neighbours(crystal, dim):
        assert _cell_measure(neighbours) * depth == pytest.approx(crystal.site_volume, rel=1e-6)


@pytest.mark.parametrize("dim", [2, 3])
def test_fully_weighted_atoms_leave_nothing(dim: int) -> None:
    crystal = make_crystal("diamond", "Si", 5.43, ORIENTATIONS["diamond (111)[1-10]"][1]).cleavage_centred()
    depth = crystal.period((0, 0, 1))
    low = np.array([-16.0, -16.0, 0.0 if dim == 2 else -16.0])
    high = np.array([16.0, 16.0, depth if dim == 2 else 16.0])
    points, sublattice, _ = crystal.sites(low, high)
    corners = np.random.default_rng(1).uniform(-6, 6, (12, dim))
    cells = corners[Delaunay(corners).simplices]
    left = cell_fraction(cells, crystal, points, sublattice, np.ones(len(points)), depth)
    assert np.abs(left * measure(cells)).max() < 1e-6 * measure(cells).max()


def test_weighted_volume_is_shared_out_exactly() -> None:
    """Σ_T v_T + Σ_i w_i Ω = |domain| when the weighted atoms lie inside it."""
    crystal = make_crystal("fcc", "Ar", 4.0)
    points, sublattice, _ = crystal.sites(np.array([-20.0, -20, 0]), np.array([20.0, 20, 4.0]))
    w = np.clip(1.5 - np.linalg.norm(points[:, :2], axis=1) / 8.0, 0, 1)
    corners = np.vstack(
        [np.random.default_rng(2).uniform(-18, 18, (60, 2)), [[-19, -19], [19, -19], [19, 19], [-19, 19]]]
    )
    cells = corners[Delaunay(corners).simplices]
    chosen = w > 0
    left = cell_fraction(cells, crystal, points[chosen], sublattice[chosen], w[chosen], 4.0)
    filled = 4.0 * (left * measure(cells)).sum() + crystal.site_volume * w.sum()
    assert filled == pytest.approx(38.0**2 * 4.0, rel=1e-9)
    assert left.min() > -1e-9


@pytest.mark.parametrize("dim", [2, 3])
def test_clipping_splits_a_volume(dim: int) -> None:
    rng = np.random.default_rng(3)
    simplices = rng.normal(size=(200, dim + 1, dim))
    normal, offset = rng.normal(size=(200, dim)), 0.3 * rng.normal(size=200)
    below, who = clip(simplices, np.arange(200), normal, offset)
    above, other = clip(simplices, np.arange(200), -normal, -offset)
    both = np.bincount(who, measure(below), 200) + np.bincount(other, measure(above), 200)
    np.testing.assert_allclose(both, measure(simplices), rtol=1e-10, atol=1e-13)
