"""Starts programs on several ranks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORES = len(os.sched_getaffinity(0))


def environment(n: int) -> dict[str, str]:
    """Of n ranks with one thread each."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1" if n > CORES else "0",  # a waiting rank must not spin there
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }


def on_ranks(n: int, *arguments: object) -> str:
    """What Python says with these arguments, on n ranks of one thread each; SystemExit where it fails."""
    command = ["mpirun", "-n", str(n), sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=environment(n), text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout
