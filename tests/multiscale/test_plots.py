"""Pictures are written, and show something."""

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mpi4py.MPI import COMM_SELF

from multiscale import drawn
from multiscale.config import parse_case
from multiscale.history_plot import plot_history
from multiscale.pictures import at_load, indenter_outline
from multiscale.plot_style import heading
from multiscale.plots import plot_regions
from multiscale.slicing import slice_tetrahedra
from multiscale.writers import AtomSnapshot, MeshSnapshot

PRESSED = """
crystal: {structure: fcc, symbol: Ar}
potential: {type: lennard-jones}
geometry: {shape: block, size: [40 nm, 20 nm]}
regions: {core: {shape: box, size: [3 nm, 3 nm]}, blend: 1.2 nm}
load: {type: indent, shape: cylinder, radius: 10 nm, center: [3 nm], depth: {from: 0, to: 0.2 nm, steps: 2}}
"""


def colours(path):
    """How many different colours a picture has."""
    image = (matplotlib.image.imread(path)[..., :3] * 255).astype(int)
    return len(np.unique(image.reshape(-1, 3) @ [65536, 256, 1]))


def ring(n=24):
    """Triangles between circles of radius 10 and 100 Å."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radii = np.array([10.0, 25.0, 50.0, 100.0])[:, None]
    points = np.stack([radii * np.cos(angle), radii * np.sin(angle), 0 * radii * angle], -1).reshape(-1, 3)
    k, j = (v.ravel() for v in np.meshgrid(np.arange(3), np.arange(n), indexing="ij"))
    a, b = k * n + j, k * n + (j + 1) % n
    return points, np.concatenate([np.stack([a, a + n, b], 1), np.stack([a + n, b + n, b], 1)])


def block(n):
    """Six tetrahedra in each cube of a block around the origin."""
    axis = np.arange(n + 1.0) - n / 2 + 0.1
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    i, j, k = (v.ravel() for v in np.meshgrid(*[np.arange(n)] * 3, indexing="ij"))
    corner = lambda a, b, c: ((i + a) * (n + 1) + j + b) * (n + 1) + k + c  # noqa: E731
    paths = [((1, 0, 0), (1, 1, 0)), ((1, 0, 0), (1, 0, 1)), ((0, 1, 0), (1, 1, 0)), ((0, 1, 0), (0, 1, 1)),
             ((0, 0, 1), (1, 0, 1)), ((0, 0, 1), (0, 1, 1))]  # fmt: skip
    return points, np.concatenate(
        [np.stack([corner(0, 0, 0), corner(*p), corner(*q), corner(1, 1, 1)], 1) for p, q in paths]
    )


def some_atoms():
    axis = np.arange(-12.0, 13.0, 3.0)
    x = np.stack(np.meshgrid(axis, axis, [0.0]), -1).reshape(-1, 3)
    r = np.linalg.norm(x, axis=1)
    data = {"mask": np.clip(1.5 - r / 10, 0, 1), "site_energy": -4.3 + 0.01 * r}
    return AtomSnapshot(x, np.full(len(x), 14), np.diag([0, 0, 3.0]), (False, False, True), data)


def test_an_indenter_is_drawn_where_it_is():
    case = parse_case(PRESSED)
    assert indenter_outline(case, {"load": 0.2}) is None
    x, y, radius = indenter_outline(case, {"load": 0.2, "indenter_bottom": -0.25})
    assert (x, y - radius) == (30.0, pytest.approx(-2.5))  # the lowest point, Å
    assert radius == 100.0 and at_load(case, {"load": 0.2}) == "depth = 0.2 nm"


@pytest.mark.parametrize("colour", ["mask", "site_energy"])
def test_the_regions_are_drawn(tmp_path, colour):
    points, cells = ring()
    stress = points[cells].mean(axis=1)[:, 1]
    window = (-20.0, 20.0, -15.0, 15.0)
    mesh = MeshSnapshot(points, cells)
    plot_regions(mesh, stress, some_atoms(), tmp_path / "r.png", window, colour, "Title")
    assert colours(tmp_path / "r.png") > 500


def test_a_run_without_a_mesh_is_drawn(tmp_path):
    plot_regions(None, None, some_atoms(), tmp_path / "r.png", (-20.0, 20.0, -15.0, 15.0))
    assert colours(tmp_path / "r.png") > 100


def test_of_a_solid_the_slice_is_drawn(tmp_path):
    points, cells = block(3)
    polygons, source = slice_tetrahedra(points, cells)
    x, y = polygons[..., 0], polygons[..., 1]
    areas = 0.5 * np.abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(axis=1))
    assert areas.sum() == pytest.approx(9.0)  # the cut through the block, each point once
    window = (-2.0, 2.0, -2.0, 2.0)
    stress = np.linspace(-1, 1, len(cells))
    plot_regions(MeshSnapshot(points, cells), stress, some_atoms(), tmp_path / "s.png", window)
    assert len(source) == len(polygons) and colours(tmp_path / "s.png") > 100


def test_the_history_is_drawn_forward_and_back(tmp_path):
    loads = [0.5, 0.6, 0.7, 0.6, 0.5]
    tips = [0.0, 0.0, 3.3, 3.3, 0.0]
    rows = [
        {"load": k, "crack_tip": x, "energy": {"total": -k}, "turned": n > 2}
        for n, (k, x) in enumerate(zip(loads, tips))
    ]
    plot_history(rows, tmp_path / "h.png", marks={"K+": 0.66, "K−": 0.55}, title="Title")
    both = matplotlib.image.imread(tmp_path / "h.png")[..., :3]
    plot_history(rows[:3], tmp_path / "f.png")
    forward = matplotlib.image.imread(tmp_path / "f.png")[..., :3]
    orange = np.array([0xD9, 0x73, 0x0D]) / 255
    assert (np.abs(both - orange).max(axis=-1) < 0.01).sum() > 100  # the way back
    assert (np.abs(forward - orange).max(axis=-1) < 0.01).sum() == 0


def test_a_history_without_a_crack_has_the_energy_alone(tmp_path):
    rows = [{"load": 0.01, "energy": {"total": 1.0}}, {"load": 0.02, "energy": {"total": 4.0}}]
    plot_history(rows, tmp_path / "h.png", label="strain")
    assert colours(tmp_path / "h.png") > 20


def test_of_many_atoms_the_same_part_is_drawn_whoever_has_them(monkeypatch):
    rng = np.random.default_rng(4)
    sites = np.round(rng.uniform(-50.0, 50.0, (4000, 3)), 3)
    data = {"displacement": 0.1 * sites, "mask": sites[:, 0], "site_energy": sites[:, 1], "other": sites}
    atoms = AtomSnapshot(1.1 * sites, np.full(4000, 14), np.zeros((3, 3)), (False,) * 3, data)
    monkeypatch.setattr(drawn, "ATOMS", 1000)
    some = drawn.drawn_atoms(COMM_SELF, atoms, sites)
    assert 900 < len(some.positions) < 1100 and "other" not in some.data
    np.testing.assert_allclose(some.positions, 11.0 * some.data["displacement"])
    quarters = np.histogramdd(some.positions, bins=2)[0]
    assert quarters.min() > 80  # of 125
    order = rng.permutation(4000)
    mixed = AtomSnapshot(
        atoms.positions[order], atoms.numbers, atoms.cell, atoms.pbc, {k: v[order] for k, v in data.items()}
    )
    np.testing.assert_array_equal(drawn.drawn_atoms(COMM_SELF, mixed, sites[order]).positions, some.positions)


def test_of_a_solid_the_cells_in_the_plane_are_drawn():
    points, cells = block(6)
    fields = {
        "fraction": np.ones(len(cells)),
        "stress": np.random.default_rng(6).normal(size=(len(cells), 3, 3)),
    }
    fields["fraction"][:50] = 0.0
    some = drawn.drawn_cells(COMM_SELF, MeshSnapshot(points, cells, {"u": points}, fields))
    assert len(some.cells) < 0.6 * len(cells) and len(some.points) == len(np.unique(some.cells))
    here, source = slice_tetrahedra(some.points, some.cells)
    whole, of = slice_tetrahedra(points, cells[50:])
    np.testing.assert_allclose(here, whole)
    np.testing.assert_array_equal(some.cell_data["stress"][source], fields["stress"][50:][of])


def test_long_titles_stay_within_the_figure() -> None:
    figure = Figure(figsize=(8.0, 4.0))
    heading(
        figure, "A silicon tip approaches silicon (111), is pressed on, slid to and fro and pulled off again"
    )
    extent = figure._suptitle.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    assert "\n" in figure._suptitle.get_text() and extent.x1 < figure.bbox.x1
