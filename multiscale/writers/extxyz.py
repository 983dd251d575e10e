"""Extended XYZ: one frame per step, read by ASE and OVITO."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import chemical_symbols

from multiscale.files import written_aside
from multiscale.writers.gathering import ordered
from multiscale.writers.snapshot import Array, AtomSnapshot

_KINDS = {"f": ("R", "%.12g"), "i": ("I", "%d"), "u": ("I", "%d"), "b": ("L", "%s")}
CHUNK = 1 << 17
"""Atoms that rank 0 holds at a time, about."""

_STEP = re.compile(rb"(?:^|\s)step=(-?\d+)")


class ExtxyzWriter:
    """Appends frames to NAME.extxyz, which rank 0 writes: the atoms come to it chunk by chunk.

    resume: go on with the file that is there as it was up to this step; None: begin a new one. All calls are
    collective.
    """

    def __init__(self, comm: Any, folder: Path, name: str = "atoms", resume: int | None = None):
        self.comm, self.path = comm, Path(folder) / f"{name}.extxyz"
        if comm.rank == 0 and resume is None:
            self.path.unlink(missing_ok=True)
        elif comm.rank == 0 and resume is not None and self.path.exists():
            os.truncate(self.path, _end_before(self.path, resume + 1))

    def write(
        self,
        step: int,
        atoms: AtomSnapshot,
        info: dict[str, float | int | str] | None = None,
        sites: Array | None = None,
    ) -> None:
        """Add a frame of this rank's atoms; `info` goes to its comment line. They come in the order of their sites
        (n, 3), by x, y and z, which does not depend on the number of ranks; without sites rank by rank."""
        text = _frame(self.comm, atoms, {"step": step, **(info or {})}, sites)
        if self.comm.rank:
            deque(text, maxlen=0)
            return
        with written_aside(self.path, onto=True) as aside, aside.open("wb") as file:
            for part in text:
                file.write(part.encode())


def _frame(
    comm: Any, atoms: AtomSnapshot, info: dict[str, float | int | str], sites: Array | None
) -> Iterator[str]:
    """The parts of a frame with the atoms of all ranks, empty but on rank 0. Collective."""
    n = comm.allreduce(len(atoms.positions))
    yield f"{n}\n{_comment(atoms, _box(comm, atoms), info)}\n"
    for chunk in ordered(comm, atoms, sites, CHUNK):
        yield "" if chunk is None else _lines(chunk)


def _columns(atoms: AtomSnapshot) -> tuple[list[Array], str, str]:
    """Arrays (n, k) after the positions, the description of all columns, and the format of a line."""
    columns, described, formats = [], ["species:S:1", "pos:R:3"], ["%s", *["%.12g"] * 3]
    for name, values in atoms.data.items():
        a = _flat(values)
        kind, fmt = _KINDS.get(a.dtype.kind, ("S", "%s"))
        described.append(f"{name}:{kind}:{a.shape[1]}")
        formats += [fmt] * a.shape[1]
        columns.append(np.where(a, "T", "F") if a.dtype.kind == "b" else a)
    return columns, ":".join(described), " ".join(formats) + "\n"


def _lines(atoms: AtomSnapshot) -> str:
    """One line for each atom: species, positions and every array of the snapshot."""
    columns, _, line = _columns(atoms)
    n = len(atoms.positions)
    symbols = np.asarray(chemical_symbols, dtype=object)[atoms.numbers]
    parts = [symbols[:, None], atoms.positions, *columns]
    table = np.concatenate([np.asarray(part, dtype=object) for part in parts], axis=1)
    return (line * n) % tuple(table.ravel())  # one format call: no loop over atoms


def _flat(a: Array) -> Array:
    a = np.asarray(a)
    return a.reshape(len(a), int(np.prod(a.shape[1:], dtype=int)))


def _comment(atoms: AtomSnapshot, box: Array, info: dict[str, float | int | str]) -> str:
    lattice = " ".join(f"{x:.12g}" for x in box.ravel())
    flags = " ".join("T" if p else "F" for p in atoms.pbc)
    extra = " ".join(f"{key}={_value(value)}" for key, value in info.items())
    return f'Lattice="{lattice}" Properties={_columns(atoms)[1]} pbc="{flags}" {extra}'.rstrip()


def _value(value: float | int | str) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', "'").replace("\n", " ") + '"'
    if isinstance(value, bool | np.bool_):
        return "T" if value else "F"
    return repr(value.item() if isinstance(value, np.generic) else value)


def _box(comm: Any, atoms: AtomSnapshot) -> Array:
    """The cell, with the atoms' extent where there is no period, which viewers need to frame the picture."""
    box = np.array(atoms.cell, dtype=float)
    empty = ~box.any(axis=1)
    x = atoms.positions
    low = np.min(comm.allgather(x.min(axis=0, initial=np.inf)), axis=0)
    high = np.max(comm.allgather(x.max(axis=0, initial=-np.inf)), axis=0)
    extent = np.where(np.isfinite(high - low), high - low, 1.0)
    box[empty] = np.diag(np.maximum(extent, 1.0))[empty]
    return box


def _end_before(path: Path, step: int) -> int:
    """Where the first frame of this step or a later one, or a torn frame, begins in the file."""
    with path.open("rb") as file:
        while True:
            start = file.tell()
            head, comment = file.readline(), file.readline()
            found = _STEP.search(comment)
            if not head.strip().isdigit() or not found or int(found.group(1)) >= step:
                return start
            last = deque(islice(file, int(head)), maxlen=1)
            if int(head) and (not last or not last[0].endswith(b"\n")):
                return start
