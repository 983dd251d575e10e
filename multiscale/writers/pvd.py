"""A time series for ParaView: NAME.pvd beside a folder NAME/ with one snapshot per time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from multiscale.files import write_atomically
from multiscale.writers.snapshot import AtomSnapshot, MeshSnapshot
from multiscale.writers.vtu import pvtu, vtu

_ROW = re.compile(r'<DataSet timestep="([^"]+)" part="0" file="([^"]+)"/>')


class SeriesWriter:
    """Writes snapshots, every rank its own piece; the .pvd is complete and readable after every write.

    resume: go on with the series in the folder as it was up to this time, whatever the number of ranks that wrote it;
    None: begin a new one. All calls are collective.
    """

    def __init__(self, comm: Any, folder: Path, name: str, resume: float | None = None):
        self.comm, self.path = comm, Path(folder) / f"{name}.pvd"
        self.pieces = Path(folder) / name
        self.rows: list[tuple[float, str]] = []
        if resume is not None and comm.rank == 0:
            self._go_on(resume)

    def _go_on(self, last: float) -> None:
        """Drop what is later than `last`: first from the list, then the files."""
        old = listed(self.path)
        self.rows = [row for row in old if row[0] <= last]
        if len(self.rows) < len(old):
            write_atomically(self.path, _collection(self.rows))
        kept = {Path(name).stem for _, name in self.rows}
        piece = re.compile(rf"({re.escape(self.path.stem)}_\d+)(?:_\d+)?\.p?vtu")
        for path in self.pieces.glob(f"{self.path.stem}_*.*vtu"):
            found = piece.fullmatch(path.name)
            if found and found[1] not in kept:
                path.unlink(missing_ok=True)

    def write(self, time: float, snapshot: MeshSnapshot | AtomSnapshot) -> None:
        """Add a snapshot: this rank's own cells (or atoms), with the same arrays on every rank."""
        mesh = snapshot.as_mesh() if isinstance(snapshot, AtomSnapshot) else snapshot
        stem = self.comm.bcast(f"{self.path.stem}_{len(self.rows):05d}", root=0)
        if self.comm.rank == 0:
            self.pieces.mkdir(parents=True, exist_ok=True)
        self.comm.Barrier()
        alone = self.comm.size == 1
        write_atomically(
            self.pieces / (f"{stem}.vtu" if alone else f"{stem}_{self.comm.rank}.vtu"), vtu(mesh)
        )
        self.comm.Barrier()  # the list names only pieces that exist
        if self.comm.rank == 0:
            if not alone:
                names = [f"{stem}_{rank}.vtu" for rank in range(self.comm.size)]
                write_atomically(self.pieces / f"{stem}.pvtu", pvtu(names, mesh))
            self.rows.append((float(time), f"{self.pieces.name}/{stem}.{'vtu' if alone else 'pvtu'}"))
            write_atomically(self.path, _collection(self.rows))


def _collection(rows: list[tuple[float, str]]) -> str:
    lines = [f'<DataSet timestep="{t!r}" part="0" file={quoteattr(name)}/>' for t, name in rows]
    body = "\n".join(lines)
    return (
        '<?xml version="1.0"?>\n<VTKFile type="Collection" version="0.1">\n<Collection>\n'
        f"{body}\n</Collection>\n</VTKFile>\n"
    )


def listed(path: Path) -> list[tuple[float, str]]:
    """Time and file of each snapshot of a series; none where there is no such file."""
    if not path.exists():
        return []
    return [(float(t), name) for t, name in _ROW.findall(path.read_text(encoding="utf-8"))]
