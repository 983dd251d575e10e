"""`nnp completion`: what makes a shell complete this command."""

from __future__ import annotations

import argparse
from typing import Any

from nnp.cli.common import DONE, add_command
from nnp.completion import SHELLS, completion


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "completion",
        _completion,
        "print what makes a shell complete this command",
        "nnp completion bash > ~/.local/share/bash-completion/completions/nnp",
    )
    p.add_argument("shell", choices=tuple(SHELLS))


def _completion(options: argparse.Namespace) -> int:
    from nnp.cli import _parser

    print(completion(_parser(), options.shell), end="")
    return DONE
