"""How a program ends: errors become one message and an exit code, and no rank is left waiting."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from multiscale.config import InputError
from multiscale.files import full
from multiscale.log import write_traceback
from nnp.access import refused

DONE, FAILED, WRONG_INPUT, NOT_CONVERGED = 0, 1, 2, 3
_PATIENCE = 5.0
"""Seconds that a rank with an error waits for the others to have it too."""

T = TypeVar("T")


def on_first_rank(comm: Any, do: Callable[[], T]) -> T:
    """The value of `do`, called on rank 0 only, on every rank; its InputError too. Collective."""
    if comm.size == 1:
        return do()
    value, error = None, None
    if comm.rank == 0:
        try:
            value = do()
        except InputError as caught:
            error = caught
    value, error = comm.bcast((value, error), root=0)
    if error is not None:
        raise error
    return value  # type: ignore[return-value]


def exit_code(error: BaseException, running: bool = False) -> int:
    """running: a run had begun, whose results are kept."""
    if isinstance(error, InputError) or (refused(error) and not running):
        return WRONG_INPUT
    return 130 if isinstance(error, KeyboardInterrupt) else FAILED


def message(error: BaseException, trace: Path | None, running: bool = False) -> str:
    """The one line for the screen."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if full(error):
        what = f"no room left on the disk to write {getattr(error, 'filename', None) or 'results'}"
        return f"{what}; the last whole step is kept: make room and go on with --restart"
    if isinstance(error, OSError) and refused(error):
        kept = "; the last whole step is kept: give permission and go on with --restart" if running else ""
        return f"{error.filename}: {error.strerror}{kept}"
    what = " ".join(str(error).split()) or "no message"
    return f"multiscale failed: {type(error).__name__}: {what} (traceback in {trace})"


def end(comm: Any, signal: Any, error: BaseException, folder: Path | None, running: bool = False) -> int:
    """Say what went wrong, once, and give the exit code.

    Where all ranks have an error, rank 0 speaks and all return. Where only some have, each of them speaks and
    ends the others, which would wait for ever. signal: a communicator used for nothing else. running: as of
    `exit_code`.
    """
    code, trace = exit_code(error, running), None
    if code == FAILED and not full(error) and not refused(error):
        trace = _trace_file(folder, comm.rank)
        try:
            write_traceback(trace, error)
        except OSError:  # nothing may keep this rank from ending the others
            traceback.print_exception(error)
    alone = comm.size > 1 and not _everyone(signal)
    if comm.rank == 0 or alone:
        where = f"rank {comm.rank}: " if alone and comm.rank else ""
        print(where + message(error, trace, running), file=sys.stderr, flush=True)
    if alone:
        comm.Abort(code)
    elif comm.size > 1:
        signal.Barrier()  # no rank leaves, which may end the others, before rank 0 has spoken
    return code


def _trace_file(folder: Path | None, rank: int) -> Path:
    name = "log.txt" if rank == 0 else f"log-rank{rank}.txt"
    return folder / name if folder is not None and os.path.isdir(folder) else Path("multiscale-" + name)


def _everyone(signal: Any) -> bool:
    """Whether all ranks come here within some seconds."""
    request, until = signal.Ibarrier(), time.monotonic() + _PATIENCE
    while not request.Test():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
