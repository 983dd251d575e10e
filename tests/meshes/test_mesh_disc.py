"""Graded discs and balls: shape, lattice sites, sizes, tags, cracks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from meshes.ball import graded_ball
from meshes.data import boundary_facets, cell_facets, facet_numbers
from meshes.disc import Band, LatticePatch, Slit, graded_disc, graded_plate
from tests.meshes.test_mesh_data import euler

A = 3.3
TRIANGULAR = np.array([[A, 0], [A / 2, A * 0.75**0.5]])
CENTRED = np.array([[2.7, 1.9], [2.7, -1.9]])  # no edge of its Delaunay triangles lies along x


def box(x, y):
    return lambda p: np.max(np.abs(p) - [x, y], axis=-1)


def patch(radius, vectors=TRIANGULAR, origin=(0.4, 0.0)):
    return LatticePatch(vectors, np.asarray(origin), radius)


CASES = {
    "plain": dict(radius=100.0, h=2.0),
    "plain crack": dict(radius=100.0, h=2.0, crack=Slit((5.0, 1.0))),
    "hole": dict(radius=200.0, hole=10.0, centre=(3.0, -4.0)),
    "hole crack": dict(radius=200.0, hole=10.0, crack=Slit((1.0, 0.5))),
    "long hole": dict(radius=300.0, h=2.0, hole=lambda p: np.hypot(p[:, 0] / 30, p[:, 1] / 8) - 1),
    "patch": dict(radius=1000.0, hole=20.0, patch=patch(40.0)),
    "patch crack": dict(radius=1000.0, hole=20.0, patch=patch(40.0), crack=Slit((1.0, 0.0))),
    "wide patch": dict(radius=120.0, hole=20.0, patch=patch(40.0), crack=Slit((1.0, 0.0))),
    "small patch": dict(radius=4000.0, hole=20.0, patch=patch(40.0), crack=Slit((1.0, 0.0))),
    "no hole": dict(radius=300.0, patch=patch(40.0, origin=(0, 0)), crack=Slit((2 * A, 0.0))),
    "centred": dict(radius=300.0, hole=15.0, patch=patch(40.0, CENTRED), crack=Slit((0.0, 0.0))),
    "box": dict(radius=300.0, hole=box(20, 8), patch=patch(box(40, 28)), crack=Slit((0.0, 0.0))),
}


def flux(mesh, names):
    """Volume enclosed by tagged facets, ∮ x·n dS / dim, facets turned so that the mesh lies inside."""
    facets = np.concatenate([mesh.tags[n] for n in names])
    v, opposite = mesh.points[facets], _opposite(mesh, facets)
    if mesh.dim == 2:
        t = v[:, 1] - v[:, 0]
        normal = np.stack([t[:, 1], -t[:, 0]], 1)
    else:
        normal = 0.5 * np.cross(v[:, 1] - v[:, 0], v[:, 2] - v[:, 0])
    middle = v.mean(1)
    out = np.sign(np.sum(normal * (middle - opposite), axis=1))[:, None] * normal
    return np.sum(out * middle) / mesh.dim


def _opposite(mesh, facets):
    """The corner of the facets' cells that does not belong to the facet."""
    number, wanted = facet_numbers(cell_facets(mesh.cells), facets)
    order = np.argsort(number.ravel(), kind="stable")
    at = order[np.searchsorted(number.ravel()[order], wanted)]
    k = mesh.dim + 1
    return mesh.points[mesh.cells[at // k, at % k]]


def smallest_angle(mesh):
    v = mesh.points[mesh.cells]
    cosines = []
    for i in range(3):
        a, b = v[:, (i + 1) % 3] - v[:, i], v[:, (i + 2) % 3] - v[:, i]
        cosines.append(np.sum(a * b, 1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))
    return np.degrees(np.arccos(np.max(cosines)))


@pytest.mark.parametrize("name", CASES)
def test_disc(name):
    case = CASES[name]
    mesh, again = graded_disc(**case), graded_disc(**case)
    assert np.array_equal(mesh.points, again.points) and np.array_equal(mesh.cells, again.cells)
    assert smallest_angle(mesh) > 30.0
    tags = ["outer"] + ["inner"] * ("hole" in case) + ["crack_upper", "crack_lower"] * ("crack" in case)
    assert set(mesh.tags) == set(tags) | ({"crack_ahead"} if "crack" in case else set())
    assert sum(len(mesh.tags[t]) for t in tags) == len(boundary_facets(mesh.cells))
    assert flux(mesh, tags) == pytest.approx(mesh.volumes().sum(), rel=1e-12)
    on_rim = mesh.points[np.unique(mesh.tags["outer"])] - case.get("centre", (0, 0))
    assert np.linalg.norm(on_rim, axis=1) == pytest.approx(case["radius"], rel=1e-12)
    n = len(mesh.tags["outer"])
    polygon = 0.5 * n * np.sin(2 * np.pi / n) * case["radius"] ** 2
    assert flux(mesh, ["outer"]) == pytest.approx(polygon, rel=2e-3)
    # A disc has Euler characteristic 1, a ring 0; a cut from the hole outwards makes the ring a disc.
    assert euler(mesh.cells) == (0 if "hole" in case and "crack" not in case else 1)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if "crack" in c])
