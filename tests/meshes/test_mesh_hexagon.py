"""Hexagonal rings: lattice sites inside, a prescribed size outside."""

import numpy as np
import pytest

from meshes.hexagon import graded_hexagon


def size(r):
    return (r / 12.0) ** 1.5


def test_fills_the_hexagon_with_lattice_sites_inside():
    mesh = graded_hexagon(46.0, 6, 12, size)
    area = 1.5 * np.sqrt(3.0) * (46.0**2 - 6.0**2)
    assert mesh.volumes().sum() == pytest.approx(area, rel=1e-12)
    assert mesh.quality().min() > 0.4 and mesh.quality().mean() > 0.8
    j = mesh.points[:, 1] / np.sqrt(0.75)
    i = mesh.points[:, 0] - 0.5 * j
    rank = np.maximum.reduce([np.abs(i), np.abs(j), np.abs(i + j)])
    inside = rank < 12.0 + 1e-9
    assert inside.sum() == sum(6 * k for k in range(6, 13))
    np.testing.assert_allclose(np.stack([i, j])[:, inside], np.round(np.stack([i, j])[:, inside]), atol=1e-9)
    assert np.abs(mesh.volumes()[: 6 * 6] - np.sqrt(0.1875)).max() < 1e-9  # equilateral


def test_size_follows_the_law_and_both_rims_are_tagged():
    mesh = graded_hexagon(154.0, 6, 12, size)
    middle, h = (
        np.linalg.norm(mesh.points[mesh.cells].mean(1), axis=1),
        np.sqrt(mesh.volumes() / np.sqrt(0.1875)),
    )
    far = middle > 20.0
    ratio = h[far] / size(middle[far])
    assert 0.8 < np.median(ratio) < 1.25
    for tag, radius in (("outer", 154.0), ("inner", 6.0)):
        corners = np.linalg.norm(mesh.points[np.unique(mesh.tags[tag])], axis=1)
        assert corners.max() == pytest.approx(radius) and corners.min() >= np.sqrt(0.75) * radius - 1e-9


@pytest.mark.parametrize("bad", [(10.0, 6, 12), (46.0, 0, 12), (46.0, 12, 12)])
def test_wrong_sizes(bad):
    with pytest.raises(ValueError, match="hole < resolved < radius"):
        graded_hexagon(*bad, size)


def test_a_lengthened_hexagon_keeps_its_area_and_sites():
    mesh = graded_hexagon(46.0, 6, 12, size, length=8)
    area = 1.5 * np.sqrt(3.0) * (46.0**2 - 6.0**2) + np.sqrt(3.0) * 8.0 * (46.0 - 6.0)
    assert mesh.volumes().sum() == pytest.approx(area, rel=1e-12)
    assert mesh.quality().min() > 0.35
    j = mesh.points[:, 1] / np.sqrt(0.75)
    i = mesh.points[:, 0] - 0.5 * j
    sites = np.abs(np.stack([i, j]) - np.round(np.stack([i, j]))).max(0) < 1e-9
    assert sites.sum() >= sum(6 * k + 2 * 8 for k in range(6, 13))
    with pytest.raises(ValueError, match="an even number"):
        graded_hexagon(46.0, 6, 12, size, length=3)
