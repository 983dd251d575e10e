"""The command `nnp`: train and evaluate a neural potential, relax and move atoms with it.

One file for each command: `add(commands)` declares its arguments, the rest of the file runs it.
"""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from nnp.access import refused, usable_caches
from nnp.cli import calibrate, completion, evaluate, export, md, relax, select, stats, train
from nnp.cli.common import FAILED, WRONG, WRONG_INPUT
from nnp.one_line import one_line

__all__ = ["main"]

COMMANDS = (train, evaluate, calibrate, stats, select, relax, md, export, completion)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    moved = usable_caches()
    if moved:
        print(f"nnp: {moved}", file=sys.stderr)
    try:
        return options.command(options)
    except WRONG_INPUT as error:
        print(f"nnp: {one_line(error)}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print("nnp: stopped", file=sys.stderr)
        return FAILED
    except OSError as error:
        if refused(error):
            print(f"nnp: {error.filename}: {error.strerror}", file=sys.stderr)
            return FAILED
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        what = f"no room left on the disk to write {error.filename or 'results'}"
        print(f"nnp: {what}; make room, and go on with a training by --resume", file=sys.stderr)
        return FAILED


class _Version(argparse.Action):
    def __call__(self, *unused: Any, **more: Any) -> NoReturn:
        from nnp.versions import compiler, own_version, python, versions

        stack = {"nnp": own_version(), **versions(), "python": python(), "compiler": compiler()}
        print("\n".join(f"{name} {version}" for name, version in stack.items()))
        raise SystemExit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nnp",
        description="Train a neural potential, measure its errors, relax and move atoms with it.",
        epilog="Exit codes: 0 done; 2 the input is wrong; 3 not converged; 1 anything else.",
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="versions of this program and of its stack"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
