"""Messages for the screen."""

from __future__ import annotations


def one_line(text: object) -> str:
    """A text on one line; what a terminal cannot show, or would obey, is escaped."""
    words = " ".join(str(text).split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
