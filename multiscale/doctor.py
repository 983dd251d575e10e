"""`multiscale doctor`: what is installed, what is missing, what is slow, each with what to do."""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FINE, SLOW, OPTIONAL, WRONG = "ok", "slow", "absent", "missing"
"""As they are; works, slowly; not there and needed for one thing only; without it nothing goes."""

_NEEDED = {
    "dolfinx": "the finite elements: apt-get install python3-dolfinx, or environment.yml with conda",
    "petsc4py": "comes with DOLFINx",
    "mpi4py": "comes with DOLFINx",
    "torch": "the potentials: pip install torch",
    "ase": "atoms: pip install 'ase>=3.26'",
    "scipy": "pip install scipy",
    "vesin": "neighbour lists: pip install vesin",
    "gmsh": "meshes: pip install gmsh; its wheel needs libglu1-mesa libxft2 libxcursor1 libxinerama1",
    "meshio": "mesh files: pip install meshio",
    "safetensors": "model files: pip install safetensors",
    "matplotlib": "pictures: pip install matplotlib",
    "pyvista": "results in Python: pip install pyvista",
}
_OPTIONAL = {
    "pandas": "Result.history as a DataFrame: pip install pandas",
    "e3nn": "networks of type equivariant: pip install e3nn",
    "metatomic.torch": "nnp export for LAMMPS and i-PI: pip install metatomic-torch",
}
LEAST_MEMORY = 2.0
"""GiB for each rank."""


@dataclass(frozen=True)
class Finding:
    """state: one of those above; what was looked at and found; todo: what makes it better, "" where all is well."""

    state: str
    what: str
    todo: str = ""


def add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="what is installed, what is missing, what is slow, and what to do",
        description="Looks at the installation and at how it is started, so start it as the runs are to be: the same "
        "mpirun, the same OMP_NUM_THREADS. Exit code 1 where something is missing that every run needs, else 0.",
        epilog="example: OMP_NUM_THREADS=1 mpirun -n 4 multiscale doctor",
    )
    doctor.set_defaults(command=_doctor)


def _doctor(args: argparse.Namespace, comm: Any) -> int:
    found = examine(comm)
    if comm.rank == 0:
        for f in found:
            print(f"{f.state:8s}{f.what}" + (f"\n          {f.todo}" if f.todo else ""))
        counts = {state: sum(f.state == state for f in found) for state in (WRONG, SLOW, OPTIONAL)}
        print(", ".join(f"{n} {state}" for state, n in counts.items() if n) or "all is well")
    return int(any(f.state == WRONG for f in found))


def examine(comm: Any) -> list[Finding]:
    """All findings, the same on every rank. Collective."""
    found = [_package(name, about, WRONG) for name, about in _NEEDED.items()]
    found += [_package(name, about, OPTIONAL) for name, about in _OPTIONAL.items()]
    for look in (_ffmpeg, _kernels, _petsc, _blas, _cards):
        found.append(_guarded(look))
    placed = comm.allgather((os.uname().nodename, tuple(sorted(_cores())), _threads(), _memory()))
    return comm.bcast([*found, threads(placed), binding(placed), memory(placed)], root=0)


def _guarded(look: Callable[[], Finding]) -> Finding:
    """A look that cannot be had is a finding too."""
    try:
        return look()
    except Exception as error:
        return Finding(WRONG, f"{look.__name__[1:]}: {type(error).__name__}: {error}", "")


def _package(name: str, about: str, absent: str) -> Finding:
    from nnp.versions import MISSING, version

    shown = {"metatomic.torch": "metatomic-torch", "dolfinx": "fenics-dolfinx"}.get(name, name)
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == name.split(".")[0]:
            return Finding(absent, shown, about)
        return Finding(absent, f"{shown}, which needs {error.name}", about)
    except (ImportError, OSError) as error:
        return Finding(absent, f"{shown} cannot be loaded: {error}", about)
    number = version(shown)
    return Finding(FINE, shown if number == MISSING else f"{shown} {number}")


def _ffmpeg() -> Finding:
    if shutil.which("ffmpeg"):
        return Finding(FINE, "ffmpeg")
    return Finding(OPTIONAL, "ffmpeg", "films as mp4: apt-get install ffmpeg (gif needs nothing)")


def _kernels() -> Finding:
    """The smallest of the compiled sources, made as a run makes it."""
    import nnp.native.build as build
    from nnp.versions import compiler

    source = Path(build.__file__).with_name("pairs.cpp")
    if os.environ.get(build.SWITCH, "").lower() in ("off", "0", "no", "false"):
        return Finding(SLOW, f"compiled kernels are switched off by {build.SWITCH}", f"unset {build.SWITCH}")
    if build.library(source) is not None:
        return Finding(FINE, f"compiled kernels, by {compiler()}")
    todo = "apt-get install g++, or set CXX; NNP_CACHE names a folder to keep them in"
    return Finding(SLOW, "kernels cannot be compiled (why: above): potentials are several times slower", todo)


