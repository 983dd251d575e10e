"""All messages between ranks that concern atoms.

Each rank owns some of the atoms, numbered on through the ranks, and holds copies of others where it has to: a halo.
Values go out to the copies and sums come home to the owners, between ranks that are neighbours only; nothing else in
this package talks to another rank except through PETSc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from mpi4py import MPI
from scipy.spatial import cKDTree

Array = np.ndarray


@dataclass(frozen=True)
class Ownership:
    """Which rank owns which atoms: rank r those with the global numbers starts[r] to starts[r + 1] − 1."""

    comm: MPI.Comm
    starts: Array

    @classmethod
    def of(cls, comm: MPI.Comm, count: int) -> Ownership:
        """Of `count` atoms on this rank. Collective."""
        return cls(comm, np.concatenate([[0], np.cumsum(comm.allgather(count))]).astype(np.int64))

    @property
    def low(self) -> int:
        return int(self.starts[self.comm.rank])

    @property
    def count(self) -> int:
        """Atoms of this rank."""
        return int(self.starts[self.comm.rank + 1]) - self.low

    @property
    def total(self) -> int:
        """Atoms of all ranks."""
        return int(self.starts[-1])

    def on_first(self, local: Array) -> Array | None:
        """Values (n, …) of all atoms on the first rank, None on others, from the owners' values. Collective."""
        if self.comm.size == 1:
            return local
        width = int(np.prod(local.shape[1:], dtype=int))
        first = self.comm.rank == 0
        out = np.empty((self.total, *local.shape[1:]), dtype=local.dtype) if first else None
        sizes = (np.diff(self.starts) * width, self.starts[:-1] * width)
        self.comm.Gatherv(np.ascontiguousarray(local), None if out is None else [out, sizes], root=0)
        return out

    def from_first(self, values: Array | None) -> Array:
        """The owners' values (n_local, 3) of those (n, 3) that the first rank has. Collective."""
        if self.comm.size == 1:
            assert values is not None
            return values
        out = np.empty((self.count, 3))
        sizes = (np.diff(self.starts) * 3, self.starts[:-1] * 3)
        given = None if values is None else [np.ascontiguousarray(values, float), sizes, MPI.DOUBLE]
        self.comm.Scatterv(given, out, root=0)
        return out

    def sum(self, value: float) -> float:
        return float(self.comm.allreduce(value, MPI.SUM))

    def largest(self, value: float) -> float:
        """Infinity where it is not a number on some rank, which MPI's maximum may lose. Collective."""
        value = np.inf if np.isnan(value) else value
        return value if self.comm.size == 1 else float(self.comm.allreduce(value, MPI.MAX))

    def any(self, flag: bool) -> bool:
        """Whether it is so on any rank. Collective."""
        return self.largest(float(flag)) > 0.0


@dataclass(frozen=True)
class Halo:
    """Copies of other ranks' points: values of this rank's own points are followed by those of the copies.

    own: number of this rank's points; sends: of each neighbour its rank and which of this rank's points (k,) it has
    copies of; receives: of each neighbour its rank and where the copies of its points stand.
    """

    comm: MPI.Comm
    own: int
    sends: tuple[tuple[int, Array], ...] = ()
    receives: tuple[tuple[int, slice], ...] = ()

    @classmethod
    def around(cls, comm: MPI.Comm, points: Array, near: Array, reach: float | Array, dim: int = 3) -> Halo:
        """Copies of all points within `reach` (Å, or (m,) Å of each) of the places `near` (m, 3) of this rank; points
        (n, 3) its own. dim 2 leaves z out, as in a slice that repeats along z. Collective.

        The ranks tell each other the boxes around their places; what lies in another's box is offered to it, and it
        keeps what is within reach.
        """
        if comm.size == 1:
            return cls(comm, len(points))
        x, near = np.ascontiguousarray(points[:, :dim], float), near[:, :dim]
        reach = np.broadcast_to(np.asarray(reach, float), len(near))
        offered = _offers(comm, x, near, reach)
        wanted = _kept(comm, x, offered, near, reach)
        sends, receives, at = [], [], len(points)
        for rank, mine in wanted.items():
            if mine:
                receives.append((rank, slice(at, at + mine)))
                at += mine
        for rank, index in offered.items():
            if len(index):
                sends.append((rank, index))
        return cls(comm, len(points), tuple(sends), tuple(receives))

    @property
    def size(self) -> int:
        """Own points and copies."""
        return self.receives[-1][1].stop if self.receives else self.own

    @property
    def sent(self) -> int:
        """Values that go out in one exchange."""
        return sum(len(index) for _, index in self.sends)

    def extended(self, values: Array) -> Array:
        """Values (size, …) of own points and copies, from those of the own ones (own, …). Collective."""
        if self.comm.size == 1:
            return values
        out = np.empty((self.size, *values.shape[1:]), values.dtype)
        out[: self.own] = values
        outgoing = [(rank, np.ascontiguousarray(values[index])) for rank, index in self.sends]
        requests = [self.comm.Irecv(out[place], rank) for rank, place in self.receives]
        requests += [self.comm.Isend(buffer, rank) for rank, buffer in outgoing]
        MPI.Request.Waitall(requests)
        return out

    def returned(self, values: Array) -> Array:
        """The own points' values (own, …) with those of all their copies added, from (size, …). Collective."""
        if self.comm.size == 1:
            return values
        values = np.ascontiguousarray(values)
        incoming = [(index, np.empty((len(index), *values.shape[1:]))) for _, index in self.sends]
        requests = [self.comm.Irecv(buffer, rank) for (rank, _), (_, buffer) in zip(self.sends, incoming)]
        requests += [self.comm.Isend(values[place], rank) for rank, place in self.receives]
        MPI.Request.Waitall(requests)
        out = values[: self.own].copy()
        for index, buffer in incoming:
            out[index] += buffer
        return out


