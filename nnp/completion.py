"""Completion of a command line in bash, zsh and fish, read off its argparse parser."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

PLACES = {
    "bash": "~/.local/share/bash-completion/completions/PROGRAM",
    "zsh": "a file _PROGRAM in a folder of $fpath",
    "fish": "~/.config/fish/completions/PROGRAM.fish",
}
"""Where each shell looks for the script of a program."""

NO_WORDS: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True)
class Option:
    """names: as -o and --output; takes: whether a value follows; words: what it can be, none: a file or anything."""

    names: tuple[str, ...]
    about: str
    takes: bool
    words: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """words: what its arguments without a name can be, none: files."""

    name: str
    about: str
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()


def completion(
    parser: argparse.ArgumentParser, shell: str, values: Mapping[str, Sequence[str]] = NO_WORDS
) -> str:
    """The script that makes `shell` (one of SHELLS) complete the parser's program. values: words for the value of an
    option, by its name, besides its choices."""
    commands, top = _commands(parser, values), _options(parser, values)
    return SHELLS[shell](parser.prog, commands, top)


def _commands(parser: argparse.ArgumentParser, values: Mapping[str, Sequence[str]]) -> list[Command]:
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            about = {a.dest: a.help or "" for a in action._choices_actions}
            for name, sub in action.choices.items():
                words = [str(w) for a in sub._actions if not a.option_strings for w in a.choices or ()]
                found.append(
                    Command(name, _short(about.get(name, "")), tuple(_options(sub, values)), tuple(words))
                )
    return found


def _options(parser: argparse.ArgumentParser, values: Mapping[str, Sequence[str]]) -> list[Option]:
    return [
        Option(tuple(a.option_strings), _short(a.help or ""), a.nargs != 0, _words(a, values))
        for a in parser._actions
        if a.option_strings and a.help is not argparse.SUPPRESS
    ]


def _words(action: argparse.Action, values: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    given = next((values[name] for name in action.option_strings if name in values), ())
    return tuple(str(word) for word in action.choices or given)


def _short(text: str) -> str:
    """The help in plain characters, without what argparse fills in."""
    return re.sub(r"[\[\]'\"`$:\\]", "", re.split(r" \(|; |: ", text)[0]).replace("%%", "%")


def _bash(program: str, commands: Sequence[Command], top: Sequence[Option]) -> str:
    name = re.sub(r"\W", "_", program)
    valued = {f"{c.name} {n}": o.words for c in commands for o in c.options if o.words for n in o.names}
    return f"""\
{_note(program, "bash")}
_{name}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words="" options=""
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "{_names(commands)} {_flags(top)}" -- "$cur")); return
  fi
  case "${{COMP_WORDS[1]}} $before" in
{_lines(f'    "{before}") words="{" ".join(words)}";;' for before, words in valued.items())}
  esac
  if [ -z "$words" ]; then
    case "${{COMP_WORDS[1]}}" in
{_lines(f'      {c.name}) words="{" ".join(c.words)}" options="{_flags(c.options)}";;' for c in commands)}
    esac
  fi
  case "$cur" in -*) words="$options";; esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  case "${{COMPREPLY[0]}}" in *=) compopt -o nospace 2>/dev/null;; esac
}}
complete -o default -F _{name} {program}
"""


def _zsh(program: str, commands: Sequence[Command], top: Sequence[Option]) -> str:
    name = re.sub(r"\W", "_", program)
    return f"""\
#compdef {program}
{_note(program, "zsh")}
_{name}() {{
  local -a commands=(
{_lines(f"    '{c.name}:{c.about}'" for c in commands)}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _arguments {" ".join(_zsh_option(o) for o in top)}
    return
  fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
{_lines(f"    {c.name}) _arguments {' '.join(map(_zsh_option, c.options))} {_zsh_rest(c)};;" for c in commands)}
  esac
}}
compdef _{name} {program}
"""


def _zsh_option(option: Option) -> str:
    action = ""
    if option.takes:
        action = f":value:({' '.join(option.words)})" if option.words else ":value:_files"
    return " ".join(f"'*{name}[{option.about}]{action}'" for name in option.names)


def _zsh_rest(command: Command) -> str:
    return f"'*:argument:({' '.join(command.words)})'" if command.words else "'*:file:_files'"


def _fish(program: str, commands: Sequence[Command], top: Sequence[Option]) -> str:
    start = f"complete -c {program} -n __fish_use_subcommand"
    lines = [f"{start} -f -a {c.name} -d '{c.about}'" for c in commands]
    lines += [f"{start} {_fish_option(o)}" for o in top]
    for c in commands:
        within = f"complete -c {program} -n '__fish_seen_subcommand_from {c.name}'"
        lines += [f"{within} {_fish_option(o)}" for o in c.options]
        lines += [f"{within} -f -a '{' '.join(c.words)}'"] if c.words else []
    return "\n".join([_note(program, "fish"), *lines, ""])


def _fish_option(option: Option) -> str:
    names = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names)
    words = f" -x -a '{' '.join(option.words)}'" if option.words else " -r"
    return f"{names}{words if option.takes else ''} -d '{option.about}'"


SHELLS: dict[str, Callable[[str, Sequence[Command], Sequence[Option]], str]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}


def _note(program: str, shell: str) -> str:
    return f"# {program} completion {shell} > {PLACES[shell].replace('PROGRAM', program)}"


def _names(commands: Sequence[Command]) -> str:
    return " ".join(c.name for c in commands)


def _flags(options: Iterable[Option]) -> str:
    return " ".join(name for o in options for name in o.names)


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows)
