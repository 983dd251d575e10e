"""What a run says while it runs: the same lines on the screen and in log.txt, from rank 0 only."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

logger = logging.getLogger("multiscale")


class _ConsoleHandler(logging.Handler):
    """Log lines above a progress bar."""

    def __init__(self, console: Console):
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        self.console.print(self.format(record), markup=False, highlight=False, soft_wrap=True)


class _FileHandler(logging.FileHandler):
    """Lines that a full disk does not take are lost: the screen has them."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def logging_to(
    path: Path | None, rank: int = 0, console: Console | None = None, screen: bool = True
) -> Iterator[logging.Logger]:
    """The logger "multiscale" writes to the screen, if wanted, and to the file at `path` (None: no file); silent on
    other ranks. Everything is undone at the end."""
    for noisy in ("FFCx", "UFL", "ffcx", "ufl"):  # they log at INFO when imported
        logging.getLogger(noisy).setLevel(logging.WARNING)
    handlers = _handlers(path, console, screen) if rank == 0 else [logging.NullHandler()]
    before, logger.propagate = logger.propagate, False
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield logger
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.propagate = before


def _handlers(path: Path | None, console: Console | None, screen: bool) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    if screen:
        on_terminal = console is not None and console.is_terminal
        handlers.append(
            _ConsoleHandler(console) if console and on_terminal else logging.StreamHandler(sys.stdout)
        )
        handlers[0].setFormatter(logging.Formatter("%(message)s"))
    if path is not None:
        file = _FileHandler(path, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        handlers.append(file)
    return handlers or [logging.NullHandler()]


class StepProgress:
    """`progress(done, total, text)` after every step: a log line, and a bar where there is a terminal.

    A context manager, which takes the bar away at its end.
    """

    def __init__(self, console: Console | None = None):
        self._bar = _bar(console) if console is not None and console.is_terminal else None
        self._task = self._bar.add_task("", total=None) if self._bar else None

    def __enter__(self) -> StepProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, total: int, text: str) -> None:
        logger.info("[%d/%d] %s", done, total, text)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, description=f"step {done}")


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def write_traceback(path: Path, error: BaseException) -> None:
    """Append the whole story of an error to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
