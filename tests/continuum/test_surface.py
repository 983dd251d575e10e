"""Jumps across a cut mesh: opening, area and frame, wherever the nodes are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coupling.transfer import Layout
from meshes.box import box_mesh
from meshes.data import cell_facets
from meshes.disc import LatticePatch, Slit, graded_disc
from meshes.split import split_along
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.surface import make_surface
from tests.continuum.materials import NeoHooke
from tests.mpi import COMM, gathered

A = np.array([0.3, -0.2, 0.5])
B = 0.01 * np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])


def disc():
    lattice = LatticePatch(np.array([[3.0, 0], [1.5, 1.5 * 3**0.5]]), np.zeros(2), 30.0)
    return graded_disc(100.0, hole=12.0, patch=lattice, crack=Slit((0.0, 0.0), through=True))


def box():
    mesh = box_mesh([0.0, -3.0, 0.0], [4.0, 3.0, 2.0], [3, 4, 2])
    facets = np.unique(np.sort(cell_facets(mesh.cells).reshape(-1, 3), axis=1), axis=0)
    middle = (np.abs(mesh.points[facets][:, :, 1]) < 1e-9).all(1)
    return split_along(
        mesh, facets[middle], np.array([0.0, 1.0, 0.0]), ("interface_upper", "interface_lower")
    )


def layout_of(bulk: Bulk) -> Layout:
    """Of a mesh without atoms. Collective."""
    nodes = np.cumsum([0, *bulk.comm.allgather(bulk.n_owned // 3)])
    return Layout(bulk.comm.rank, np.zeros_like(nodes), nodes)


def opened(bulk: Bulk, surface, jump) -> np.ndarray:
    """Openings in laboratory axes, (m, 3), where the upper half is moved by A + B x."""
    x = bulk.node_coordinates()
    upper = np.isin(np.arange(len(x)), bulk.tagged_dofs("interface_upper")) | (x[:, 1] > 1e-9)
    q = jump.createVecRight()
    values = upper[:, None] * (A + x @ B.T)
    values[bulk.bound_nodes] = 99.0  # nobody looks there
    q.array[:] = values.ravel()
    return (jump * q).array_r.reshape(-1, 3) @ surface.frame


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("make", [disc, box])
def test_a_linear_jump_is_integrated_exactly(make, degree) -> None:
    data = make()
    bulk = Bulk(COMM, data, NeoHooke(), 2.0 if data.dim == 2 else 1.0, degree, lambda x: x[:, 0] < 20.0)
    surface = make_surface(bulk, [("interface_upper", "interface_lower")])
    layout = layout_of(bulk)
    delta = opened(bulk, surface, surface.jump(layout))
    exact = A + surface.points @ B.T
    assert np.ptp(gathered(delta[:, 0])) > 0.01
    np.testing.assert_allclose(delta, exact, atol=1e-12)
    np.testing.assert_allclose(
        opened(bulk, replace(surface, frame=np.eye(3)), surface.mean(layout)), exact / 2, atol=1e-12
    )
    x, area = gathered(surface.points[:, 0]), gathered(surface.area)
    length, depth = np.ptp(x), 2.0
    assert area.sum() == pytest.approx(length * depth, rel=1e-12)
    assert area @ x == pytest.approx(0.5 * length * depth * (x.min() + x.max()), rel=1e-12)
    if degree == 2:  # then squares of linear functions too
        cubes = (x.max() ** 3 - x.min() ** 3) / 3.0
        assert area @ x**2 == pytest.approx(cubes * depth, rel=1e-12)


def test_faces_that_do_not_match_are_refused() -> None:
    bulk = Bulk(COMM, disc(), NeoHooke())
    with pytest.raises(ValueError, match="do not match"):
        make_surface(bulk, [("crack_upper", "outer")])
