"""The page of the command line, from the parsers of both programs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from generate.tables import cell, code, plain, table

_HEAD = """\
# Command line

Made from the parsers; `--help` behind any command prints the same.

"""


def page() -> str:
    os.environ["COLUMNS"] = "100"  # argparse breaks usage lines at the terminal's width
    from multiscale.cli import parser as multiscale
    from nnp.cli import _parser as nnp

    return _HEAD + "\n".join(_program(p) for p in (multiscale(), nnp()))


def _program(parser: argparse.ArgumentParser) -> str:
    lines = [f"## {parser.prog}", "", plain(parser.description or ""), ""]
    lines += [_options(parser), ""]
    if parser.epilog:
        lines += ["```text", parser.epilog.strip(), "```", ""]
    for name, about, command in commands(parser):
        usage = command.format_usage().removeprefix("usage: ").strip()
        lines += [f"### {parser.prog} {name}", "", plain(command.description or about), ""]
        lines += ["```text", usage, "```", "", _options(command), ""]
        if command.epilog:
            lines += ["```text", command.epilog.strip(), "```", ""]
    return "\n".join(lines)


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Name, one line about it, and parser of every command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}
            yield from ((name, about.get(name, ""), sub) for name, sub in action.choices.items())


def _options(parser: argparse.ArgumentParser) -> str:
    rows = [
        (_names(action), plain(_help(parser, action)))
        for action in parser._actions
        if not isinstance(action, argparse._SubParsersAction | argparse._HelpAction)
    ]
    return table(("argument", "meaning"), rows) if rows else ""


def _names(action: argparse.Action) -> str:
    value = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    value = " ".join(value) if isinstance(value, tuple) else value
    if not action.option_strings:
        return code(cell(value))
    return code(", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {value}"))


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = parser._get_formatter()._expand_help(action) if action.help else ""
    shown = action.default not in (None, False, argparse.SUPPRESS, []) and "default" not in text
    if shown and action.option_strings and action.nargs != 0:
        text += f" (default: {action.default})"
    return text