def test_crack_faces(name):
    mesh, tip = graded_disc(**CASES[name]), np.asarray(CASES[name]["crack"].tip)
    upper, lower, ahead = (mesh.tags[f"crack_{n}"] for n in ("upper", "lower", "ahead"))
    assert (mesh.points[upper] == mesh.points[lower]).all()
    assert (mesh.points[np.concatenate([upper, ahead])][..., 1] == tip[1]).all()
    shared = np.intersect1d(upper, lower)
    assert len(shared) == (0 if "hole" in CASES[name] else 1)
    assert mesh.points[shared] == pytest.approx(np.broadcast_to(tip, (len(shared), 2)), abs=1e-9)
    for face, sign in ((upper, 1), (lower, -1)):
        at_face = np.isin(mesh.cells, np.setdiff1d(face, shared)).any(1)
        assert (sign * (mesh.points[mesh.cells[at_face]].mean(1)[:, 1] - tip[1]) > 0).all()
    length = mesh.points[upper][..., 0]
    assert length.min() == pytest.approx(-np.sqrt(CASES[name]["radius"] ** 2 - tip[1] ** 2), rel=1e-12)
    covered = np.abs(np.diff(length, axis=1)).sum()
    assert covered == pytest.approx(length.max() - length.min(), rel=1e-12)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if "crack" in c])
def test_a_slit_right_through_has_two_faces_of_the_same_edges_ahead_of_the_tip(name):
    case = CASES[name]
    plain, tip = graded_disc(**case), np.asarray(case["crack"].tip)
    mesh = graded_disc(**{**case, "crack": Slit(case["crack"].tip, through=True)})
    upper, lower = mesh.tags["interface_upper"], mesh.tags["interface_lower"]
    x = mesh.points[upper]
    assert (x == mesh.points[lower]).all() and not np.isin(upper, lower).any()
    assert np.sort(x, axis=0) == pytest.approx(np.sort(plain.points[plain.tags["crack_ahead"]], axis=0))
    assert len(mesh.tags["crack_upper"]) == len(plain.tags["crack_upper"])
    faces = [f"{a}_{b}" for a in ("crack", "interface") for b in ("upper", "lower")]
    tags = ["outer"] + ["inner"] * ("hole" in case) + faces
    assert flux(mesh, tags) == pytest.approx(mesh.volumes().sum(), rel=1e-12)
    assert euler(mesh.cells) == 2  # two halves
    end = np.sqrt(case["radius"] ** 2 - tip[1] ** 2)
    assert x[..., 0].max() == pytest.approx(end, rel=1e-12) and x[..., 0].min() >= tip[0] - 1e-9
    corner = np.unique(upper[x[..., 0] > end - 1e-6]), np.unique(lower[x[..., 0] > end - 1e-6])
    assert np.isin(corner, mesh.tags["outer"]).all()  # both copies are held where the plane ends


