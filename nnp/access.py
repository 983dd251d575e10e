"""Files and folders that this user may not read or write: said before anything is computed."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def refused(error: BaseException) -> bool:
    """Whether the system forbade to read or write a file."""
    return isinstance(error, OSError) and error.errno in _REFUSED and error.filename is not None


def why_unreadable(path: Path) -> str | None:
    """Why a file cannot be read, in words to stand behind its name; None where it can."""
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            return "is a folder, not a file"
        if stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a null character in the name
        return "no such file"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None


def why_unwritable(path: Path) -> str | None:
    """Why a file cannot be made or replaced, in words; None where it can."""
    folder = path.absolute().parent
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            return f"'{path.parent}' is not a folder"
        if path.is_dir():
            return f"'{path}' is a folder, not a file to write"
    except (FileNotFoundError, NotADirectoryError):
        return f"no folder '{path.parent}' to write into"
    except OSError as error:
        return f"'{path}' cannot be written: {error.strerror}"
    if not _allowed(folder):
        return f"'{path}' cannot be written: no permission to write into '{path.parent}'"
    return None


def usable_caches() -> str | None:
    """Sees to folders for what is compiled once: this program's kernels, DOLFINx's forms, matplotlib's fonts.

    Where the user's own (XDG_CACHE_HOME, ~/.cache) cannot be written, the variables that name them are set to a folder
    of this user's among the temporary files; that is said in the text that is returned, None where nothing was done.
    Must come before DOLFINx and matplotlib are imported.
    """
    home = _home()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    if all(_can_be_made(caches / name) for name in ("fenics", "nnp")):
        return None
    own = _own_folder()
    os.environ["XDG_CACHE_HOME"] = str(own)
    if not _can_be_made(settings / "matplotlib"):
        os.environ.setdefault("MPLCONFIGDIR", str(own / "matplotlib"))
    if not _reachable(settings):  # DOLFINx asks for its settings there
        os.environ["XDG_CONFIG_HOME"] = str(own)
    if not _reachable(home):
        os.environ["HOME"] = str(own)
    return f"warning: no permission to write into {caches}: compiled code is kept in {own}"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user whom the system does not know, as in containers
        return Path("/nonexistent")


def _own_folder() -> Path:
    """Of this user alone: what is compiled is loaded from it."""
    folder = Path(tempfile.gettempdir()) / f"multiscale-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & 0o022:
        return folder
    return Path(tempfile.mkdtemp(prefix="multiscale-"))


def _can_be_made(folder: Path) -> bool:
    """Whether a folder can be written, or made where it is not there."""
    while not os.path.lexists(folder):
        if folder == folder.parent:
            return False
        folder = folder.parent
    return folder.is_dir() and _allowed(folder)


def _allowed(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _reachable(path: Path) -> bool:
    """Whether it can be seen that a folder is there, or not there; not so inside another user's."""
    try:  # asked of the system itself: what pathlib says of it depends on Python's version
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
