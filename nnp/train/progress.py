"""How far a training run is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from nnp.train.errors import QUANTITIES
from nnp.train.loop import Progress


@contextmanager
def progress_on(stream: TextIO, epochs: int) -> Iterator[Progress]:
    """A function to call with each epoch's row of the history."""
    if not stream.isatty():
        yield lambda row: print(_line(row, epochs), file=stream, flush=True) if "energy" in row else None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(file=stream)) as bar:
        task = bar.add_task("training", total=epochs)
        latest: dict[str, float] = {}

        def show(row: dict[str, float]) -> None:
            latest.update(row)
            bar.update(task, completed=row["epoch"], description=_line(latest, epochs))

        yield show


def _line(row: dict[str, float], epochs: int) -> str:
    errors = "".join(f"  {name} {row[name]:.3f} {unit}" for name, unit in QUANTITIES.items() if name in row)
    return f"epoch {row['epoch']}/{epochs}  loss {row['loss']:.3e}{errors}"
