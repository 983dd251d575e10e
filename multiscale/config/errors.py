"""The one error that means: what the user gave cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

from nnp.one_line import one_line


@dataclass(eq=False)
class InputError(Exception):
    """path: dotted place in the case file ("" for the file as a whole); message: what is wrong, what came and
    what is allowed; source: the file. Ends the program with exit code 2 and no traceback."""

    path: str
    message: str
    source: str = ""

    def __str__(self) -> str:
        return one_line(": ".join(part for part in (self.source, self.path, self.message) if part))

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        return type(self), (self.path, self.message, self.source)  # errors travel between ranks

    def at(self, source: str) -> InputError:
        """The same error, said of a file."""
        return InputError(self.path, self.message, self.source or source)
