"""Checks of the mesh object, cuts, structured boxes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.box import box_mesh
from meshes.data import boundary_facets, cell_facets, make_mesh, signed_volumes
from meshes.split import split_along

SQUARE = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [5, 5]])


def euler(cells):
    """Vertices − edges + triangles (− tetrahedra)."""
    dim = cells.shape[1] - 1
    pairs = [(i, j) for i in range(dim + 1) for j in range(i)]
    edges = np.unique(np.sort(cells[:, pairs].reshape(-1, 2), axis=1), axis=0)
    triangles = np.unique(np.sort(cell_facets(cells).reshape(-1, dim), axis=1), axis=0) if dim == 3 else cells
    return len(np.unique(cells)) - len(edges) + len(triangles) - (len(cells) if dim == 3 else 0)


def interior_facets(mesh, where):
    facets = np.unique(np.sort(cell_facets(mesh.cells).reshape(-1, mesh.dim), axis=1), axis=0)
    return facets[where(mesh.points[facets]).all(1)]


def parts(cells):
    k = cells.shape[1]
    a = np.repeat(cells[:, 0], k)
    graph = coo_matrix((np.ones(a.size), (a, cells.ravel())), shape=(cells.max() + 1,) * 2)
    return connected_components(graph, directed=False)[0]


def test_orientation_is_mended_and_unused_points_are_dropped():
    mesh = make_mesh(SQUARE, [[0, 2, 1], [0, 2, 3]], {"edge": [[2, 1]]})
    assert len(mesh.points) == 4
    assert signed_volumes(mesh.points, mesh.cells) == pytest.approx([0.5, 0.5])
    assert mesh.tags["edge"].tolist() == [[2, 1]]


@pytest.mark.parametrize(
    ("points", "cells", "tags", "message"),
    [
        (SQUARE, np.empty((0, 3)), {}, "no cells"),
        (SQUARE, [[0, 1, 9]], {}, "does not exist"),
        (SQUARE, [[0, 1, 2, 3]], {}, "triangles"),
        (SQUARE * np.nan, [[0, 1, 2]], {}, "not finite"),
        (np.array([[0.0, 0], [1, 0], [2, 0]]), [[0, 1, 2]], {}, "flat"),
        (SQUARE**[1, 2], [[0, 1, 2], [0, 2, 3], [0, 2, 4]], {}, "more than two cells"),
        (SQUARE, [[0, 1, 2]], {"a": [[0, 3]]}, "no cell of the mesh uses"),
        (SQUARE, [[0, 1, 2], [2, 3, 4]], {"a": [[0, 3]]}, "belong to no cell"),
        # The point (1, 0) lies in the middle of the side of the lower triangle.
        (np.array([[0.0, 0], [2, 0], [1, -1], [1, 0], [0, 1], [2, 1]]),
         [[0, 1, 2], [0, 3, 4], [3, 1, 5], [3, 5, 4]], {}, "not conforming"),
    ],
)  # fmt: skip
def test_bad_arrays_are_refused(points, cells, tags, message):
    with pytest.raises(ValueError, match=message):
        make_mesh(points, np.asarray(cells, np.int64), tags)


def test_hanging_point_in_3d_is_found():
    box = box_mesh([0, 0, 0], [1, 1, 1], [1, 1, 1])
    fine = box_mesh([1, 0, 0], [2, 1, 1], [1, 3, 3])
    points = np.concatenate([box.points, fine.points])
    with pytest.raises(ValueError, match="not conforming"):
        make_mesh(points, np.concatenate([box.cells, fine.cells + len(box.points)]))


@pytest.mark.parametrize("dim", [2, 3])
def test_box(dim):
    mesh = box_mesh([0, 1, 2][:dim], [2, 2, 5][:dim], [4, 3, 2][:dim])
    assert mesh.volumes().sum() == pytest.approx({2: 2.0, 3: 6.0}[dim], rel=1e-13)
    assert len(mesh.cells) == {2: 24, 3: 144}[dim]
    assert euler(mesh.cells) == 1
    sides = np.concatenate([f for name, f in mesh.tags.items() if name != "outer"])
    assert len(sides) == len(mesh.tags["outer"]) == len(boundary_facets(mesh.cells))


def test_quality_of_known_simplices():
    regular = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    assert make_mesh(regular, [[0, 1, 2, 3]]).quality() == pytest.approx([1.0])
    right = np.array([[0.0, 0], [1, 0], [0, 1]])
    # inradius (2 − √2)/2, circumradius √2/2
    assert make_mesh(right, [[0, 1, 2]]).quality() == pytest.approx([2 * (2 - 2**0.5) / 2**0.5])


@pytest.mark.parametrize("dim", [2, 3])
def test_a_slit_doubles_its_nodes_but_not_its_tip(dim):
    mesh = box_mesh([0] * dim, [2, 1, 1][:dim], [8, 4, 2][:dim])
    facets = interior_facets(mesh, lambda p: (np.abs(p[..., 1] - 0.5) < 1e-9) & (p[..., 0] < 1.2))
    cut = split_along(mesh, facets, np.eye(dim)[1])
    checked = make_mesh(cut.points, cut.cells, cut.tags)
    layers = 1 if dim == 2 else 3
    assert len(cut.points) - len(mesh.points) == 4 * layers  # x = 0, ¼, ½, ¾; the tip at x = 1 stays one node
    assert euler(cut.cells) == 1  # a slit from the side leaves a ball
    upper, lower = cut.tags["upper"], cut.tags["lower"]
    assert (cut.points[upper] == cut.points[lower]).all()
    behind = cut.points[upper][..., 0] < 0.9
    assert ((upper != lower) == behind).all()
    for name, sign in (("upper", 1), ("lower", -1)):
        at_face = np.isin(cut.cells, np.setdiff1d(cut.tags[name], np.intersect1d(upper, lower))).any(1)
        height = cut.points[cut.cells].mean(1)[at_face, 1] - 0.5
        assert (sign * height > 0).all()
    assert len(boundary_facets(checked.cells)) == len(boundary_facets(mesh.cells)) + 2 * len(facets)
    assert len(np.unique(cut.tags["left"])) == len(np.unique(mesh.tags["left"])) + layers


def test_a_cut_through_separates_and_branches_meet():
    mesh = box_mesh([0, 0], [2, 2], [4, 4])
    through = interior_facets(mesh, lambda p: np.abs(p[..., 1] - 1) < 1e-9)
    assert parts(split_along(mesh, through, np.array([0, 1])).cells) == 2
    branch = interior_facets(mesh, lambda p: (np.abs(p[..., 0] - 1) < 1e-9) & (p[..., 1] > 0.9))
    three = split_along(mesh, np.concatenate([through, branch]), np.array([0.1, 1]))
    assert parts(three.cells) == 3
    assert (np.abs(three.points - [1, 1]).max(1) < 1e-9).sum() == 3


def test_only_interior_facets_can_be_cut():
    mesh = box_mesh([0, 0], [1, 1], [2, 2])
    with pytest.raises(ValueError, match="between two cells"):
        split_along(mesh, mesh.tags["left"], np.array([0, 1]))
