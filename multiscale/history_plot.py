"""Picture of what happened along the load: crack extension and energy, forward and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multiscale.plot_style import BLUE, GREY, ORANGE, STYLE, bare, finished, heading

Array = np.ndarray

_MARKS = {"K_plus": "$K_+$", "K_minus": "$K_-$", "K_G": "$K_G$"}


def plot_history(
    rows: Sequence[dict[str, Any]],
    path: Path | None,
    label: str = "K$_I$, MPa√m",
    marks: dict[str, float] | None = None,
    title: str = "",
) -> Figure:
    """Crack extension (where there is a crack) and energy against the load, forward and back.

    rows: one mapping per step with `load`, and optionally `crack_tip` (x in Å, or a position), `energy` with
    its `total` (eV) and `turned` (true on the way back); marks: named loads, drawn as vertical lines.
    """
    panels = _panels(rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.0, 3.8 * max(len(panels), 1)), layout="constrained")
        axes = np.atleast_1d(figure.subplots(max(len(panels), 1), 1, sharex=True))
        draw_history(list(axes), rows, label, marks or {})
        heading(figure, title)
        return finished(figure, path)


def draw_history(
    axes: Sequence[Axes], rows: Sequence[dict[str, Any]], label: str, marks: dict[str, float]
) -> None:
    """The panels of `plot_history` on axes one above the other, as many as there are."""
    load = np.array([row["load"] for row in rows], float)
    back = np.array([bool(row.get("turned", False)) for row in rows])
    for ax, (values, name, steps) in zip(axes, _panels(rows)):
        curve(ax, load, values, back, steps)
        if steps and np.ptp(values) < 1.0:
            ax.set_ylim(-0.5, 5.0)  # a crack that stayed where it was
        _mark(ax, marks, float(np.ptp(load)), named=ax is axes[0])
        ax.set_ylabel(name)
        bare(ax)
    axes[-1].set_xlabel(label)
    if back.any():
        axes[-1].legend(frameon=False, loc="best")


def _panels(rows: Sequence[dict[str, Any]]) -> list[tuple[Array, str, bool]]:
    """Values, name, and whether they go in steps, of each panel."""
    tip = np.array([_tip(row) for row in rows], float)
    energy, name = _energies(rows)
    known = tip[np.isfinite(tip)]  # none where all bonds hold
    first = known[0] if len(known) else np.nan
    panels = [(tip - first, "crack extension, Å", True), (energy, name, False)]
    return [panel for panel in panels if np.isfinite(panel[0]).any()]


def _tip(row: dict[str, Any]) -> float:
    tip = row.get("crack_tip")
    if tip is None:
        return np.nan
    return float(tip[0]) if isinstance(tip, list | tuple) else float(tip)


def _energies(rows: Sequence[dict[str, Any]]) -> tuple[Array, str]:
    """Above the elastic predictor's, which hides all else, where it is known; else above the first step's."""
    parts = [row.get("energy") or {} for row in rows]
    total = np.array([p.get("total", np.nan) for p in parts], float)
    predictor = np.array([p.get("predictor", np.nan) for p in parts], float)
    if np.isfinite(predictor).any():
        return total - predictor, "energy less elastic field's, eV"
    return total - total[0], "energy less first step's, eV"


def curve(ax: Axes, load: Array, values: Array, back: Array, steps: bool) -> None:
    """Forward and back in two colours; the way back starts at the turning point."""
    turn = int(np.argmax(back)) if back.any() else len(load)
    parts = [(slice(0, turn), BLUE, "o", 7.5, "loading")]
    if back.any():
        parts.append((slice(max(turn - 1, 0), None), ORANGE, "s", 4.5, "unloading"))
    for part, colour, marker, size, name in parts:
        ax.plot(
            load[part],
            values[part],
            color=colour,
            marker=marker,
            markersize=size,
            linewidth=2.0,
            markeredgecolor="white",
            markeredgewidth=0.7,
            drawstyle="steps-post" if steps else "default",
            label=name,
            zorder=3 if colour == BLUE else 4,
        )


def _mark(ax: Axes, marks: dict[str, float], width: float, named: bool) -> None:
    """Vertical lines; names of neighbours closer than a fifth of the picture are put at two heights."""
    last, row = -np.inf, 0
    for name, value in sorted(marks.items(), key=lambda mark: mark[1]):
        row = 1 - row if value - last < 0.2 * width else 0
        last = value
        ax.axvline(value, color=GREY, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
        if named:
            ax.annotate(
                f"{_MARKS.get(name, name)} = {value:#.3g}",
                (value, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3 + 16 * row),
                textcoords="offset points",
                color="#57606a",
                fontsize=12,
                ha="center",
            )
