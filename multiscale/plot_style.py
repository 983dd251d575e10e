"""How all pictures look: ink, colours that colour-blind people tell apart, letters to be read from the last row."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from multiscale.files import write_atomically

INK, GREY, BLUE, ORANGE = "#22272e", "#8b949e", "#1f6feb", "#d9730d"
STYLE: Any = {
    "font.size": 14,
    "axes.titlesize": 14,
    "axes.labelsize": 14,
    "legend.fontsize": 13,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 1.0,
    "lines.linewidth": 2.0,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "axes.formatter.useoffset": False,
    "savefig.dpi": 200,
}


def bare(ax: Axes) -> None:
    """A light grid behind the curves, no frame above and to the right."""
    ax.grid(True, color="#e6e8eb", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def heading(figure: FigureBase, title: str) -> None:
    """The title, at the left, on as many lines as it needs; nothing where it is empty."""
    if title:
        whole: Any = figure  # matplotlib's types leave the box of a part out
        width = whole.bbox.width / whole.get_figure().dpi * 72.0  # points
        title = textwrap.fill(title, max(12, int(width / (0.65 * 16))))
        figure.suptitle(title, x=0.01, ha="left", fontsize=16, fontweight="bold")


def finished(figure: Figure, path: Path | None) -> Figure:
    """The figure, written to a file if there is one (its ending says how). Called inside the style's context:
    ticks take theirs when they are drawn."""
    if path is None:
        figure.draw_without_rendering()
        return figure
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix[1:])
    write_atomically(path, buffer.getvalue())
    return figure
