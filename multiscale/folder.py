"""The output folder: which one, whether it may be used, and what of an older run is cleared away."""

from __future__ import annotations

import os
from pathlib import Path

from multiscale.config import Case, InputError, case_hash, parse_case, to_yaml
from multiscale.files import write_atomically
from multiscale.result import FINISHED, read_result
from nnp import locking

OUTPUTS = ("result.json", "history.csv", "log*.txt", "case.yaml", "law.json", "restart*", "fields.pvd", "fields/*.*vtu",
           "surface.pvd", "surface/*.*vtu", "atoms.pvd", "atoms/*.*vtu", "atoms.extxyz", "*.png")  # fmt: skip
"""What a run writes, as patterns; nothing else in a folder is ever touched."""


def default_folder(case_file: Path) -> Path:
    return Path("results") / case_file.stem


def prepare(folder: Path, case: Case, force: bool = False, restart: bool = False) -> bool:
    """Make the folder ready for a run, which holds it until `locking.release` or its process ends, and write the
    resolved case into it; say whether it was made anew.

    InputError when it holds a finished run of another case (unless forced), when there is nothing to restart, when
    another run is at work in it, or when it cannot be written.
    """
    made = not os.path.exists(folder)
    if made and restart:
        raise _nothing_to_restart(folder, "holds no run")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        locking.take(folder)
        _check_old(folder, case, force, restart)
        if not restart and read_result(folder):
            clear(folder)
        clear_torn(folder)
        write_atomically(folder / "case.yaml", to_yaml(case))
    except OSError as error:
        locking.release(folder)
        what = f" ({error.filename})" if error.filename not in (None, str(folder)) else ""
        raise InputError("", f"cannot write to {folder}: {error.strerror}{what}", "command line") from None
    except locking.FolderInUseError as error:
        raise InputError("", f"{error} with -o", "command line") from None
    except InputError:
        locking.release(folder)
        raise
    return made


def _check_old(folder: Path, case: Case, force: bool, restart: bool) -> None:
    """InputError where what is in a folder is not to be gone on with, or overwritten."""
    old = read_result(folder)
    same = old is not None and old["case"] == case_hash(case)
    if restart and not same and (old or not _begun(folder, case)):
        raise _nothing_to_restart(folder, "holds a run of another case" if old else "holds no run")
    if old and not same and not force and not restart and old["status"] in FINISHED:
        what = f"{folder} holds a finished run of another case; choose another with -o, or --force"
        raise InputError("", what, "command line")


def _nothing_to_restart(folder: Path, what: str) -> InputError:
    return InputError("", f"{folder} {what}, so there is nothing to restart", "command line")


def _begun(folder: Path, case: Case) -> bool:
    """Whether a run of this case was killed here before it had any result."""
    try:
        return case_hash(parse_case((folder / "case.yaml").read_text(encoding="utf-8"))) == case_hash(case)
    except (OSError, UnicodeDecodeError, InputError):
        return False


def clear(folder: Path) -> None:
    """Remove what an older run wrote."""
    for pattern in OUTPUTS:
        for path in folder.glob(pattern):
            if path.is_file():
                path.unlink()


def clear_torn(folder: Path) -> None:
    """Remove what a killed run had begun to write aside (see multiscale.files)."""
    for pattern in OUTPUTS:
        *above, name = pattern.split("/")
        for path in folder.glob("/".join([*above, f".{name}.[0-9]*"])):
            path.unlink(missing_ok=True)


def discard(folder: Path) -> None:
    """Take back a folder that was made for a run whose input turned out wrong."""
    clear(folder)
    locking.release(folder)
    for path in (folder / "fields", folder / "surface", folder / "atoms", folder):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
