"""Compiles the kernel on its first use and keeps it in the user's cache."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

SWITCH = "NNP_KERNEL"
"""Environment variable: `off` keeps to the slower path without compiled code."""
CACHE = "NNP_CACHE"
"""Environment variable: where compiled kernels are kept (default: nnp in the user's cache directory)."""

_FLAGS = [
    "-std=gnu++17",
    "-O3",
    "-march=native",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
]
_FLAGS += ["-fPIC", "-shared"]
_QUIET = ["-Wno-ignored-attributes", "-Wno-psabi"]
_SOURCES = Path(__file__).parent
_log = logging.getLogger("nnp")


class BuildError(RuntimeError):
    """The kernel could not be compiled; the message says why."""


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """The compiled kernel; None when it is switched off or cannot be had, which is logged once."""
    if os.environ.get(SWITCH, "").lower() in ("off", "0", "no", "false"):
        return None
    try:
        return ctypes.CDLL(str(compiled(_cache())))
    except (BuildError, OSError) as error:
        _log.warning("the neural potential runs without its compiled kernel, several times slower: %s", error)
        return None


def compiled(folder: Path) -> Path:
    """Path of the shared library in `folder`, compiled if it is not there yet. BuildError when it cannot be.

    Its name is a hash of all that decides on its content. It is written aside and renamed, so that processes
    that start together do not disturb each other.
    """
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise BuildError("no C++ compiler (g++, or what CXX names) is on the path")
    target = folder / f"density-{_fingerprint(compiler)}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            made = Path(aside) / "density.so"
            _compile(compiler, made)
            os.replace(made, target)
    return target


def _compile(compiler: str, target: Path) -> None:
    source, failure = str(_SOURCES / "density.cpp"), ""
    for threads in (["-fopenmp"], []):  # some compilers come without OpenMP: then on one thread
        command = [compiler, *_FLAGS, *threads, *_QUIET, source, "-o", str(target)]
        _log.info(
            "compiling the kernel of the neural potential (once on this machine): %s", " ".join(command)
        )
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BuildError(f"{compiler}: {error}") from None
        if done.returncode == 0:
            return
        failure = failure or next((l for l in done.stderr.splitlines() if "error" in l.lower()), "failed")
    raise BuildError(f"{compiler}: {failure}")


def _cache() -> Path:
    named = os.environ.get(CACHE)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nnp"


def _fingerprint(compiler: str) -> str:
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    parts = [compiler, version, *_FLAGS, _processor()]
    parts += [p.read_text() for p in sorted(_SOURCES.iterdir()) if p.suffix in (".h", ".cpp")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _processor() -> str:
    """Model and instructions of the processor: a library made for one may not run on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    kept = {l for l in lines if l.startswith(("model name", "flags", "Features", "CPU part"))}
    return platform.machine() + "\n".join(sorted(kept))
