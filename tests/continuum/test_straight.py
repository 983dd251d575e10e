"""Quadratic elements that are linear in a part of the mesh."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from multiscale.continuum.bulk import Bulk
from tests.continuum.materials import NeoHooke
from tests.continuum.test_bulk import distorted, inner_nodes, slope, sparse

SELF = MPI.COMM_SELF


def half(x):
    return x[:, 0] < 1.0


def everywhere(x):
    return np.ones(len(x), bool)


def rough(b, size=0.02):
    return size * np.random.default_rng(3).normal(size=b.n_owned)


@pytest.mark.parametrize("dim", [2, 3])
def test_linear_everywhere_is_degree_one(dim):
    """Energy, forces and interpolation are those of linear elements, whatever the middle nodes do."""
    mesh = distorted(dim)
    one, two = Bulk(SELF, mesh, NeoHooke()), Bulk(SELF, mesh, NeoHooke(), degree=2, linear=everywhere)
    at = {tuple(x): k for k, x in enumerate(np.round(two.node_coordinates(), 9))}
    same = np.array([at[tuple(x)] for x in np.round(one.node_coordinates(), 9)])
    free = np.setdiff1d(np.arange(two.n_owned // 3), two.bound_nodes)
    np.testing.assert_array_equal(np.sort(same), free)
    u = rough(two)
    low = u.reshape(-1, 3)[same]
    (e1, g1), (e2, g2) = one.energy_gradient(low.ravel()), two.energy_gradient(u)
    assert e2 == pytest.approx(e1, rel=1e-12)
    np.testing.assert_allclose(g2.reshape(-1, 3)[same], g1.reshape(-1, 3), atol=1e-12)
    x = np.random.default_rng(0).uniform(0.1, 0.9, (20, 3))
    t1, t2 = one.tabulate(x), two.tabulate(x)
    a = np.einsum("nk,nkc->nc", t1.values, low[t1.nodes])
    np.testing.assert_allclose(np.einsum("nk,nkc->nc", t2.values, u.reshape(-1, 3)[t2.nodes]), a, atol=1e-13)
    b = np.einsum("nkd,nkc->ncd", t1.gradients, low[t1.nodes])
    np.testing.assert_allclose(
        np.einsum("nkd,nkc->ncd", t2.gradients, u.reshape(-1, 3)[t2.nodes]), b, atol=1e-12
    )


@pytest.mark.parametrize("dim", [2, 3])
def test_derivatives_where_both_kinds_meet(dim):
    b = Bulk(SELF, distorted(dim), NeoHooke(), degree=2, linear=half)
    assert 0 < len(b.bound_nodes) < b.n_owned // 3
    u, v, h = rough(b), rough(b, 1.0), 2e-6
    (up, g_up), (down, g_down) = b.energy_gradient(u + h * v), b.energy_gradient(u - h * v)
    gradient = b.energy_gradient(u)[1]
    assert gradient @ v == pytest.approx((up - down) / (2 * h), rel=1e-6)
    assert not gradient.reshape(-1, 3)[b.bound_nodes].any()
    free = np.repeat(~np.isin(np.arange(b.n_owned // 3), b.bound_nodes), 3)
    product, numeric = (sparse(b.stiffness(u)) @ v)[free], ((g_up - g_down) / (2 * h))[free]
    np.testing.assert_allclose(product, numeric, atol=1e-6 * np.abs(numeric).max())


@pytest.mark.parametrize("dim", [2, 3])
def test_patch_test_where_both_kinds_meet(dim):
    b = Bulk(SELF, distorted(dim), NeoHooke(), degree=2, linear=half)
    _, gradient = b.energy_gradient((b.node_coordinates() @ slope(dim).T).ravel())
    assert np.abs(gradient.reshape(-1, 3)[inner_nodes(b)]).max() < 1e-13