@pytest.mark.parametrize("h", [1.5, 8.0])
def test_a_band_ahead_of_the_tip_is_as_fine_as_asked(h):
    case = dict(radius=1000.0, hole=20.0, patch=patch(40.0), crack=Slit((1.0, 0.0), through=True))
    mesh = graded_disc(**case, band=Band(h, 200.0))
    x = np.sort(mesh.points[mesh.tags["interface_upper"]][..., 0], axis=1)
    size = np.diff(x, axis=1).ravel()
    near = (x[:, 0] > 60.0) & (x[:, 1] < 202.0)
    assert size[near] == pytest.approx(h, rel=0.1)
    assert size.max() > 5 * h and smallest_angle(mesh) > 25.0
    everywhere = graded_disc(**case, band=Band(8.0, 2000.0))  # to the rim of the disc
    x = np.sort(everywhere.points[everywhere.tags["interface_upper"]][..., 0], axis=1)
    assert np.diff(x, axis=1).max() < 1.1 * 8.0


@pytest.mark.parametrize(("vectors", "edge"), [(TRIANGULAR, A), (CENTRED, 5.4)])
def test_every_lattice_site_of_the_patch_is_a_node(vectors, edge):
    origin = np.array([0.4, 0.0])
    mesh = graded_disc(500.0, hole=20.0, patch=patch(45.0, vectors, origin), crack=Slit((0.0, 0.0)))
    k = np.stack(np.meshgrid(np.arange(-60, 61), np.arange(-60, 61)), -1).reshape(-1, 2)
    sites = origin + k @ vectors
    r = np.linalg.norm(sites, axis=1)
    asked = sites[(r > 20.0 + edge) & (r < 45.0 - 2 * edge)]
    assert len(asked) > 100
    distance, _ = cKDTree(mesh.points).query(asked)
    assert distance.max() < 1e-9
    inside = mesh.points[np.linalg.norm(mesh.points, axis=1) < 45.0 - 2 * edge]
    distance, _ = cKDTree(sites).query(inside)
    assert distance.max() < 1e-9  # and no node lies elsewhere
    assert np.linalg.norm(mesh.points, axis=1).min() >= 20.0
    rim = mesh.points[np.unique(mesh.tags["inner"])]
    assert np.linalg.norm(rim, axis=1).max() < 20.0 + edge  # the hole is no larger than it must be


def test_size_grows_as_asked():
    mesh = graded_disc(1000.0, growth=1.3, hole=20.0, patch=patch(40.0), h_max=100.0)
    v = mesh.points[mesh.cells]
    size = np.linalg.norm(v - np.roll(v, 1, axis=1), axis=2).mean(1)
    r = np.linalg.norm(v.mean(1), axis=1)
    wanted = np.minimum(A + 0.3 * np.maximum(r - 40.0, 0.0), 100.0)
    # gmsh's triangles are a little larger than the field asks; the patch itself is exact.
    assert np.quantile(size / wanted, [0.02, 0.5, 0.98]) == pytest.approx([1, 1, 1], rel=0.3)
    ratio = np.sqrt(_neighbour_ratio(mesh))
    assert np.quantile(ratio, 0.95) < 1.3


