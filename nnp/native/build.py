"""Compiles a source file on its first use and keeps the library in the user's cache."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch

from nnp.access import usable_caches
from nnp.state import Tensor

SWITCH = "NNP_KERNEL"
"""Environment variable: `off` keeps to the slower way without compiled code."""
CACHE = "NNP_CACHE"
"""Environment variable: where compiled code is kept (default: nnp in the user's cache directory)."""

_FLAGS = ["-std=gnu++17", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno"]
_FLAGS += ["-fno-trapping-math", "-fPIC", "-shared", "-pthread"]
_QUIET = ["-Wno-ignored-attributes", "-Wno-psabi"]
_log = logging.getLogger("nnp")


PRECISION = {torch.float64: "f64", torch.float32: "f32"}
"""What compiled code is there for, and the suffix of its functions."""


class BuildError(RuntimeError):
    """The code could not be compiled; the message says why."""


@cache
def library(source: Path) -> ctypes.CDLL | None:
    """The compiled source; None when that is switched off or cannot be had, which is logged once."""
    if os.environ.get(SWITCH, "").lower() in ("off", "0", "no", "false"):
        return None
    try:
        return ctypes.CDLL(str(compiled(source, _cache())))
    except (BuildError, OSError) as error:
        _complain(str(error))
        return None


@cache
def _complain(reason: str) -> None:
    _log.warning("the neural potential runs without its compiled kernel, several times slower: %s", reason)


def compiled(source: Path, folder: Path) -> Path:
    """Path of the shared library in `folder`, compiled if it is not there yet. BuildError when it cannot be.

    Its name is a hash of all that decides on its content (headers stand beside the source). It is written
    aside and renamed, so that processes that start together do not disturb each other.
    """
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise BuildError("no C++ compiler (g++, or what CXX names) is on the path")
    target = folder / f"{source.stem}-{_fingerprint(compiler, source)}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            made = Path(aside) / target.name
            _compile(compiler, source, made)
            os.replace(made, target)
    return target


def plain(t: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """The tensor as compiled code reads it: without history, contiguous, of this type."""
    return t.detach().to(dtype or t.dtype).contiguous()


def reset() -> None:
    """Forget what has been loaded and logged: the environment decides again."""
    library.cache_clear()
    _complain.cache_clear()


def _compile(compiler: str, source: Path, target: Path) -> None:
    command = [compiler, *_FLAGS, *_QUIET, str(source), "-o", str(target)]
    _log.info("compiling (once on this machine): %s", " ".join(command))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{compiler}: {error}") from None
    if done.returncode != 0:
        failure = next((l for l in done.stderr.splitlines() if "error" in l.lower()), "failed")
        raise BuildError(f"{compiler}: {failure}")


def _cache() -> Path:
    named = os.environ.get(CACHE)
    if named:
        return Path(named)
    moved = usable_caches()
    if moved:
        _log.warning("%s", moved)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nnp"


def _fingerprint(compiler: str, source: Path) -> str:
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    parts = [compiler, version, *_FLAGS, _processor()]
    parts += [p.read_text() for p in (source, *_headers(source))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _headers(source: Path) -> list[Path]:
    return sorted({*source.parent.glob("*.h"), *Path(__file__).parent.glob("*.h")})


def _processor() -> str:
    """Model and instructions of the processor: a library made for one may not run on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    kept = {l for l in lines if l.startswith(("model name", "flags", "Features", "CPU part"))}
    return platform.machine() + "\n".join(sorted(kept))
