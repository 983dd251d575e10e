"""Threads per rank, so that ranks times threads are as many as there are cores."""

from __future__ import annotations

import os
from typing import Any

VARIABLE = "OMP_NUM_THREADS"
"""What PyTorch, the compiled kernels and most BLAS libraries go by."""


def set_threads(comm: Any) -> None:
    """Give each rank its share of the cores, unless the user has said how many threads there shall be. To be called
    before a library that starts threads is loaded. Collective."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = str(threads_per_rank(comm))


def threads_per_rank(comm: Any) -> int:
    """Cores that each rank of this machine has for itself: those that its ranks may run on together divided by their
    number, but no more than this rank may run on. Collective."""
    from mpi4py import MPI

    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    together, ranks = set().union(*node.allgather(mine)), node.size
    node.Free()
    return max(1, min(len(mine), len(together) // ranks))
