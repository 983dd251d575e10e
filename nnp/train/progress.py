"""How far a training run is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nnp.train.errors import QUANTITIES
from nnp.train.loop import Progress


@dataclass(frozen=True)
class Lines:
    """Prints a line for each epoch with validation errors; may go to other processes."""

    epochs: int
    members: int = 1

    def __call__(self, row: dict[str, float]) -> None:
        if "energy" in row:
            print(_line(row, self.epochs, self.members), flush=True)


@contextmanager
def progress_shown(epochs: int, members: int = 1, jobs: int = 1) -> Iterator[Progress]:
    """A function to call with each epoch's row of the history, which goes to standard output."""
    if jobs > 1 or not sys.stdout.isatty():
        yield Lines(epochs, members)
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    with Bar(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("training", total=epochs * members)
        latest: dict[str, float] = {}

        def show(row: dict[str, float]) -> None:
            latest.update(row)
            done = row.get("member", 0) * epochs + row["epoch"]
            bar.update(task, completed=done, description=_line(latest, epochs, members))

        yield show


def _line(row: dict[str, float], epochs: int, members: int) -> str:
    errors = "".join(f"  {name} {row[name]:.3f} {unit}" for name, unit in QUANTITIES.items() if name in row)
    who = f"member {row['member']} of {members}  " if "member" in row else ""
    return f"{who}epoch {row['epoch']}/{epochs}  loss {row['loss']:.3e}{errors}"
