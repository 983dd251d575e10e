"""The tests under mpirun: all ranks run each one together and agree on how it went; the first rank reports."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from tests.mpi import COMM, PATIENCE

_LATE = float(os.environ.get("MULTISCALE_TEST_LATE", 15.0 * PATIENCE))
"""Seconds that a rank whose test has failed waits for the others; then they hang in a message, and all are ended."""
_OUTCOMES = ("passed", "skipped", "failed")

if COMM.size > 1:
    _AGREEMENT = COMM.Dup()  # its messages meet no test's
    settings.register_profile("ranks", derandomize=True)  # the same examples on all ranks
    settings.load_profile("ranks")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if COMM.size > 1:
        pytest.TempPathFactory.mktemp = _made_by_first(pytest.TempPathFactory.mktemp)
        config.option.timeout_method = "thread"  # a signal does not interrupt a rank that waits for a message
    if COMM.rank > 0:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  before the terminal reporter takes it


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = (yield).get_result()
    if COMM.size > 1:
        _agree(report, item.config)


def _agree(report: pytest.TestReport, config: pytest.Config) -> None:
    """A part of a test (its set-up, itself, its end) goes on all ranks as on the worst of them. Collective."""
    mine, found = _OUTCOMES.index(report.outcome), np.empty(COMM.size, int)
    request = _AGREEMENT.Iallgather(np.array([mine]), found)
    begin = time.monotonic()
    while not request.Test():
        time.sleep(0.0005)
        if report.failed and time.monotonic() - begin > _LATE:
            _end(report, config)
    worst = int(found.max())
    if worst == 0 or (worst == 1 and found.min() == 1):
        return
    texts = _AGREEMENT.allgather("" if mine < 2 else f"on rank {COMM.rank}\n{report.longreprtext}")
    report.outcome = "failed"
    report.longrepr = "\n\n".join(filter(None, texts)) or f"skipped on some ranks only: {found}"


def _end(report: pytest.TestReport, config: pytest.Config) -> None:
    """Ends all ranks, with the words of this one."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=True)
    words = (
        f"\n{report.longreprtext}\nFAILED {report.nodeid} on rank {COMM.rank}, others wait for it: ended\n"
    )
    os.write(2, words.encode())
    COMM.Abort(1)


def _made_by_first(mktemp: Callable[..., Path]) -> Callable[..., Path]:
    def shared(self: pytest.TempPathFactory, *args: Any, **options: Any) -> Path:
        """The same new folder on all ranks."""
        return _AGREEMENT.bcast(mktemp(self, *args, **options) if COMM.rank == 0 else None)

    return shared


class _Said:
    """What the first rank has written, on all ranks."""

    def __init__(self, capsys: pytest.CaptureFixture[str]):
        self._own = capsys

    def readouterr(self) -> Any:
        return _AGREEMENT.bcast(self._own.readouterr())


@pytest.fixture
def capsys(capsys: pytest.CaptureFixture[str]) -> Any:
    return capsys if COMM.size == 1 else _Said(capsys)
