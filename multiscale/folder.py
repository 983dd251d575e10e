"""The output folder: which one, whether it may be used, and what of an older run is cleared away."""

from __future__ import annotations

from pathlib import Path

from multiscale.config import Case, InputError, case_hash, to_yaml
from multiscale.files import write_atomically
from multiscale.result import FINISHED, read_result

OUTPUTS = ("result.json", "history.csv", "log*.txt", "case.yaml", "law.json", "restart*", "fields.pvd", "fields/*.*vtu",
           "surface.pvd", "surface/*.*vtu", "atoms.pvd", "atoms/*.*vtu", "atoms.extxyz", "*.png")  # fmt: skip
"""What a run writes, as patterns; nothing else in a folder is ever touched."""


def default_folder(case_file: Path) -> Path:
    return Path("results") / case_file.stem


def prepare(folder: Path, case: Case, force: bool = False, restart: bool = False) -> bool:
    """Make the folder ready for a run and write the resolved case into it; say whether it was made anew.

    InputError when it holds a finished run of another case (unless forced), when there is nothing to restart,
    or when it cannot be written.
    """
    old, text = read_result(folder), to_yaml(case)
    same = old is not None and old["case"] == case_hash(case)
    if restart and not same and (old or not _begun(folder, text)):
        what = "holds a run of another case" if old else "holds no run"
        raise InputError("", f"{folder} {what}, so there is nothing to restart", "command line")
    if old and not same and not force and old["status"] in FINISHED:
        raise InputError(
            "",
            f"{folder} holds a finished run of another case; choose another with -o, or --force",
            "command line",
        )
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if old and not restart:
            clear(folder)
        write_atomically(folder / "case.yaml", text)
    except OSError as error:
        raise InputError("", f"cannot write to {folder}: {error.strerror}", "command line") from None
    return made


def _begun(folder: Path, text: str) -> bool:
    """Whether a run of this case was killed here before it had any result."""
    try:
        return (folder / "case.yaml").read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def clear(folder: Path) -> None:
    """Remove what an older run wrote."""
    for pattern in OUTPUTS:
        for path in folder.glob(pattern):
            if path.is_file():
                path.unlink()


def discard(folder: Path) -> None:
    """Take back a folder that was made for a run whose input turned out wrong."""
    clear(folder)
    for path in (folder / "fields", folder / "surface", folder / "atoms", folder):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
