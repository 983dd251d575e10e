"""YAML as the programs read and write it: plain words of YAML 1.2, no duplicate keys, no tags, nothing that grows.

A file can only give texts, numbers, true, false, nothing, lists and mappings with words as keys.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

LARGEST = 1_000_000
"""Bytes of a file, and values that aliases may unfold it to."""
DEEPEST = 50
"""Lists and mappings inside each other."""


class YamlError(ValueError):
    """A text that is not such YAML; the message, one line, says where."""


class _Words:
    """Only these plain words are not text. (YAML 1.1 also takes yes, no, on, off, 12:30 and dates, and
    leaves 1e-3 as text.)"""

    rules = (
        ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN\0"),
        ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("tag:yaml.org,2002:int", r"[-+]?[0-9]{1,18}", "-+0123456789"),
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
                table.setdefault(letter, []).append((tag, re.compile(f"(?:{pattern})\\Z")))
            if "\0" in first:
                table.setdefault("", []).append((tag, re.compile(f"(?:{pattern})\\Z")))
        return table


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = _Words.resolvers()
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()
        if getattr(event, "tag", None) is not None:
            raise YamlError(
                f"{_place(event.start_mark)}not valid YAML: tags such as {event.tag} are not used here"
            )
        if self.depth == DEEPEST:
            raise YamlError(f"{_place(event.start_mark)}not valid YAML: nested too deeply")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        if node is not None:
            _unfolded(node, {})
        return node

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        return int(node.value)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise YamlError(f"line {line}: keys are words, got {key!r}")
            if key in seen:
                raise YamlError(f"line {line}: the key '{key}' is given twice, first in line {seen[key]}")
            seen[key] = line
        return super().construct_mapping(node, deep)


_UNDER_WAY = -1


def _unfolded(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for once its aliases are followed. YamlError for one that holds itself, and
    above LARGEST."""
    count = known.get(id(node))
    if count == _UNDER_WAY:
        raise YamlError(f"{_place(node.start_mark)}not valid YAML: an anchor that holds itself")
    if count is None:
        known[id(node)], count = _UNDER_WAY, 1
        pairs = node.value if isinstance(node, yaml.CollectionNode) else []
        for inner in (part for pair in pairs for part in (pair if isinstance(pair, tuple) else (pair,))):
            count += _unfolded(inner, known)
        if count > LARGEST:
            raise YamlError(f"{_place(node.start_mark)}its aliases unfold to more than {LARGEST} values")
        known[id(node)] = count
    return count


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


def read(path: Path) -> Any:
    """The document of a file. YamlError, without the file's name, where it cannot be read as one."""
    return parse(read_text(path))


def read_text(path: Path) -> str:
    """A text file in UTF-8 of at most LARGEST bytes, with or without byte order mark. YamlError otherwise."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise YamlError("no such file") from None
    except IsADirectoryError:
        raise YamlError("is a folder, not a file") from None
    except OSError as error:
        raise YamlError(f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise YamlError("no such file") from None  # a name with a null character
    if len(content) > LARGEST:
        raise YamlError(f"is longer than {LARGEST} bytes, and so no such file as is wanted here")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise YamlError("is not a text file in UTF-8") from None


def parse(text: str) -> Any:
    """The YAML document; YamlError with the line where it is none."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        where = _place(error.problem_mark or error.context_mark)
        raise YamlError(f"{where}not valid YAML: {_plain(error.problem or str(error))}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(f"line {line}: not valid YAML: the character {chr(error.character)!a}") from None
    except yaml.YAMLError as error:
        raise YamlError(f"not valid YAML: {' '.join(str(error).split())}") from None


def _place(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""


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
