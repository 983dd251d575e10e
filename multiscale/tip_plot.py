"""Picture of a tip that is moved over a block: force against its height, lateral force against its way along x."""

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

_COLOURS = {"approach": BLUE, "retract": ORANGE, "to the right": BLUE, "to the left": ORANGE}


def plot_tip(rows: Sequence[dict[str, Any]], path: Path | None, title: str = "") -> Figure:
    """rows: one mapping per step with tip_x and tip_y, nm, force and lateral_force, N/m. What the tip does not do, go
    up and down or along, has no panel."""
    x, y, force, lateral = (
        np.array([r[k] for r in rows], float) for k in ("tip_x", "tip_y", "force", "lateral_force")
    )
    wanted = [
        (y, force, ("retract", "approach"), "height of the tip, nm", "normal force, N/m"),
        (x, lateral, ("to the right", "to the left"), "way of the tip along x, nm", "lateral force, N/m"),
        (x, force, ("to the right", "to the left"), "way of the tip along x, nm", "normal force, N/m"),
    ]
    panels = [p for p in wanted if np.ptp(p[0]) > 0.0] or wanted[:1]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.0, 3.8 * len(panels)), layout="constrained")
        for ax, panel in zip(np.atleast_1d(figure.subplots(len(panels), 1)), panels):
            _panel(ax, *panel)
        heading(figure, title)
        return finished(figure, path)


def _panel(ax: Axes, way: Array, force: Array, names: tuple[str, str], along: str, label: str) -> None:
    """Steps up the axis in one colour, down in the other."""
    step = np.sign(np.diff(way))
    for sign, name in zip((1.0, -1.0), names):
        at = np.flatnonzero(step == sign)
        ends = np.stack([at, at + 1], axis=1)
        lines, heights = np.full((len(at), 3), np.nan), np.full((len(at), 3), np.nan)
        lines[:, :2], heights[:, :2] = way[ends], force[ends]
        if len(at):
            ax.plot(lines.ravel(), heights.ravel(), "o-", color=_COLOURS[name], markersize=3, label=name)
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    ax.set_xlabel(along)
    ax.set_ylabel(label)
    ax.legend(frameon=False)
    bare(ax)
