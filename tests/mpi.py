"""Runs a script on several ranks from a test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def run_ranks(n: int, program: str | Path, *args: object, timeout: float = 300.0, code: int = 0) -> str:
    """Standard output of `program` (a file ending in .py, or a module's name) on n ranks.

    The test fails when the exit code is not `code`; an exception on one rank ends all of them. Starting costs
    5 to 8 s of imports: group the checks of a rank count into one program.
    """
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
