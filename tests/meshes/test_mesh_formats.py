"""Meshes as other programs write them: sets of points, groups of MED, files on HDF5 beside DOLFINx's own."""

import subprocess
import sys

import dolfinx  # noqa: F401  its HDF5 is loaded first, as in a run
import meshio
import numpy as np
import pytest

from meshes.disc import Slit, graded_disc
from meshes.importing import read_mesh
from meshes.reading_apart import _unpacked, packed

MESH = graded_disc(30.0, hole=8.0, crack=Slit((0.0, 0.0)))
RIM = {name: facets for name, facets in MESH.tags.items() if name != "crack_ahead"}


WRITE = """
import sys, meshio
from meshes.reading_apart import _unpacked
meshio.write(sys.argv[2], _unpacked(open(sys.argv[1], "rb").read()))
"""


def same(facets, others):
    return np.array_equal(*(np.unique(np.sort(f, axis=1), axis=0) for f in (facets, others)))


def raw(kind):
    points = np.pad(MESH.points, ((0, 0), (0, 1)))
    cells = [("triangle", MESH.cells)]
    if kind == "point sets":
        return meshio.Mesh(points, cells, point_sets={n: np.unique(f) for n, f in RIM.items()})
    lines = np.concatenate(list(RIM.values()))
    family = np.concatenate([np.full(len(f), -k - 1) for k, f in enumerate(RIM.values())])
    data = {"cell_tags": [np.zeros(len(MESH.cells), int), family]}
    mesh = meshio.Mesh(points, [*cells, ("line", lines)], cell_data=data)
    mesh.cell_tags = {-k - 1: [name] for k, name in enumerate(RIM)}
    return mesh


def test_sets_of_points_name_the_boundary(tmp_path):
    meshio.write(tmp_path / "a.inp", raw("point sets"))
    read = read_mesh(tmp_path / "a.inp")
    assert set(read.tags) == set(RIM) and all(same(read.tags[n], RIM[n]) for n in RIM)


def test_what_the_other_process_passes_on_is_what_it_read():
    for kind in ("point sets", "groups"):
        mesh = raw(kind)
        there = _unpacked(packed(mesh))
        assert np.array_equal(there.points, mesh.points)
        assert [(b.type, b.data.tolist()) for b in there.cells] == [
            (b.type, b.data.tolist()) for b in mesh.cells
        ]
        assert there.cell_tags == getattr(mesh, "cell_tags", {})
        assert {n: s.tolist() for n, s in there.point_sets.items()} == {
            n: s.tolist() for n, s in mesh.point_sets.items()
        }


@pytest.mark.parametrize(
    ("suffix", "kind", "needs"), [("e", "point sets", "netCDF4"), ("med", "groups", "h5py")]
)
def test_files_on_hdf5(tmp_path, suffix, kind, needs):
    file = tmp_path / f"a.{suffix}"
    (tmp_path / "a.npz").write_bytes(packed(raw(kind)))
    command = [sys.executable, "-c", WRITE, str(tmp_path / "a.npz"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        assert needs in done.stderr, done.stderr
        file.write_bytes(b"x")
        with pytest.raises(ValueError, match=f"this format needs {needs}, which is not installed"):
            read_mesh(file)
        pytest.skip(f"{needs} is not installed")
    read = read_mesh(file)
    assert set(read.tags) == set(RIM) and all(same(read.tags[n], RIM[n]) for n in RIM)
    assert read.points == pytest.approx(MESH.points)
