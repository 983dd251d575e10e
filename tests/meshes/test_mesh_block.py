"""Blocks under a free surface: they fill their box, and their boundaries are what their names say."""

import numpy as np
import pytest

from meshes.block import graded_block
from meshes.data import boundary_facets

SHAPES = {
    2: ((400.0, 200.0), (30.0, 25.0), (2.0, 2.5)),
    3: ((300.0, 150.0, 240.0), (12.0, 10.0, 13.0), (3.0, 2.5, 4.0)),
}


@pytest.mark.parametrize("dim", SHAPES)
def test_a_block_fills_its_box_and_every_facet_of_its_boundary_has_one_name(dim) -> None:
    size, fine, h = SHAPES[dim]
    mesh = graded_block(size, fine, h)
    assert mesh.volumes().min() > 0.0
    assert mesh.volumes().sum() == pytest.approx(np.prod(size), rel=1e-12)
    assert set(mesh.tags) == {"surface", "outer"}
    assert sum(len(f) for f in mesh.tags.values()) == len(boundary_facets(mesh.cells))
    assert np.all(mesh.points[mesh.tags["surface"]][..., 1] == 0.0)
    assert mesh.quality().min() > 0.1
    edge = np.ptp(mesh.points[mesh.cells], axis=1).max(axis=1)
    assert edge.max() > 8.0 * max(h)  # coarse outside
    near = np.abs(mesh.points[mesh.cells].mean(axis=1)).max(axis=1) < min(fine) - max(h)
    assert edge[near].max() == pytest.approx(max(h))


def test_the_hole_is_open_to_the_surface() -> None:
    size, fine, h = SHAPES[2]
    mesh = graded_block(size, fine, h, hole=lambda x: np.linalg.norm(x, axis=1) - 12.0)
    rim = np.unique(mesh.tags["inner"])
    assert np.linalg.norm(mesh.points[rim], axis=1).max() <= 12.0 + 1e-9
    assert np.linalg.norm(mesh.points, axis=1).min() > 12.0 - np.hypot(*h)
    open_at = np.abs(mesh.points[np.unique(mesh.tags["surface"]), 0]).min()
    assert 10.0 <= open_at <= 12.0  # a step of the rim at most


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (400.0, 20.0)}, "reaches the sides or the bottom"),
        ({"growth": 1.0}, "growth"),
        ({"h": (2.0, 0.0)}, "positive"),
        ({"fine": (30.0, 25.0, 3.0)}, "two or three sizes"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change, message) -> None:
    good = dict(zip(("size", "fine", "h"), SHAPES[2]))
    with pytest.raises(ValueError, match=message):
        graded_block(**{**good, **change})
