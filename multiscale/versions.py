"""Versions of this program and of what it stands on, without importing any of it."""

from __future__ import annotations

import platform
from importlib import metadata

_STACK = {
    "multiscale": ("multiscale-nnp-fem",),
    "dolfinx": ("fenics-dolfinx",),
    "petsc4py": ("petsc4py",),
    "mpi4py": ("mpi4py",),
    "torch": ("torch",),
    "numpy": ("numpy",),
    "scipy": ("scipy",),
    "ase": ("ase",),
    "vesin": ("vesin",),
}
VERSION = "0.1.0"


def versions() -> dict[str, str]:
    """Name → version; "not installed" where there is none."""
    found = {name: _first(packages) for name, packages in _STACK.items()}
    if found["multiscale"] == "not installed":  # run from a checkout
        found["multiscale"] = VERSION
    return {**found, "python": platform.python_version()}


def _first(packages: tuple[str, ...]) -> str:
    for package in packages:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return "not installed"
