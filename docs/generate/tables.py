"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; line breaks and bars in cells are made harmless."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def code(text: str) -> str:
    """Text as code, nothing where there is none; safe in a table."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """Text that Markdown and its dollar signs leave alone."""
    for sign in "*_<$[":
        text = text.replace(sign, "\\" + sign)
    return text
