"""The bulk: patch tests, derivatives, interpolation, convergence to a known solution."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.sparse import csr_matrix, vstack
from scipy.sparse.linalg import spsolve

from meshes.box import box_mesh
from meshes.data import boundary_facets, make_mesh
from multiscale.continuum.bulk import Bulk
from tests.continuum.materials import NeoHooke, anisotropic, random_tensor
from tests.mpi import COMM, gathered, largest, rough, total

EVERY = pytest.mark.parametrize(("dim", "degree"), [(2, 1), (2, 2), (3, 1), (3, 2)])


def distorted(dim, n=4, seed=1):
    """A box whose inner points are moved at random by up to 15 % of the spacing."""
    mesh = box_mesh(
        [0.0] * dim, [2.0, 1.0, 1.5][:dim], [2 * n, n, n][:dim] if dim == 2 else [n, n // 2, n - 1]
    )
    inner = np.setdiff1d(np.arange(len(mesh.points)), boundary_facets(mesh.cells))
    spacing = mesh.volumes().max() ** (1 / dim)
    points = mesh.points.copy()
    points[inner] += 0.15 * spacing * np.random.default_rng(seed).uniform(-1, 1, (len(inner), dim))
    return make_mesh(points, mesh.cells, mesh.tags)


@cache
def bulk(dim, degree, law="linear", thickness=1.0):
    material = anisotropic() if law == "linear" else NeoHooke()
    return Bulk(COMM, distorted(dim), material, thickness, degree)


def slope(dim, size=0.1):
    H = size * np.random.default_rng(5).normal(size=(3, 3))
    H[:, dim:] = 0.0
    return H


def inner_nodes(b):
    return np.setdiff1d(np.arange(b.n_owned // 3), b.tagged_dofs("outer"))


def sparse(matrix):
    """The rows of all ranks, on each."""
    rows = csr_matrix(matrix.getValuesCSR()[::-1], shape=(matrix.getLocalSize()[0], matrix.getSize()[1]))
    return vstack(COMM.allgather(rows)).tocsr()


@EVERY
@pytest.mark.parametrize("law", ["linear", "neo-hooke"])
def test_a_linear_displacement_is_in_equilibrium(dim, degree, law):
    thickness = 2.5 if dim == 2 else 1.0
    b, H = bulk(dim, degree, law, thickness), slope(dim)
    energy, gradient = b.energy_gradient((b.node_coordinates() @ H.T).ravel())
    assert largest(gradient.reshape(-1, 3)[inner_nodes(b)]) < 1e-13
    W, P = (anisotropic() if law == "linear" else NeoHooke()).evaluate(np.eye(3)[None] + H)
    assert total(energy) == pytest.approx(W[0] * (2.0 * 1.0 * thickness if dim == 2 else 3.0), rel=1e-12)
    moment = total(gradient.reshape(-1, 3).T @ b.node_coordinates())  # Σ f ⊗ x = ∫ P dx
    volume = 2.0 * thickness if dim == 2 else 3.0
    assert moment[:, :dim] == pytest.approx(volume * P[0][:, :dim], rel=1e-10, abs=1e-12)


@EVERY
def test_gradient_and_stiffness_are_derivatives(dim, degree):
    b = bulk(dim, degree, "neo-hooke")
    b.set_fraction(0.5 + 0.5 * np.sin(b.original_cells))
    u, v = 0.01 * rough(b.node_coordinates()).ravel(), rough(b.node_coordinates(), 1).ravel()
    h = 1e-4
    (e3, _), (e1, g1), (e0, g0), (e2, _) = (b.energy_gradient(u + s * h * v / 10) for s in (2, 1, -1, -2))
    gradient = b.energy_gradient(u)[1]
    numeric = total(8.0 * (e1 - e0) - (e3 - e2)) / (1.2 * h)
    assert numeric == pytest.approx(total(gradient @ v), rel=1e-6)
    K = sparse(b.stiffness(u))
    product, change = K @ gathered(v), gathered(g1 - g0) / (0.2 * h)
    assert product == pytest.approx(change, rel=1e-5, abs=1e-5 * np.abs(product).max())
    assert np.abs(K - K.T).max() < 1e-12 * np.abs(K).max()
    b.set_fraction(np.ones(len(b.volumes)))


@EVERY
def test_rigid_motions_cost_nothing(dim, degree):
    b = bulk(dim, degree)
    matrix = b.stiffness()
    assert matrix.getBlockSize() == 3
    modes = np.stack([gathered(v.array) for v in b.near_nullspace().getVecs()])
    assert len(modes) == {2: 4, 3: 6}[dim]
    assert modes @ modes.T == pytest.approx(np.eye(len(modes)), abs=1e-12)
    assert np.abs(sparse(matrix) @ modes.T).max() < 1e-12 * np.abs(sparse(matrix)).max()
    dense = sparse(matrix).toarray()
    if len(dense) < 1000:
        assert np.sum(np.linalg.eigvalsh(dense) < 1e-9 * np.abs(dense).max()) == len(modes)


def test_fraction_weighs_cells():
    b, rng = bulk(2, 1), np.random.default_rng(0)
    u = rng.normal(size=b.n_owned)
    fraction = rng.uniform(size=len(b.volumes)) * (rng.uniform(size=len(b.volumes)) > 0.3)
    cells = b.cell_fields(u)["energy_density"] * b.volumes
    b.set_fraction(fraction)
    assert total(b.energy_gradient(u)[0]) == pytest.approx(total(fraction @ cells), rel=1e-12)
    assert (b.cell_fields(u)["fraction"] == fraction).all()
    b.set_fraction(np.ones(len(b.volumes)))
    with pytest.raises(ValueError, match="one per owned cell"):
        b.set_fraction(np.ones(3))


def test_a_torn_cell_without_weight_does_no_harm():
    b = bulk(2, 1, "neo-hooke")
    u = np.zeros(b.n_owned)
    x = b.node_coordinates()
    torn = gathered(x[inner_nodes(b)])[
        0
    ]  # its displacement turns cells around it inside out, of whatever rank
    u.reshape(-1, 3)[np.linalg.norm(x - torn, axis=1) < 1e-9] = [3.0, 0.0, 0.0]
    touched = (np.linalg.norm(b.cell_geometry() - torn[:2], axis=2) < 1e-9).any(1)
    assert total(touched.sum()) > 3 and total(np.abs(u).sum()) == 3.0
    b.set_fraction(np.where(touched, 0.0, 1.0))
    energy, gradient = b.energy_gradient(u)
    assert energy == 0.0 and (gradient == 0.0).all()
    assert np.isfinite(sparse(b.stiffness(u)).data).all()
    b.set_fraction(np.ones(len(b.volumes)))


@EVERY
def test_tabulate_reproduces_polynomials(dim, degree):
    b, rng = bulk(dim, degree), np.random.default_rng(2)
    A, B = rng.normal(size=(3, dim)), rng.normal(size=(3, dim, dim)) * (degree - 1)

    def field(x):
        return x @ A.T + np.einsum("nj,ijk,nk->ni", x, B, x)

    def derivative(x):
        return A + np.einsum("ijk,nk->nij", B + np.swapaxes(B, 1, 2), x)

    points = np.zeros((500, 3))
    points[:, :dim] = rng.uniform(-0.1, [2.1, 1.1, 1.6][:dim], (500, dim))
    corners = gathered(b.output_mesh()[0])
    points[:100] = corners[rng.integers(len(corners), size=100)]  # nodes belong to several cells
    points[:, dim:] = rng.normal(size=(500, 3 - dim))  # the thickness does not matter
    inside = ((points >= 0) & (points <= [2.0, 1.0, 1.5]))[:, :dim].all(1)
    table = b.tabulate(points)
    assert (table.found == inside).all() and 0 < inside.sum() < 500
    u = gathered(field(b.node_coordinates()[:, :dim]))
    x = points[inside][:, :dim]
    values = np.einsum("nk,nki->ni", table.values, u[table.nodes])
    slopes = np.einsum("nkj,nki->nij", table.gradients, u[table.nodes])
    assert values[inside] == pytest.approx(field(x), abs=1e-12)
    assert slopes[inside][..., :dim] == pytest.approx(derivative(x), abs=1e-11)
    assert (table.values[~inside] == 0).all() and (table.gradients[~inside] == 0).all()
    assert (table.gradients[..., dim:] == 0).all()


def test_points_on_the_boundary_are_found_and_ties_go_to_the_first_cell():
    mesh = distorted(2)
    b = Bulk(COMM, mesh, anisotropic())
    edge = np.array([[2.0 + 1e-10, 0.3, 0], [2.0 + 1e-6, 0.3, 0], [-1e-10, -1e-10, 0], [0.7, 1.0, 0]])
    assert b.tabulate(edge).found.tolist() == [True, False, True, True]
    nodes = np.concatenate([mesh.points, np.zeros((len(mesh.points), 1))], axis=1)
    first = np.array([np.flatnonzero((mesh.cells == i).any(1))[0] for i in range(len(nodes))])
    table = b.tabulate(nodes)
    x = gathered(b.node_coordinates())[table.nodes][..., :2]
    for i, cell in enumerate(first):
        corners = mesh.points[mesh.cells[cell]]
        assert sorted(map(tuple, x[i].round(9))) == sorted(map(tuple, corners.round(9)))


@EVERY
def test_tagged_nodes(dim, degree):
    b, mesh = bulk(dim, degree), distorted(dim)
    x = b.node_coordinates()
    everywhere = gathered(x)
    for tag, axis, value in (("left", 0, 0.0), ("right", 0, 2.0), ("top", 1, 1.0)):
        assert b.tagged_dofs(tag).tolist() == np.flatnonzero(np.abs(x[:, axis] - value) < 1e-12).tolist()
        nodes = b.facet_nodes(tag)
        corners = everywhere[nodes[:, :dim]][..., :dim]
        assert corners == pytest.approx(
            mesh.points[mesh.tags[tag]], abs=1e-14
        )  # same order of rows and points
        if degree == 2:
            pairs = [(0, 1)] if dim == 2 else [(0, 1), (0, 2), (1, 2)]
            middle = np.stack([corners[:, [i, j]].mean(1) for i, j in pairs], 1)
            assert everywhere[nodes[:, dim:]][..., :dim] == pytest.approx(middle, abs=1e-14)
    with pytest.raises(KeyError):
        b.tagged_dofs("nowhere")


@EVERY
def test_output(dim, degree):
    b, H = bulk(dim, degree, "neo-hooke"), slope(dim)
    u = (b.node_coordinates() @ H.T).ravel()
    points, cells = b.output_mesh()
    assert points[cells][..., :dim] == pytest.approx(b.cell_geometry())
    assert b.to_local(u) == pytest.approx(points @ H.T, abs=1e-14)
    fields, F = b.cell_fields(u), np.eye(3) + H
    W, P = NeoHooke().evaluate(F[None])
    cauchy = P[0] @ F.T / np.linalg.det(F)
    assert fields["stress"] == pytest.approx(np.broadcast_to(cauchy, fields["stress"].shape), abs=1e-12)
    assert fields["stress"] == pytest.approx(np.swapaxes(fields["stress"], 1, 2), abs=1e-13)
    assert fields["strain"][0] == pytest.approx(0.5 * (F.T @ F - np.eye(3)), abs=1e-13)
    assert fields["energy_density"] == pytest.approx(W[0])


def l2_error(n, degree):
    """Error of u = a sin(k·x) in an anisotropic body under the body force that it needs."""
    C, law = random_tensor(), anisotropic()
    a, k = np.array([0.3, -0.2, 0.5]), np.array([2.0, 3.0, 0.0])
    b = Bulk(COMM, distorted(2, n), law, 1.0, degree)

    def exact(x):
        return np.sin(x @ k)[:, None] * a

    force = np.einsum("ijkl,k,j,l->i", C, a, k, k)  # −div C:∇u = force · sin(k·x)
    # Six-point rule of degree 4 on the reference triangle (Strang & Fix 1973).
    p, q, w = 0.445948490915965, 0.091576213509771, (0.223381589678011, 0.109951743655322)
    bary = np.array([np.roll([1 - 2 * s, s, s], i) for s in (p, q) for i in range(3)])
    weights = np.repeat(w, 3)
    x = np.einsum("qv,cvd->cqd", bary, b.cell_geometry()).reshape(-1, 2)
    x = np.concatenate([x, np.zeros((len(x), 1))], axis=1)
    dx = (b.volumes[:, None] * weights).ravel()
    table = b.tabulate(x)
    u = exact(gathered(b.node_coordinates()))
    load = np.zeros_like(u)
    np.add.at(load, table.nodes, (dx[:, None] * table.values * np.sin(x @ k)[:, None])[..., None] * force)
    load = total(load)
    inner = np.flatnonzero(gathered(np.isin(np.arange(b.n_owned // 3), inner_nodes(b))))
    free = (3 * inner[:, None] + np.arange(3)).ravel()
    u.reshape(-1)[free] = 0.0
    K = sparse(b.stiffness())
    u.reshape(-1)[free] = spsolve(K[free][:, free].tocsc(), (load.ravel() - K @ u.ravel())[free])
    error = np.einsum("nk,nki->ni", table.values, u[table.nodes]) - exact(x)
    return np.sqrt(total(dx @ np.sum(error**2, axis=1)))


@pytest.mark.parametrize("degree", [1, 2])
def test_convergence_to_a_manufactured_solution(degree):
    """Optimal order in the mean square: degree + 1."""
    errors = [l2_error(n, degree) for n in (8, 16, 32)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders[-1] == pytest.approx(degree + 1, abs=0.15)


def test_bad_arguments():
    mesh = distorted(2)
    with pytest.raises(ValueError, match="degree 1 or 2"):
        Bulk(COMM, mesh, anisotropic(), degree=3)
    with pytest.raises(ValueError, match="thickness"):
        Bulk(COMM, mesh, anisotropic(), thickness=0.0)
    with pytest.raises(ValueError, match="plane mesh"):
        Bulk(COMM, distorted(3), anisotropic(), thickness=2.0)
