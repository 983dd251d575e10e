"""All messages between ranks that concern atoms.

Each rank owns a consecutive range of the atoms. Positions go out to the ranks that need them and forces come
home to the owners; nothing else in this package talks to another rank except through PETSc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI

Array = np.ndarray


@dataclass(frozen=True)
class Ownership:
    """Which rank owns which atoms: rank r has the atoms starts[r] to starts[r + 1]."""

    comm: MPI.Comm
    starts: Array

    @classmethod
    def balanced(cls, comm: MPI.Comm, cost: Array) -> Ownership:
        """Consecutive ranges of about equal total cost; cost (n,) of each atom, positive."""
        done = np.concatenate([[0.0], np.cumsum(cost)])
        wanted = done[-1] * np.arange(1, comm.size) / comm.size
        inner = np.searchsorted(done, wanted, side="left")
        return cls(comm, np.concatenate([[0], inner, [len(cost)]]).astype(np.int64))

    @property
    def low(self) -> int:
        return int(self.starts[self.comm.rank])

    @property
    def high(self) -> int:
        return int(self.starts[self.comm.rank + 1])

    @property
    def owned(self) -> slice:
        return slice(self.low, self.high)

    def gather(self, local: Array) -> Array:
        """Values of all atoms on every rank, from the owners' values (n_local, …)."""
        if self.comm.size == 1:
            return local
        width = int(np.prod(local.shape[1:], dtype=int))
        out = np.empty((int(self.starts[-1]), *local.shape[1:]), dtype=local.dtype)
        counts, displacements = np.diff(self.starts) * width, self.starts[:-1] * width
        self.comm.Allgatherv(np.ascontiguousarray(local), [out, counts, displacements, None])
        return out

    def sum_to_owners(self, values: Array) -> Array:
        """Owners' share of the sum over ranks of values (n, 3) of all atoms."""
        if self.comm.size == 1:
            return values
        out = np.empty((self.high - self.low, *values.shape[1:]))
        width = int(np.prod(values.shape[1:], dtype=int))
        self.comm.Reduce_scatter(np.ascontiguousarray(values), out, (np.diff(self.starts) * width).tolist())
        return out

    def sum(self, value: float) -> float:
        return float(self.comm.allreduce(value, MPI.SUM))

    def largest(self, value: float) -> float:
        """Infinity where it is not a number on some rank, which MPI's maximum may lose."""
        return float(self.comm.allreduce(np.inf if np.isnan(value) else value, MPI.MAX))
