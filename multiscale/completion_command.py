"""`multiscale completion`: what makes a shell complete commands, options and the keys of the case file."""

from __future__ import annotations

import argparse
from typing import Any

from multiscale.ending import DONE
from nnp.completion import PLACES, SHELLS, completion


def add_completion(commands: Any, top: argparse.ArgumentParser) -> None:
    command = commands.add_parser(
        "completion",
        help="print what makes a shell complete this command",
        description="Prints what makes a shell complete commands, options and, behind --set, keys of the case file.",
        epilog="; ".join(
            f"{shell}: multiscale completion {shell} > {PLACES[shell]}" for shell in SHELLS
        ).replace("PROGRAM", "multiscale"),
    )
    command.add_argument("shell", choices=tuple(SHELLS))
    command.set_defaults(command=lambda args, comm: _completion(top, args.shell, comm))


def _completion(parser: argparse.ArgumentParser, shell: str, comm: Any) -> int:
    from multiscale.config.paths import key_paths

    if comm.rank == 0:
        print(completion(parser, shell, {"--set": [f"{path}=" for path in key_paths()]}), end="")
    return DONE
