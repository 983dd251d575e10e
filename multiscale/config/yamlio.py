"""YAML as this program reads it: plain words of YAML 1.2, no duplicate keys, errors with a line number."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from multiscale.config.errors import InputError


class _Words:
    """Only these plain words are not text. (YAML 1.1 also takes yes, no, on, off, 12:30 and dates, and
    leaves 1e-3 as text.)"""

    rules = (
        ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN\0"),
        ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", "-+0123456789"),
        (
            "tag:yaml.org,2002:float",
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
            "-+0123456789.",
        ),
    )

    @classmethod
    def resolvers(cls) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
        table: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
        for tag, pattern, first in cls.rules:
            for letter in first.replace("\0", ""):
                table.setdefault(letter, []).append((tag, re.compile(f"(?:{pattern})$")))
            if "\0" in first:
                table.setdefault("", []).append((tag, re.compile(f"(?:{pattern})$")))
        return table


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = _Words.resolvers()

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        return int(node.value)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise InputError("", f"line {line}: keys are words, got {key!r}")
            if key in seen:
                raise InputError(
                    "", f"line {line}: the key '{key}' is given twice, first in line {seen[key]}"
                )
            seen[key] = line
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers = _Words.resolvers()

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        # Only double quotes keep every kind of line break and blank as it is.
        style = None if data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Dumper.add_representer(str, _Dumper.represent_text)


def parse(text: str) -> Any:
    """The YAML document; InputError with the line where it is none."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError("", f"{where}not valid YAML: {_plain(error.problem or str(error))}") from None
    except yaml.YAMLError as error:
        raise InputError("", f"not valid YAML: {error}") from None
    except RecursionError:
        raise InputError("", "not valid YAML: nested too deeply") from None


def _plain(problem: str) -> str:
    if "'\\t'" in problem:
        return "a tab; indent with spaces"
    return problem


def in_line(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.dump(
        [value], Dumper=_Dumper, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10**6
    )
    return text.strip()[1:-1]


def write(data: Any) -> str:
    """YAML text, innermost lists and mappings in one line, keys in the order given."""
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110
    )
