"""Meshes from files: round trips, gmsh's physical groups, and one sentence for each kind of bad file."""

from __future__ import annotations

import gmsh
import meshio
import numpy as np
import pytest

from meshes.box import box_mesh
from meshes.disc import Slit, graded_disc
from meshes.importing import read_mesh, write_mesh
from meshes.session import gmsh_model

MESHES = {
    "crack": lambda: graded_disc(50.0, hole=8.0, crack=Slit((0.0, 0.0))),
    "box": lambda: box_mesh([0, 0, 0], [1, 2, 3], [2, 2, 2]),
}


@pytest.mark.parametrize("suffix", ["msh", "vtu", "vtk"])
@pytest.mark.parametrize("name", MESHES)
def test_round_trip(tmp_path, name, suffix):
    mesh = MESHES[name]()
    write_mesh(tmp_path / f"a.{suffix}", mesh)
    read = read_mesh(tmp_path / f"a.{suffix}")
    assert np.array_equal(read.cells, mesh.cells)
    assert np.array_equal(read.points, mesh.points)
    assert set(read.tags) == set(mesh.tags)
    assert all(np.array_equal(read.tags[k], mesh.tags[k]) for k in mesh.tags)


@pytest.mark.parametrize("version", [2.2, 4.1])
def test_physical_groups_of_gmsh(tmp_path, version):
    path = str(tmp_path / "a.msh")
    with gmsh_model():
        body = gmsh.model.occ.addRectangle(0, 0, 0, 2, 1)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(2, [body], 1, "body")
        sides = [tag for _, tag in gmsh.model.getBoundary([(2, body)], oriented=False)]
        for tag, name in zip(sides, ("bottom", "right", "", "")):
            gmsh.model.addPhysicalGroup(1, [tag], 10 + tag, name)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 0.25)
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        gmsh.model.mesh.generate(2)
        gmsh.write(path)
    mesh = read_mesh(path)
    assert mesh.volumes().sum() == pytest.approx(2.0, rel=1e-12)
    assert set(mesh.tags) == {"bottom", "right", "13", "14"}
    assert {k: len(f) for k, f in mesh.tags.items()} == {"bottom": 8, "right": 4, "13": 8, "14": 4}
    assert (mesh.points[mesh.tags["bottom"]][..., 1] == 0).all()


X = np.random.default_rng(0).random((6, 3))
FLAT = X * [1, 1, 0]
BAD = {
    "quads": (FLAT, [("quad", [[0, 1, 2, 3]]), ("triangle", [[1, 2, 4]])], "holds cells of type quad"),
    "second order": (FLAT, [("triangle6", [[0, 1, 2, 3, 4, 5]])], "holds cells of type triangle6"),
    "lines only": (FLAT, [("line", [[0, 1]])], "holds cells of type line"),
    "points only": (FLAT, [("vertex", [[0]])], "holds no cells"),
    "surface": (X, [("triangle", [[0, 1, 2], [1, 2, 3]])], "one plane"),
    "flat": (0 * X, [("triangle", [[0, 1, 2]])], "flat"),
}


@pytest.mark.parametrize("name", BAD)
def test_unusable_cells(tmp_path, name):
    points, cells, message = BAD[name]
    meshio.write(tmp_path / "a.vtu", meshio.Mesh(points, cells))
    with pytest.raises(ValueError, match=message) as caught:
        read_mesh(tmp_path / "a.vtu")
    assert "a.vtu" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"), [("a.msh", ""), ("a.msh", "x\n"), ("a.vtu", "<VTK"), ("a.abc", "x")]
)
def test_unreadable_files(tmp_path, capfd, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match="cannot be read") as caught:
        read_mesh(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # the message is the caller's to print


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match="there is no mesh file"):
        read_mesh(tmp_path / "none.msh")