def _neighbour_ratio(mesh):
    (number,) = facet_numbers(cell_facets(mesh.cells))
    order = np.argsort(number.ravel(), kind="stable")
    same = np.flatnonzero(np.diff(number.ravel()[order]) == 0)
    a, b = mesh.volumes()[order[same] // 3], mesh.volumes()[order[same + 1] // 3]
    return np.maximum(a / b, b / a)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radius": -1.0}, "radius"),
        ({"growth": 1.0}, "growth"),
        ({"hole": 50.0}, "no triangle"),
        ({"hole": lambda p: np.linalg.norm(p - [39, 0], axis=-1) - 10}, "does not lie within"),
        ({"radius": 41.0}, "reaches the outer boundary"),
        ({"patch": patch(40.0, origin=(0.0, 1.0))}, "no row"),
        ({"patch": patch(40.0, np.array([[3.0, 0.1], [0.3, 3.0]]))}, "no short vector along the crack"),
        ({"hole": None, "crack": Slit((1.0, 0.0))}, "no node of the mesh lies at the crack tip"),
        ({"patch": None, "hole": 150.0}, "outer boundary"),
        ({"patch": None, "crack": Slit((60.0, 0.0))}, "must lie in the hole"),
        ({"crack": Slit((600.0, 0.0))}, "outside the domain"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    case = dict(radius=100.0, hole=20.0, patch=patch(40.0), crack=Slit((0.0, 0.0)))
    with pytest.raises(ValueError, match=message):
        graded_disc(**{**case, **change})


@pytest.mark.parametrize("hole", [None, 20.0])
def test_plate_has_its_sides_and_its_area(hole):
    inner = {} if hole is None else {"hole": hole, "patch": patch(40.0)}
    mesh = graded_plate(
        (300.0, 120.0), h=3.0, crack=Slit((-60.0 if hole is None else 0.0, 0.0), True), **inner
    )
    x = {name: mesh.points[facets] for name, facets in mesh.tags.items()}
    for name, axis, at in (("left", 0, -150), ("right", 0, 150), ("bottom", 1, -60), ("top", 1, 60)):
        np.testing.assert_allclose(x[name][..., axis], at, atol=1e-9)
    length = np.linalg.norm(x["outer"][:, 1] - x["outer"][:, 0], axis=1).sum()
    assert length == pytest.approx(2 * (300 + 120))
    ahead = np.ptp(x["interface_upper"][..., 0])
    assert ahead == pytest.approx(210.0 if hole is None else 150.0, abs=0 if hole is None else hole + A)
    lost = 0.0 if hole is None else np.pi * hole**2
    assert mesh.volumes().sum() == pytest.approx(300 * 120 - lost, rel=1e-9 if hole is None else 0.01)


def test_a_patch_beside_the_centre_may_have_a_node_there():
    """As the core of a crack that has run: the rim of its lattice passes through the centre of the disc."""

    def around(r):
        return lambda p: np.linalg.norm(p - [10.0 * A, 0.0], axis=-1) - r

    lattice = LatticePatch(TRIANGULAR, np.zeros(2), around(10.0 * A + 1e-6))
    mesh = graded_disc(60.0 * A, hole=around(5.0 * A), patch=lattice, crack=Slit((10.0 * A, 0.0)))
    assert np.linalg.norm(mesh.points, axis=1).min() < 1e-9
    assert mesh.volumes().sum() == pytest.approx(np.pi * A**2 * (60.0**2 - 5.0**2), rel=0.01)


FCC = 5.43 / 2 * (np.ones((3, 3)) - np.eye(3))
BCC = 3.15 / 2 * (np.ones((3, 3)) - 2 * np.eye(3))
BALLS = {
    "plain": dict(radius=50.0),
    "hole": dict(radius=100.0, hole=12.0, h=4.0, centre=(1.0, 2.0, 3.0)),
    "fcc patch": dict(radius=150.0, hole=12.0, patch=LatticePatch(FCC, np.zeros(3), 25.0)),
    "bcc patch": dict(radius=60.0, hole=8.0, patch=LatticePatch(BCC, np.full(3, 0.3), 15.0)),
    "box": dict(radius=100.0, h=5.0, hole=lambda p: np.max(np.abs(p) - [20, 10, 10], axis=-1)),
}


@pytest.mark.parametrize("name", BALLS)
def test_ball(name):
    case = BALLS[name]
    mesh = graded_ball(**case)
    tags = ["outer"] + ["inner"] * ("hole" in case)
    assert sum(len(mesh.tags[t]) for t in tags) == len(boundary_facets(mesh.cells))
    assert flux(mesh, tags) == pytest.approx(mesh.volumes().sum(), rel=1e-12)
    assert 0.97 < flux(mesh, ["outer"]) / (4 / 3 * np.pi * case["radius"] ** 3) < 1.0
    assert mesh.quality().min() > 0.1 and np.quantile(mesh.quality(), 0.01) > 0.4
    assert euler(mesh.cells) == (2 if "hole" in case else 1)  # shell, ball
    if "patch" in case:
        lattice, origin = case["patch"].vectors, case["patch"].origin
        r = np.linalg.norm(mesh.points, axis=1)
        k = (mesh.points[r < case["patch"].region - 4.0] - origin) @ np.linalg.inv(lattice)
        assert len(k) > 100 and np.abs(k - np.round(k)).max() < 1e-9
        assert r.min() >= case["hole"]