def _offers(comm: MPI.Comm, x: Array, near: Array, reach: Array) -> dict[int, Array]:
    """Of each rank which of this rank's points x (n, d) lie in the box around that one's places, grown by the reach."""
    dim = x.shape[1]
    low, high = near - reach[:, None], near + reach[:, None]
    box = np.stack([low.min(axis=0, initial=np.inf), high.max(axis=0, initial=-np.inf)])
    boxes = np.empty((comm.size, 2, dim))
    comm.Allgather(box, boxes)
    low, high = x.min(axis=0, initial=np.inf), x.max(axis=0, initial=-np.inf)
    meet = ((boxes[:, 0] <= high) & (boxes[:, 1] >= low)).all(axis=1)
    meet[comm.rank] = False
    return {
        int(rank): np.flatnonzero(((x >= boxes[rank, 0]) & (x <= boxes[rank, 1])).all(axis=1))
        for rank in np.flatnonzero(meet)
    }


def _kept(comm: MPI.Comm, x: Array, offers: dict[int, Array], near: Array, reach: Array) -> dict[int, int]:
    """How many points this rank keeps of each rank's offer; the offers are cut down to what others keep."""
    counts = np.zeros(comm.size, np.int64)
    for rank, index in offers.items():
        counts[rank] = len(index)
    coming = np.empty_like(counts)
    comm.Alltoall(counts, coming)
    places = {int(rank): np.empty((coming[rank], x.shape[1])) for rank in np.flatnonzero(coming)}
    _swap(comm, places, {rank: x[index] for rank, index in offers.items() if len(index)})
    chosen = {rank: _within(candidates, near, reach) for rank, candidates in places.items()}
    answers = {rank: np.empty(len(index), bool) for rank, index in offers.items() if len(index)}
    _swap(comm, answers, chosen)
    for rank, taken in answers.items():
        offers[rank] = offers[rank][taken]
    return {rank: int(found.sum()) for rank, found in chosen.items()}


def _within(x: Array, near: Array, reach: Array) -> Array:
    """Which points x (n, d) are within the reach of one of the places near (m, d), (n,)."""
    if np.ptp(reach) == 0.0:
        return cKDTree(near).query(x)[0] <= reach[0]
    hits = cKDTree(x).query_ball_point(near, reach)
    found = np.zeros(len(x), bool)
    found[np.concatenate([np.zeros(0, int), *(np.asarray(h, int) for h in hits)])] = True
    return found


def _swap(comm: MPI.Comm, incoming: dict[int, Any], outgoing: dict[int, Any]) -> None:
    """Arrays from and to other ranks, by rank."""
    requests = [comm.Irecv(buffer, rank) for rank, buffer in incoming.items()]
    requests += [comm.Isend(np.ascontiguousarray(buffer), rank) for rank, buffer in outgoing.items()]
    MPI.Request.Waitall(requests)
