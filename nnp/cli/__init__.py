"""The command `nnp`: train and evaluate a neural potential, relax and move atoms with it.

One file for each command: `add(commands)` declares its arguments, the rest of the file runs it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from nnp.cli import calibrate, evaluate, md, relax, select, stats, train
from nnp.cli.common import FAILED, WRONG, WRONG_INPUT

__all__ = ["main"]

COMMANDS = (train, evaluate, calibrate, stats, select, relax, md)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except WRONG_INPUT as error:
        print(f"nnp: {error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print("nnp: stopped", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nnp",
        description="Train a neural potential, measure its errors, relax and move atoms with it.",
        epilog="Exit codes: 0 done; 2 the input is wrong; 3 not converged; 1 anything else.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
