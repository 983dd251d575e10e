"""Ctrl-C and a batch system's SIGTERM: a run ends at the next iteration, on all ranks, its last step kept."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from mpi4py import MPI

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """Raised on all ranks when one of them was sent a signal. code: what the shell calls such an end."""

    def __init__(self, number: int):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.code = 128 + number


class Interrupts:
    """A context manager. While it is open a signal is only noted, on the rank that it was sent to, and `check`
    raises it on all; a second Ctrl-C ends the program at once."""

    def __init__(self, comm: Any):
        self._comm, self._noted = comm, 0
        self._raised: Interrupted | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():  # only there can Python be told
            self._before = {each: signal.signal(each, self._note) for each in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler if handler is not None else signal.SIG_DFL)  # None: set from C
        if self._raised is not None and isinstance(error, Exception) and error is not self._raised:
            raise self._raised from error  # PETSc from 3.22 on gives an error of its own for one in a callback

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._noted = self._noted or number

    def check(self, *unused: Any) -> None:
        """Interrupted if any rank was sent a signal. Collective; takes what a solver's monitor is given."""
        number = self._comm.allreduce(self._noted, op=MPI.MAX)
        if number:
            self._raised = Interrupted(number)
            raise self._raised
