"""The outline of an extended XYZ file, checked line by line before anything is made of it."""

from __future__ import annotations

from pathlib import Path

COLUMNS = (("positions", ("pos:R:3",)), ("elements", ("species:S:1", "Z:I:1", "numbers:I:1")))
"""What `Properties` must hold, and the ways to write it."""
PACKED = (".gz", ".bz2", ".xz")
_CUT = 40


class OutlineError(ValueError):
    """A file that is no extended XYZ; the message says where."""


def check_outline(path: Path) -> None:
    """OutlineError where a count of atoms is none, the file ends within a frame, or columns that a frame needs are
    missing. A packed file is taken as it is."""
    if path.suffix in PACKED:
        return
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.readlines()
    except UnicodeDecodeError:
        raise OutlineError("is not a text file in UTF-8") from None
    except OSError as error:
        raise OutlineError(f"cannot be read: {error.strerror}") from None
    at, frame = 0, 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        count = _count(lines[at], frame, at)
        if at + count + 2 > len(lines):
            there = max(len(lines) - at - 2, 0)
            raise OutlineError(
                f"frame {frame}, line {at + 1}: the file ends after {there} of its {count} atoms"
            )
        _check_columns(lines[at + 1], frame, at + 1)
        at, frame = at + count + 2, frame + 1


def _count(line: str, frame: int, at: int) -> int:
    word = line.strip()
    if not (word.isdecimal() and word.isascii() and len(word) < 12 and int(word) > 0):
        shown = word if len(word) <= _CUT else word[: _CUT - 1] + "…"
        raise OutlineError(f"frame {frame}, line {at + 1}: must be the number of atoms, got '{shown}'")
    return int(word)


def _check_columns(comment: str, frame: int, at: int) -> None:
    if "Properties=" not in comment:
        return
    for what, ways in COLUMNS:
        if not any(way in comment for way in ways):
            raise OutlineError(
                f"frame {frame}, line {at + 1}: Properties names no {what}, {' or '.join(ways)}"
            )
