"""A trajectory in extended XYZ, written frame by frame, that a killed run can go on from."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import ase.io
from ase import Atoms


class TrajectoryWriter:
    """Appends frames to a file; each is on disk before the next step is made."""

    def __init__(self, path: Path, append: bool = False):
        self.path = path
        if not append:
            path.write_bytes(b"")

    def __call__(self, atoms: Atoms, info: Mapping[str, float]) -> None:
        """Positions, momenta, forces, the atoms' other arrays, and `info` beside them."""
        frame = atoms.copy()
        frame.info = {**atoms.info, **info, "energy": float(atoms.get_potential_energy())}
        frame.arrays["forces"] = atoms.get_forces(apply_constraint=False)
        text = io.StringIO()
        ase.io.write(text, frame, format="extxyz")
        with self.path.open("ab") as file:
            file.write(text.getvalue().encode())


def last_frame(path: Path) -> Atoms:
    """The last whole frame; what a kill left of one after it is cut off the file. ValueError where there is
    no whole frame."""
    start, end = _last_whole(path)
    with path.open("rb+") as file:
        file.truncate(end)
        file.seek(start)
        return cast(Atoms, ase.io.read(io.StringIO(file.read().decode()), format="extxyz"))


def _last_whole(path: Path) -> tuple[int, int]:
    """Where in the file the last whole frame begins and ends, in bytes."""
    found = (0, 0)
    with path.open("rb") as file:
        while (head := file.readline()).strip().isdigit():
            lines = [file.readline() for _ in range(int(head) + 1)]
            if not lines[-1].endswith(b"\n"):
                break
            found = (found[1], file.tell())
    if found[1] == 0:
        raise ValueError(f"{path}: holds no whole frame")
    return found
