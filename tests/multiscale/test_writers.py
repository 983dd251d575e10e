"""Files for ParaView, OVITO and ASE, read back with the tools that users read them with."""

import threading

import ase.io
import numpy as np
import pytest
import pyvista
from mpi4py.MPI import COMM_SELF

from multiscale.writers import AtomSnapshot, ExtxyzWriter, MeshSnapshot, SeriesWriter, extxyz
from multiscale.writers.snapshot import MeshSnapshot as Mesh
from multiscale.writers.vtu import vtu


class Threads:
    """Ranks that are threads: enough of a communicator for a writer."""

    def __init__(self, rank, size, barrier, board):
        self.rank, self.size, self.barrier, self.board = rank, size, barrier, board

    def bcast(self, value, root=0):
        if self.rank == root:
            self.board["value"] = value
        self.barrier.wait()
        value = self.board["value"]
        self.barrier.wait()
        return value

    def Barrier(self):
        self.barrier.wait()


def square(n=4):
    """Two triangles per cell of an n × n grid."""
    x, y = np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    i, j = (k.ravel() for k in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    a = i * (n + 1) + j
    cells = np.concatenate([np.stack([a, a + n + 1, a + 1], 1), np.stack([a + n + 1, a + n + 2, a + 1], 1)])
    return points, cells


def atoms(n=5, seed=0):
    rng = np.random.default_rng(seed)
    data = {
        "displacement": rng.normal(size=(n, 3)),
        "site_energy": rng.normal(size=n),
        "mask": rng.uniform(size=n),
        "sublattice": np.arange(n) % 2,
        "slaved": np.arange(n) > 2,
    }
    cell = np.diag([0.0, 0.0, 3.84])
    return AtomSnapshot(rng.normal(size=(n, 3)), np.full(n, 14), cell, (False, False, True), data)


def test_a_series_of_meshes_reads_back_with_all_its_arrays(tmp_path):
    points, cells = square()
    stress = np.random.default_rng(1).normal(size=(len(cells), 3, 3))
    writer = SeriesWriter(COMM_SELF, tmp_path, "fields")
    for time in (1.0, 2.0):
        snapshot = MeshSnapshot(points * time, cells, {"displacement": points * 0.1}, {"stress": stress})
        writer.write(time, snapshot)
        assert pyvista.get_reader(tmp_path / "fields.pvd").time_values[-1] == time  # readable at any moment
    reader = pyvista.get_reader(tmp_path / "fields.pvd")
    reader.set_active_time_value(2.0)
    grid = reader.read()[0]
    assert np.array_equal(grid.points, 2.0 * points)
    assert np.array_equal(grid.cells.reshape(-1, 4)[:, 1:], cells)
    assert np.array_equal(grid.point_data["displacement"], points * 0.1)
    assert np.array_equal(grid.cell_data["stress"].reshape(-1, 3, 3), stress)
    assert grid.compute_cell_sizes()["Area"].sum() == pytest.approx(64.0)


def test_atoms_are_vertex_cells(tmp_path):
    snapshot = atoms()
    SeriesWriter(COMM_SELF, tmp_path, "atoms").write(0.0, snapshot)
    grid = pyvista.get_reader(tmp_path / "atoms.pvd").read()[0]
    assert grid.n_cells == 5 and set(grid.celltypes) == {pyvista.CellType.VERTEX}
    assert np.array_equal(grid.point_data["number"], snapshot.numbers)
    for name, values in snapshot.data.items():
        assert np.array_equal(grid.point_data[name], values), name


def test_ranks_write_pieces_of_one_mesh(tmp_path):
    points, cells = square()
    barrier, board, size = threading.Barrier(3), {}, 3
    parts = [cells[:20], cells[20:], cells[:0]]  # a rank may own nothing

    def work(rank):
        writer = SeriesWriter(Threads(rank, size, barrier, board), tmp_path, "fields")
        part = parts[rank]
        writer.write(0.5, MeshSnapshot(points, part, {}, {"rank": np.full(len(part), rank)}))

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    grid = pyvista.get_reader(tmp_path / "fields.pvd").read()[0]
    assert grid.compute_cell_sizes()["Area"].sum() == pytest.approx(16.0)
    assert np.array_equal(np.sort(grid.cell_data["rank"]), np.repeat([0, 1], [20, 12]))


def test_large_arrays_are_compressed_in_blocks(tmp_path):
    values = np.random.default_rng(2).normal(size=(300_000, 3))  # 7.2 MB, two blocks
    mesh = Mesh(values, np.zeros((1, 3), dtype=int), {"u": values})
    (tmp_path / "big.vtu").write_bytes(vtu(mesh))
    assert np.array_equal(pyvista.read(tmp_path / "big.vtu").point_data["u"], values)


def test_a_resumed_series_goes_on_and_drops_what_it_repeats(tmp_path):
    points, cells = square()
    first = SeriesWriter(COMM_SELF, tmp_path, "fields")
    for time in (1, 2, 3):
        first.write(time, MeshSnapshot(points, cells, {"t": np.full(len(points), time)}))
    second = SeriesWriter(COMM_SELF, tmp_path, "fields", resume=1)
    assert list(pyvista.get_reader(tmp_path / "fields.pvd").time_values) == [1]
    assert [p.name for p in (tmp_path / "fields").iterdir()] == ["fields_00000.vtu"]
    second.write(2, MeshSnapshot(points, cells, {"t": np.full(len(points), 20)}))
    reader = pyvista.get_reader(tmp_path / "fields.pvd")
    assert list(reader.time_values) == [1, 2]
    reader.set_active_time_value(2)
    assert reader.read()[0].point_data["t"][0] == 20


def test_extended_xyz_is_read_by_ase(tmp_path):
    writer, snapshot = ExtxyzWriter(COMM_SELF, tmp_path), atoms()
    for step in (1, 2):
        writer.write(step, snapshot, {"load": 0.1 * step, "note": 'a "b"', "turned": False})
    frames = ase.io.read(tmp_path / "atoms.extxyz", index=":")
    assert [f.info["step"] for f in frames] == [1, 2] and frames[1].info["load"] == 0.2
    read = frames[0]
    assert read.info["turned"] == np.bool_(False)
    assert read.get_chemical_symbols() == ["Si"] * 5 and read.pbc.tolist() == [False, False, True]
    assert read.cell[2, 2] == pytest.approx(3.84) and read.cell.rank == 3
    assert np.allclose(read.positions, snapshot.positions, rtol=1e-11)
    for name, values in snapshot.data.items():
        assert read.arrays[name].dtype.kind == values.dtype.kind
        assert np.allclose(read.arrays[name], values, rtol=1e-11), name


def test_a_resumed_xyz_drops_later_and_torn_frames(tmp_path):
    writer = ExtxyzWriter(COMM_SELF, tmp_path)
    for step in (1, 2, 3):
        writer.write(step, atoms(seed=step))
    path = tmp_path / "atoms.extxyz"
    path.write_bytes(path.read_bytes()[:-20])  # a run killed while writing
    again = ExtxyzWriter(COMM_SELF, tmp_path, resume=2)
    assert [f.info["step"] for f in ase.io.read(path, index=":")] == [1, 2]
    again.write(3, atoms(seed=9))
    frames = ase.io.read(path, index=":")
    assert [f.info["step"] for f in frames] == [1, 2, 3]
    assert np.allclose(frames[2].positions, atoms(seed=9).positions)
    third = ExtxyzWriter(COMM_SELF, tmp_path, resume=1)
    third.write(2, atoms(seed=5))
    assert [f.info["step"] for f in ase.io.read(path, index=":")] == [1, 2]


def test_atoms_come_in_the_order_of_their_sites_in_any_chunks(tmp_path, monkeypatch):
    snapshot = atoms(n=500)
    sites = np.random.default_rng(3).integers(0, 9, (500, 3)) * 1.36 + 1e-9 * snapshot.positions
    frames = []
    for most in (10_000, 40):
        monkeypatch.setattr(extxyz, "CHUNK", most)
        ExtxyzWriter(COMM_SELF, tmp_path, f"chunks{most}").write(1, snapshot, sites=sites)
        frames.append((tmp_path / f"chunks{most}.extxyz").read_bytes())
    assert frames[0] == frames[1]
    order = np.lexsort(np.round(sites, 6).T[::-1])
    read = ase.io.read(tmp_path / "chunks40.extxyz")
    assert np.allclose(read.positions, snapshot.positions[order], rtol=1e-11)


def test_an_xyz_frame_without_atoms_is_a_frame(tmp_path):
    empty = AtomSnapshot(np.zeros((0, 3)), np.zeros(0, dtype=int), np.zeros((3, 3)), (False,) * 3, {})
    ExtxyzWriter(COMM_SELF, tmp_path).write(0, empty)
    assert (tmp_path / "atoms.extxyz").read_text().splitlines()[0] == "0"
