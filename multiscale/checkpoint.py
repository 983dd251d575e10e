"""The state of a run on disk, keyed by places, so that any number of ranks can take it up.

Free atoms are known by their site, mesh nodes by where they are at rest (those on a crack face just off it on their own
side), what a cohesive surface remembers by its points. One file holds all: rank 0 writes it, which is sent pieces of a
bounded size, and renames it into place when it is whole.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mpi4py import MPI
from scipy.spatial import cKDTree

from multiscale.config import InputError
from multiscale.ending import on_first_rank
from multiscale.files import written_aside

Array = np.ndarray

NAME = "restart.npz"
FORMAT = 2
ROWS = 1 << 18
"""Most places in a piece."""

SAME = 1e-7
"""Å: two places that are one. Nodes on the two faces of a crack are farther apart (coupling.assemble)."""

_TAG = 7_310


@dataclass(frozen=True)
class Part:
    """This rank's places (n, 3), Å, and what is there, (n, …)."""

    places: Array
    values: Array


class Saved(Protocol):
    """whole: arrays that are the same on every rank."""

    @property
    def whole(self) -> dict[str, Array]: ...

    def at(self, name: str, places: Array) -> Array:
        """The values of a part at this rank's places (n, 3). Collective. ValueError where one of them is not known."""
        ...


@dataclass(frozen=True)
class State:
    """What a run goes on from: whole, the same on every rank; parts, of this rank."""

    whole: dict[str, Array]
    parts: dict[str, Part] = field(default_factory=dict)

    def at(self, name: str, places: Array) -> Array:
        """As of `Saved`, for the ranks that made it."""
        return _found([self.parts[name]], places)


def save(comm: Any, folder: Path, state: State) -> None:
    """Write a state; the one before stays until the new one is whole. Collective."""
    if comm.rank:
        for part in state.parts.values():
            pieces = list(_pieces(part))
            comm.send(len(pieces), dest=0, tag=_TAG)
            for piece in pieces:
                comm.send(piece, dest=0, tag=_TAG)
        return
    with written_aside(folder / NAME, lasting=True) as aside, zipfile.ZipFile(aside, "w") as file:
        _add(file, "format", np.array([FORMAT, comm.size]))
        for name, values in state.whole.items():
            _add(file, f"whole/{name}", values)
        for name, part in state.parts.items():
            _add_pieces(file, f"{name}/0", _pieces(part))
        for rank in range(1, comm.size):
            for name in state.parts:
                count = comm.recv(source=rank, tag=_TAG)
                _add_pieces(file, f"{name}/{rank}", (comm.recv(source=rank, tag=_TAG) for _ in range(count)))


def _pieces(part: Part) -> Iterator[Part]:
    """At least one."""
    for low in range(0, max(len(part.places), 1), ROWS):
        yield Part(part.places[low : low + ROWS], part.values[low : low + ROWS])


def _add_pieces(file: zipfile.ZipFile, name: str, pieces: Iterator[Part]) -> None:
    for number, piece in enumerate(pieces):
        _add(file, f"{name}/{number}/places", piece.places)
        _add(file, f"{name}/{number}/values", piece.values)


def _add(file: zipfile.ZipFile, name: str, values: Array) -> None:
    with file.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)


@dataclass(frozen=True)
class Stored:
    """A state in a file, read on rank 0 piece by piece. whole: as of State; ranks: that wrote it."""

    comm: Any
    path: Path
    whole: dict[str, Array]
    ranks: int

    @classmethod
    def open(cls, comm: Any, folder: Path) -> Stored | None:
        """The last complete state of a run, None where there is none. Collective. InputError where it cannot be
        read."""
        found = on_first_rank(comm, lambda: _opened(folder / NAME))
        return None if found is None else cls(comm, folder / NAME, *found)

    def at(self, name: str, places: Array) -> Array:
        if self.ranks == self.comm.size:
            mine = self._own(name)
            if self.comm.allreduce(np.array_equal(mine.places, places), MPI.LAND):
                return mine.values
        found = None
        try:
            found = _found(self._all(name), places)
        except ValueError as error:
            lost = error
        if not self.comm.allreduce(found is not None, MPI.LAND):
            raise lost if found is None else ValueError(_OTHER)
        assert found is not None
        return found

    def _own(self, name: str) -> Part:
        """What the rank with this one's number had."""
        if self.comm.rank:
            return self.comm.recv(source=0, tag=_TAG)
        for rank in range(self.ranks - 1, -1, -1):
            pieces = list(_read(self.path, f"{name}/{rank}"))
            part = Part(
                np.concatenate([p.places for p in pieces]), np.concatenate([p.values for p in pieces])
            )
            if rank:
                self.comm.send(part, dest=rank, tag=_TAG)
        return part

    def _all(self, name: str) -> Iterator[Part]:
        """All pieces, each on every rank for a moment."""
        pieces = _read(self.path, name) if self.comm.rank == 0 else None
        while (
            piece := self.comm.bcast(next(pieces, None) if pieces is not None else None, root=0)
        ) is not None:
            yield piece


def _opened(path: Path) -> tuple[dict[str, Array], int] | None:
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as data:
            version, ranks = (int(v) for v in data["format"])
            if version != FORMAT:
                raise ValueError(f"it is of format {version}, not {FORMAT}")
            whole = {name[6:]: data[name] for name in data.files if name.startswith("whole/")}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        what = "it is not one of ours" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise InputError(
            "", f"{path} cannot be read: {what}; run without --restart", "command line"
        ) from None
    return whole, ranks


def _read(path: Path, name: str) -> Iterator[Part]:
    """The pieces of a part, or of one rank's share of it (name/rank)."""
    with np.load(path, allow_pickle=False) as data:
        stems = [
            n[: -len("places")] for n in data.files if n.startswith(f"{name}/") and n.endswith("/places")
        ]
        for stem in stems:
            yield Part(data[f"{stem}places"], data[f"{stem}values"])


_OTHER = "it was written by another model"


def _found(pieces: Any, places: Array) -> Array:
    """Values at places (n, 3) from pieces that hold them, all of which are used up."""
    out, known = None, np.zeros(len(places), bool)
    for piece in pieces:
        if out is None:
            out = np.zeros((len(places), *piece.values.shape[1:]), piece.values.dtype)
        if np.array_equal(piece.places, places):
            out[:], known[:] = piece.values, True
        elif len(piece.places) and len(places):
            distance, index = cKDTree(piece.places).query(places, distance_upper_bound=SAME)
            here = np.isfinite(distance)
            out[here], known = piece.values[index[here]], known | here
    if out is None or not known.all():
        raise ValueError(_OTHER)
    return out
