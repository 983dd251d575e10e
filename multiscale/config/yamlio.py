"""YAML of case files; see nnp.yamlfile. Errors are InputErrors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from multiscale.config.errors import InputError
from nnp.yamlfile import YamlError, in_line, write
from nnp.yamlfile import parse as _parse
from nnp.yamlfile import read_text as _read_text

__all__ = ["in_line", "parse", "read_text", "write"]


def parse(text: str) -> Any:
    """The YAML document; InputError with the line where it is none."""
    try:
        return _parse(text)
    except YamlError as error:
        raise InputError("", str(error)) from None


def read_text(path: Path) -> str:
    """The text of a file; InputError that names it where there is none."""
    try:
        return _read_text(path)
    except YamlError as error:
        raise InputError("", str(error), str(path)) from None
