"""Which tests run under mpirun as they are, one file a line: `mpirun -n 2 python -m mpi4py -m pytest FILES`."""

from __future__ import annotations

FILES = (
    "tests/cohesive",
    "tests/continuum",
    "tests/coupling",
    "tests/multiscale/test_following.py",
    "tests/multiscale/test_indent.py",
    "tests/multiscale/test_masked_case.py",
    "tests/multiscale/test_sharing.py",
    "tests/multiscale/test_tip.py",
    "tests/multiscale/test_watch.py",
)
"""Schemes, interfaces, solvers, mesh; what starts ranks of its own is skipped there."""

if __name__ == "__main__":
    print("\n".join(FILES))
