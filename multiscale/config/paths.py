"""The dotted paths of all keys of the case file."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

from multiscale.config.case import Case
from multiscale.config.spec import key_of


def key_paths(kind: Any = Case, above: str = "") -> list[str]:
    """Of the values, without those of sections; where a section can be of several kinds, of all of them."""
    return list(dict.fromkeys(_paths(kind, above)))


def _paths(kind: Any, above: str) -> Iterator[str]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        path, hint = above + key_of(field), hints[field.name]
        sections = [k for k in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(k)]
        for section in sections:
            yield from _paths(section, f"{path}.")
        if not sections:
            yield path
