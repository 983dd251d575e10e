"""Quadratic elements that are linear in a part of the mesh."""

from __future__ import annotations

import numpy as np
import pytest

from multiscale.continuum.bulk import Bulk
from tests.continuum.materials import NeoHooke
from tests.continuum.test_bulk import distorted, inner_nodes, slope, sparse
from tests.mpi import COMM, gathered, largest, rough, total


def half(x):
    return x[:, 0] < 1.0


def everywhere(x):
    return np.ones(len(x), bool)


@pytest.mark.parametrize("dim", [2, 3])
def test_linear_everywhere_is_degree_one(dim):
    """Energy, forces and interpolation are those of linear elements, whatever the middle nodes do."""
    mesh = distorted(dim)
    one, two = Bulk(COMM, mesh, NeoHooke()), Bulk(COMM, mesh, NeoHooke(), degree=2, linear=everywhere)
    at = {tuple(x): k for k, x in enumerate(np.round(gathered(two.node_coordinates()), 9))}
    same = np.array([at[tuple(x)] for x in np.round(gathered(one.node_coordinates()), 9)])
    free = np.flatnonzero(gathered(~np.isin(np.arange(two.n_owned // 3), two.bound_nodes)))
    np.testing.assert_array_equal(np.sort(same), free)
    u = 0.02 * rough(two.node_coordinates()).ravel()
    whole = gathered(u.reshape(-1, 3))
    low, n = whole[same], one.n_owned // 3
    first = sum(COMM.allgather(n)[: COMM.rank])
    (e1, g1), (e2, g2) = one.energy_gradient(low[first : first + n].ravel()), two.energy_gradient(u)
    assert total(e2) == pytest.approx(total(e1), rel=1e-12)
    g1, g2 = (gathered(g.reshape(-1, 3)) for g in (g1, g2))
    np.testing.assert_allclose(g2[same], g1, atol=1e-12)
    x = np.random.default_rng(0).uniform(0.1, 0.9, (20, 3))
    t1, t2 = one.tabulate(x), two.tabulate(x)
    a = np.einsum("nk,nkc->nc", t1.values, low[t1.nodes])
    np.testing.assert_allclose(np.einsum("nk,nkc->nc", t2.values, whole[t2.nodes]), a, atol=1e-13)
    b = np.einsum("nkd,nkc->ncd", t1.gradients, low[t1.nodes])
    np.testing.assert_allclose(np.einsum("nkd,nkc->ncd", t2.gradients, whole[t2.nodes]), b, atol=1e-12)


@pytest.mark.parametrize("dim", [2, 3])
def test_derivatives_where_both_kinds_meet(dim):
    b = Bulk(COMM, distorted(dim), NeoHooke(), degree=2, linear=half)
    assert 0 < total(len(b.bound_nodes)) < total(b.n_owned // 3)
    x, h = b.node_coordinates(), 2e-6
    u, v = 0.02 * rough(x).ravel(), rough(x, 1).ravel()
    (up, g_up), (down, g_down) = b.energy_gradient(u + h * v), b.energy_gradient(u - h * v)
    gradient = b.energy_gradient(u)[1]
    assert total(gradient @ v) == pytest.approx(total(up - down) / (2 * h), rel=1e-6)
    assert not gradient.reshape(-1, 3)[b.bound_nodes].any()
    free = np.repeat(~np.isin(np.arange(b.n_owned // 3), b.bound_nodes), 3)
    product, numeric = sparse(b.stiffness(u)) @ gathered(v), gathered(g_up - g_down) / (2 * h)
    product, numeric = (values[gathered(free)] for values in (product, numeric))
    np.testing.assert_allclose(product, numeric, atol=1e-6 * np.abs(numeric).max())


@pytest.mark.parametrize("dim", [2, 3])
def test_patch_test_where_both_kinds_meet(dim):
    b = Bulk(COMM, distorted(dim), NeoHooke(), degree=2, linear=half)
    _, gradient = b.energy_gradient((b.node_coordinates() @ slope(dim).T).ravel())
    assert largest(gradient.reshape(-1, 3)[inner_nodes(b)]) < 1e-13
