"""One run in a folder at a time.

The lock is a file with who holds it, which the system also locks for as long as the process lives: a killed run leaves
the file but not the lock, and the next one takes it over. On file systems that cannot lock, the process is looked for.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

NAME = ".running"
PATIENCE = 5.0
"""Seconds to wait for a run that is about to end: the ranks of a job may outlive its `mpirun` by one or two."""

_UNABLE = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_held: dict[Path, int] = {}
"""Open files by the folder that this process holds."""


class FolderInUseError(RuntimeError):
    """Another process is at work in a folder."""


def take(folder: Path) -> None:
    """Hold a folder until `release` or the end of the process; nothing where this process holds it already.
    FolderInUseError where another one does, OSError where the folder cannot be written."""
    folder = folder.resolve()
    if folder in _held:
        return
    path, until = folder / NAME, time.monotonic() + PATIENCE
    while (file := _opened(path)) is None:
        if time.monotonic() > until:
            raise FolderInUseError(_message(folder, _holder(path)))
        time.sleep(0.1)
    os.truncate(file, 0)
    os.write(file, json.dumps(_myself()).encode())
    if not _held:
        atexit.register(_release_all, os.getpid())
    _held[folder] = file


def release(folder: Path) -> None:
    """Let go of a folder; nothing where it is not held."""
    folder = folder.resolve()
    file = _held.pop(folder, None)
    if file is not None:
        with suppress(OSError):  # of a folder that was closed; without its lock it holds nobody up
            (folder / NAME).unlink(missing_ok=True)
        os.close(file)


def _release_all(process: int) -> None:
    if process == os.getpid():  # not one forked off
        for folder in list(_held):
            release(folder)


def _opened(path: Path) -> int | None:
    """The file, locked; None where another process has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    if _locked(file, path) and path.exists() and os.path.samestat(os.fstat(file), path.stat()):
        return file
    os.close(file)  # or who held it took the file away in between
    return None


def _locked(file: int, path: Path) -> bool:
    """Whether the lock is ours now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _UNABLE:
            return not _alive(_holder(path))
        return False
    return True


def _myself() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}


def _holder(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _alive(holder: dict[str, Any]) -> bool:
    """Of another host it is not known, and believed."""
    if not holder or holder.get("host") != socket.gethostname():
        return bool(holder)
    try:
        os.kill(int(holder["pid"]), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _message(folder: Path, holder: dict[str, Any]) -> str:
    who = "process {pid} on {host}, since {since}".format_map(
        {"pid": "?", "host": "?", "since": "?", **holder}
    )
    return f"{folder} is in use by another run ({who}); wait for it, end it, or choose another folder"