def _cards() -> Finding:
    """What `potential.device: auto` would take."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        return Finding(
            FINE, "no graphics card for PyTorch: runs use the processor, with potential.device auto too"
        )
    names = ", ".join(f"{k}: {torch.cuda.get_device_name(k)}" for k in range(count))
    return Finding(
        FINE, f"graphics cards ({names}): potential.device auto uses them, cpu, the default, does not"
    )


def _petsc() -> Finding:
    import petsc4py
    from petsc4py import PETSc

    config = petsc4py.get_config()
    headers = [Path(config["PETSC_DIR"], config["PETSC_ARCH"], "include", "petscconf.h")]
    debug = any("PETSC_USE_DEBUG 1" in path.read_text() for path in headers if path.is_file())
    if PETSc.ScalarType(0).dtype.kind == "c":
        todo = "unset PETSC_DIR and PETSC_ARCH, or let them name the real build"
        return Finding(WRONG, "PETSc of complex numbers", todo)
    if not PETSc.Sys.hasExternalPackage("mumps"):
        return Finding(
            WRONG, "PETSc without MUMPS", "install a PETSc with MUMPS, as Debian's and conda-forge's are"
        )
    if debug:
        return Finding(SLOW, "PETSc is a debug build", "configure it --with-debugging=0")
    return Finding(FINE, "PETSc, optimised, with MUMPS")


def _blas() -> Finding:
    """Which library the factorisation calls: what PETSc has loaded into this process."""
    from petsc4py import PETSc  # noqa: F401

    loaded = {os.path.realpath(line.split()[-1]) for line in _maps() if "blas" in line or "mkl" in line}
    kinds = sorted({k for file in loaded for k in ("openblas", "mkl", "blis", "atlas", "flexi") if k in file})
    if any("/blas/" in f for f in loaded):
        todo = "apt-get install libopenblas0-pthread: MUMPS is up to 12 times faster in 3D"
        return Finding(SLOW, "BLAS is the reference implementation", todo)
    return Finding(FINE, f"BLAS: {', '.join(kinds) or 'in PETSc itself'}")


def _maps() -> list[str]:
    path = Path("/proc/self/maps")
    return [line for line in path.read_text().splitlines() if "/" in line] if path.is_file() else []


Placed = list[tuple[str, tuple[int, ...], int, float | None]]
"""Of each rank: its machine, the cores that it may use, its threads, GiB free there."""


def threads(placed: Placed) -> Finding:
    """Threads against cores, on the machine where it is worst."""
    for host, cores, wanted in _hosts(placed):
        if wanted > len(cores):
            n = sum(p[0] == host for p in placed)
            todo = (
                f"export OMP_NUM_THREADS={max(1, len(cores) // n)}"
                if n <= len(cores)
                else "start fewer ranks"
            )
            return Finding(
                SLOW, f"{n} ranks with {wanted} threads in all on {len(cores)} cores ({host})", todo
            )
    most = max(p[2] for p in placed)
    return Finding(FINE, f"{len(placed)} ranks, {most} threads each, no more than cores")


def binding(placed: Placed) -> Finding:
    """Ranks that are bound to a core must not share it, nor have more threads than cores."""
    for host, cores, _ in _hosts(placed):
        mine = [p for p in placed if p[0] == host]
        bound = [p for p in mine if len(p[1]) < (os.cpu_count() or 1)]
        if len(bound) > 1 and len(cores) < len(mine):
            return Finding(
                SLOW, f"{len(mine)} ranks are bound to {len(cores)} cores ({host})", "mpirun --bind-to none"
            )
        if tight := [p for p in bound if p[2] > len(p[1])]:
            todo = "mpirun --bind-to none, or --map-by slot:PE=THREADS"
            return Finding(
                SLOW, f"{len(tight)} ranks have more threads than the cores they are bound to", todo
            )
    return Finding(FINE, "MPI binding leaves each rank its cores")


def memory(placed: Placed) -> Finding:
    """Free memory for each rank, on the machine where it is least."""
    known = [p[3] / sum(q[0] == p[0] for q in placed) for p in placed if p[3] is not None]
    if not known:
        return Finding(FINE, "memory: not known on this system")
    if min(known) < LEAST_MEMORY:
        todo = "fewer ranks; `multiscale check CASE` says what a run takes"
        return Finding(SLOW, f"{min(known):.1f} GiB of free memory for each rank", todo)
    return Finding(FINE, f"{min(known):.1f} GiB of free memory for each rank")


def _hosts(placed: Placed) -> list[tuple[str, set[int], int]]:
    """Machine, cores of all its ranks, their threads."""
    hosts = dict.fromkeys(p[0] for p in placed)
    return [
        (h, set().union(*(p[1] for p in placed if p[0] == h)), sum(p[2] for p in placed if p[0] == h))
        for h in hosts
    ]


class Alone:
    """The communicator of one process, where there is no mpi4py: enough to say so."""

    rank, size = 0, 1

    def allgather(self, value: Any) -> list[Any]:
        return [value]

    def bcast(self, value: Any, root: int = 0) -> Any:
        return value


def _cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _threads() -> int:
    try:
        import torch
    except ImportError:
        return 1
    return torch.get_num_threads()


def _memory() -> float | None:
    """GiB that can still be had."""
    path = Path("/proc/meminfo")
    if not path.is_file():
        return None
    free = [int(l.split()[1]) for l in path.read_text().splitlines() if l.startswith("MemAvailable")]
    return free[0] / 2**20 if free else None
