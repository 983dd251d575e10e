"""Versions of installed packages and of the compiler, without importing any of them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from importlib import metadata

VERSION = "0.1.0"
MISSING = "not installed"
STACK = {"torch": "torch", "numpy": "numpy", "scipy": "scipy", "ase": "ase", "vesin": "vesin", "e3nn": "e3nn"}


def versions(packages: Mapping[str, str] = STACK) -> dict[str, str]:
    """Version of each package, by the name that is shown; MISSING where there is none."""
    return {name: version(package) for name, package in packages.items()}


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return MISSING


def own_version() -> str:
    """Of this program, also where it is run from a checkout."""
    found = version("multiscale-nnp-fem")
    return VERSION if found == MISSING else found


def compiler() -> str:
    """First line of what the compiler of the native kernels says of itself."""
    path = shutil.which(os.environ.get("CXX", "g++"))
    if path is None:
        return MISSING
    said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    return said.splitlines()[0] if said else path


def python() -> str:
    return platform.python_version()
