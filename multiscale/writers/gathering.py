"""Atoms of all ranks on rank 0, a bounded number at a time, in an order that does not depend on the ranks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from mpi4py import MPI

from multiscale.writers.snapshot import Array, AtomSnapshot

BINS = 1 << 16
"""Slabs along x whose atoms are counted."""


def ordered(comm: Any, atoms: AtomSnapshot, sites: Array | None, most: int) -> Iterator[AtomSnapshot | None]:
    """The atoms of all ranks in chunks, on rank 0, None elsewhere; at most about `most` in each, more where a slab of
    1/65536 of the width holds more. In the order of their sites (n, 3) by x, y and z to 1e-6 Å, without sites rank by
    rank. Collective."""
    n = len(atoms.positions)
    key = np.stack([np.full(n, comm.rank), np.arange(n), np.zeros(n)], axis=1) if sites is None else sites
    key = np.round(np.asarray(key, float), 6)
    slab = _slabs(comm, key[:, 0])
    counts = comm.allreduce(np.bincount(slab, minlength=BINS))
    number = (np.cumsum(counts) - counts) // most  # of the chunk that a slab goes to
    for chunk in np.unique(number[counts > 0]):
        mine = np.flatnonzero(number[slab] == chunk)
        parts = comm.gather((key[mine], _chosen(atoms, mine)), root=0)
        yield None if parts is None else _joined(parts)


def _slabs(comm: Any, x: Array) -> Array:
    """Which of BINS slabs between the ends of all ranks' x (n,) each lies in."""
    low = comm.allreduce(float(x.min(initial=np.inf)), MPI.MIN)
    high = comm.allreduce(float(x.max(initial=-np.inf)), MPI.MAX)
    if not high > low:
        return np.zeros(len(x), int)
    return np.minimum((BINS * ((x - low) / (high - low))).astype(int), BINS - 1)


def _chosen(atoms: AtomSnapshot, index: Array) -> AtomSnapshot:
    data = {name: values[index] for name, values in atoms.data.items()}
    return AtomSnapshot(atoms.positions[index], atoms.numbers[index], atoms.cell, atoms.pbc, data)


def _joined(parts: list[tuple[Array, AtomSnapshot]]) -> AtomSnapshot:
    key = np.concatenate([k for k, _ in parts])
    several = [atoms for _, atoms in parts]
    whole = AtomSnapshot(
        np.concatenate([a.positions for a in several]),
        np.concatenate([a.numbers for a in several]),
        several[0].cell,
        several[0].pbc,
        {name: np.concatenate([a.data[name] for a in several]) for name in several[0].data},
    )
    return _chosen(whole, np.lexsort((key[:, 2], key[:, 1], key[:, 0])))
