"""Extended XYZ: one frame per step, read by ASE and OVITO."""

from __future__ import annotations

import os
import re
from collections import deque
from itertools import islice
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from multiscale.writers.snapshot import Array, AtomSnapshot

_KINDS = {"f": ("R", "%.12g"), "i": ("I", "%d"), "u": ("I", "%d"), "b": ("L", "%s")}
_STEP = re.compile(rb"(?:^|\s)step=(-?\d+)")


class ExtxyzWriter:
    """Appends frames to NAME.extxyz; used on one rank, with all atoms.

    resume: go on with the file that is there; a frame of some step drops what it has from that step on.
    """

    def __init__(self, folder: Path, name: str = "atoms", resume: bool = False):
        self.path = Path(folder) / f"{name}.extxyz"
        if not resume:
            self.path.unlink(missing_ok=True)
        self._resuming = resume and self.path.exists()

    def write(self, step: int, atoms: AtomSnapshot, info: dict[str, float | int | str] | None = None) -> None:
        """Add a frame; `info` goes to its comment line."""
        if self._resuming:
            os.truncate(self.path, _end_before(self.path, step))
            self._resuming = False
        with self.path.open("ab") as file:
            file.write(frame(atoms, {"step": step, **(info or {})}).encode())


def frame(atoms: AtomSnapshot, info: dict[str, float | int | str]) -> str:
    """One frame: species, positions and every array of the snapshot as columns."""
    columns = {name: _flat(a) for name, a in atoms.data.items()}
    described, formats = ["species:S:1", "pos:R:3"], ["%s", *["%.12g"] * 3]
    for name, a in columns.items():
        kind, fmt = _KINDS.get(a.dtype.kind, ("S", "%s"))
        described.append(f"{name}:{kind}:{a.shape[1]}")
        formats += [fmt] * a.shape[1]
    n = len(atoms.positions)
    table = np.empty((n, len(formats)), dtype=object)
    table[:, 0] = np.asarray(chemical_symbols, dtype=object)[atoms.numbers]
    table[:, 1:4] = atoms.positions
    at = 4
    for a in columns.values():
        table[:, at : at + a.shape[1]] = np.where(a, "T", "F") if a.dtype.kind == "b" else a
        at += a.shape[1]
    # One format call for the whole frame: no loop over atoms.
    body = ((" ".join(formats) + "\n") * n) % tuple(table.ravel())
    return f"{n}\n{_comment(atoms, described, info)}\n{body}"


def _flat(a: Array) -> Array:
    a = np.asarray(a)
    return a.reshape(len(a), int(np.prod(a.shape[1:], dtype=int)))


def _comment(atoms: AtomSnapshot, described: list[str], info: dict[str, float | int | str]) -> str:
    lattice = " ".join(f"{x:.12g}" for x in _box(atoms).ravel())
    flags = " ".join("T" if p else "F" for p in atoms.pbc)
    extra = " ".join(f"{key}={_value(value)}" for key, value in info.items())
    return f'Lattice="{lattice}" Properties={":".join(described)} pbc="{flags}" {extra}'.rstrip()


def _value(value: float | int | str) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', "'").replace("\n", " ") + '"'
    if isinstance(value, bool | np.bool_):
        return "T" if value else "F"
    return repr(value.item() if isinstance(value, np.generic) else value)


def _box(atoms: AtomSnapshot) -> Array:
    """The cell, with the atoms' extent where there is no period, which viewers need to frame the picture."""
    box = np.array(atoms.cell, dtype=float)
    empty = ~box.any(axis=1)
    extent = np.ptp(atoms.positions, axis=0) if len(atoms.positions) else np.ones(3)
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
