"""What a training run leaves for people: error tables, the learning curve as CSV and picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnp.train.errors import QUANTITIES
from nnp.train.sources import Shifts

COLUMNS = ("epoch", "loss", "rate", "validation", *QUANTITIES)


def table(errors: dict[str, Any], title: str = "") -> str:
    """Errors by configuration type as text: root mean square, mean absolute in brackets."""
    head = [title or "type", "frames", "atoms", *(f"{name} {unit}" for name, unit in QUANTITIES.items())]
    rows = [head]
    for group, row in errors.items():
        rows.append(
            [group, str(row["frames"]), str(row["atoms"]), *(_cell(row[name]) for name in QUANTITIES)]
        )
    widths = [max(len(r[k]) for r in rows) for k in range(len(head))]
    lines = [
        "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(r, widths)))
        for r in rows
    ]
    return "\n".join(lines)


def members_table(members: Sequence[dict[str, dict[str, Any]]], mean: dict[str, dict[str, Any]]) -> str:
    """The errors over all held-out frames (over the training frames where none are) of each member and of
    their mean."""
    rows = {f"member {k}": e.get("validation", e["training"])["all"] for k, e in enumerate(members)}
    return table(rows | {"committee": mean.get("validation", mean["training"])["all"]}, "held out")


def shifts_text(shifts: Shifts) -> str:
    """A line for each source: what its energies lie above the model's."""
    return "".join(
        f"\nenergies of {source} less those of the model: "
        + ", ".join(f"{symbol} {value:.4f} eV/atom" for symbol, value in row.items())
        for source, row in shifts.items()
    )


def _cell(value: dict[str, float] | None) -> str:
    return "–" if value is None else f"{value['rmse']:.3f} ({value['mae']:.3f})"


def write_curve(history: Sequence[dict[str, float]], path: Path) -> None:
    """The history as CSV: epoch, loss, learning rate, loss and errors on the held-out frames (empty where not
    computed)."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(history)


def plot_curve(history: Sequence[dict[str, float]], path: Path) -> None:
    """Loss and validation errors against epochs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.semilogy([r["epoch"] for r in history], [r["loss"] for r in history], label="training")
    held = [(r["epoch"], r["validation"]) for r in history if "validation" in r]
    if held:
        left.semilogy(*zip(*held), marker=".", label="validation")
    left.set(xlabel="epoch", ylabel="loss")
    left.legend()
    for name, unit in QUANTITIES.items():
        known = [(r["epoch"], r[name]) for r in history if name in r]
        if known:
            right.semilogy(*zip(*known), marker=".", label=f"{name}, {unit}")
    right.set(xlabel="epoch", ylabel="validation error (root mean square)")
    if right.lines:
        right.legend()
    figure.savefig(path, dpi=150)
