"""What pictures need of all ranks, on the first one: no more atoms than can be told apart, of a solid the cells in the
plane that is drawn. The same on any number of ranks, up to the order of the cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiscale.writers.gathering import ordered
from multiscale.writers.snapshot import Array, AtomSnapshot, MeshSnapshot

ATOMS = 200_000
"""About so many are drawn; of more a part is left out."""

FIELDS = ("displacement", "mask", "site_energy")
"""Of the atoms, that pictures use."""


def drawn_atoms(comm: Any, atoms: AtomSnapshot, sites: Array) -> AtomSnapshot | None:
    """Those to draw, on rank 0, None elsewhere; of each rank its atoms and their sites (n, 3). Collective."""
    total = comm.allreduce(len(sites))
    index = np.arange(len(sites)) if total <= ATOMS else np.flatnonzero(_drawn(sites) < ATOMS / total)
    data = {name: atoms.data[name][index] for name in FIELDS}
    mine = AtomSnapshot(atoms.positions[index], atoms.numbers[index], atoms.cell, atoms.pbc, data)
    chunks = [c for c in ordered(comm, mine, sites[index], ATOMS) if c is not None]
    if comm.rank:
        return None
    if not chunks:
        return mine
    return AtomSnapshot(
        np.concatenate([c.positions for c in chunks]),
        np.concatenate([c.numbers for c in chunks]),
        atoms.cell,
        atoms.pbc,
        {name: np.concatenate([c.data[name] for c in chunks]) for name in FIELDS},
    )


def _drawn(sites: Array) -> Array:
    """A number in [0, 1) for each site (n, 3), without a pattern, by which it is drawn or left out."""
    x = np.round(sites, 6) @ np.array([12.9898, 78.233, 37.719])
    return np.asarray((np.sin(x) * 43758.5453) % 1.0)


def drawn_cells(comm: Any, mesh: MeshSnapshot) -> MeshSnapshot | None:
    """Those to draw with their stress, on rank 0 (points shared between ranks stay double), None elsewhere: they carry
    something, and of a solid they meet the plane z = 0. Collective."""
    keep = mesh.cell_data["fraction"] > 0.0
    if mesh.cells.shape[1] in (4, 10):
        above = mesh.points[mesh.cells[:, :4], 2] >= 0.0
        keep &= above.any(axis=1) & ~above.all(axis=1)
    used, cells = np.unique(mesh.cells[keep], return_inverse=True)
    cells = cells.reshape(-1, mesh.cells.shape[1])
    parts = comm.gather((mesh.points[used], cells, mesh.cell_data["stress"][keep]), root=0)
    if parts is None:
        return None
    points, cells, stress = zip(*parts)
    offset = np.cumsum([0] + [len(p) for p in points])
    return MeshSnapshot(
        np.concatenate(points),
        np.concatenate([c + o for c, o in zip(cells, offset)]),
        {},
        {"stress": np.concatenate(stress)},
    )
