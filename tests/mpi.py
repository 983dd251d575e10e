"""Tests on several ranks: started as a program from a test, or with pytest itself under mpirun (`make test-ranks`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

COMM = MPI.COMM_WORLD
"""Where tests build their models: one rank, unless pytest itself runs under mpirun."""

ROOT = Path(__file__).parent.parent
PATIENCE = float(os.environ.get("MULTISCALE_TEST_PATIENCE", "1"))
"""Factor on the seconds that a program on several ranks may take, for machines with other work to do."""

_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "",  # else a line and its end are written apart, and those of several ranks mix
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",  # more ranks than free cores: a waiting rank must not spin
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def one_rank(reason: str) -> pytest.MarkDecorator:
    """Marks a test that is skipped under mpirun, with the reason why it cannot run there."""
    return pytest.mark.skipif(COMM.size > 1, reason=f"one rank: {reason}")


def gathered(local: np.ndarray) -> np.ndarray:
    """Rows of all ranks, on every rank, in the order of the ranks. Collective."""
    return np.concatenate(COMM.allgather(local))


def total(local: np.ndarray | float) -> np.ndarray | float:
    """Sum of what the ranks have. Collective."""
    return COMM.allreduce(local)


def largest(local: np.ndarray) -> float:
    """Largest absolute value on any rank, NaN where there is one; ranks may have none. Collective."""
    return float(np.max(COMM.allgather(np.abs(local).max(initial=0.0))))


def rough(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Vectors at points (n, 3), as good as drawn at random, but the same on any number of ranks."""
    rng = np.random.default_rng(seed)
    return 1.4 * np.sin(points @ rng.normal(scale=50.0, size=(3, 3)) + rng.normal(size=3))


def run_ranks(n: int, program: str | Path, *args: object, timeout: float = 300.0, code: int = 0) -> str:
    """Standard output of `program` (a file ending in .py, or a module's name) on n ranks.

    The test fails when the exit code is not `code`; an exception on one rank ends all of them. Starting costs
    5 to 8 s of imports: group the checks of a rank count into one program.
    """
    if COMM.size > 1:
        pytest.skip("starts ranks of its own")
    mpirun = shutil.which("mpirun") or shutil.which("mpiexec")
    if mpirun is None:
        pytest.skip("mpirun is not installed")
    what = [str(program)] if str(program).endswith(".py") else ["-m", str(program)]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [mpirun, "-n", str(n), sys.executable, "-m", "mpi4py", *what, *map(str, args)]
    environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": path}
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()  # not kill, which would leave the ranks behind
            raise
    assert process.returncode == code, f"exit code {process.returncode}\n{out}\n{err}"
    return out.replace("\0", "")  # Open MPI 5 puts one before the last words of a rank that is aborted
