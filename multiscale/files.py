"""Files that are either old or new, never half written."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write aside, then rename: a reader, or a run that is killed, never meets half a file."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with written_aside(path) as aside:
        aside.write_bytes(data)


@contextmanager
def written_aside(path: Path, lasting: bool = False, onto: bool = False) -> Iterator[Path]:
    """A path to write to that becomes `path` when all went well, and is gone if not. lasting: even where the power
    fails a moment later. onto: it is appended to `path`, which is as it was where that fails."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield aside
        if lasting:
            with aside.open("rb") as file:
                os.fsync(file.fileno())
        if onto and path.exists():
            _append(path, aside)
        else:
            os.replace(aside, path)
    except OSError as error:
        if error.filename in (None, str(aside)):  # the name that users know
            error.filename = str(path)
        raise
    finally:
        aside.unlink(missing_ok=True)


def full(error: BaseException) -> bool:
    """Whether there was no room left on a disk, or in a quota."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _append(path: Path, more: Path) -> None:
    before = path.stat().st_size
    try:
        with path.open("ab") as file, more.open("rb") as source:
            shutil.copyfileobj(source, file, 1 << 26)  # in one piece, if it is not large
    except BaseException:
        os.truncate(path, before)
        raise
