"""Versions of this program and of what it stands on."""

from __future__ import annotations

from nnp.versions import STACK, compiler, own_version, python
from nnp.versions import versions as of

_STACK = {"dolfinx": "fenics-dolfinx", "petsc4py": "petsc4py", "mpi4py": "mpi4py", **STACK}
_MORE = {"gmsh": "gmsh", "meshio": "meshio", "pyvista": "pyvista", "matplotlib": "matplotlib"}


def versions() -> dict[str, str]:
    """Name → version of what a result depends on; "not installed" where there is none. Imports none of it."""
    return {"multiscale": own_version(), **of(_STACK), "python": python()}


def stack() -> dict[str, str]:
    """`versions` and the rest of the stack: libraries behind the packages, and the compiler of the native kernels."""
    return {**versions(), **of(_MORE), "MPI": _mpi(), "PETSc": _petsc(), "compiler": compiler()}


def _mpi() -> str:
    from mpi4py import MPI

    return MPI.Get_library_version().split(",")[0].strip("\0\n ")


def _petsc() -> str:
    try:
        from petsc4py import PETSc
    except ImportError as error:
        return f"cannot be imported ({error})"
    return (
        f"{'.'.join(map(str, PETSc.Sys.getVersion()))}, {PETSc.ScalarType.__name__}, {PETSc.IntType.__name__}"
    )
