"""Picture of an indentation: force and size of the contact against the depth, Hertz beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from multiscale.history_plot import curve
from multiscale.plot_style import GREY, STYLE, bare, finished, heading

Array = np.ndarray


def plot_indentation(
    rows: Sequence[dict[str, Any]],
    path: Path | None,
    unit: str,
    hertz: Array | None,
    radius: Callable[[Array], Array],
    title: str = "",
) -> Figure:
    """rows: one mapping per step with `load` (depth, nm), `force`, `turned` and maybe `contact_radius` (nm); hertz:
    force at these depths, None: not drawn; radius: Hertz's contact radius of a force."""
    depth, force = (np.array([row[name] for row in rows], float) for name in ("load", "force"))
    back = np.array([bool(row.get("turned", False)) for row in rows])
    size = np.array([row.get("contact_radius", np.nan) for row in rows], float)
    panels = 2 if np.isfinite(size).any() else 1
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.0, 4.2 * panels), layout="constrained")
        axes = np.atleast_1d(figure.subplots(panels, 1))
        curve(axes[0], depth, force, back, False)
        if hertz is not None:
            order = np.argsort(depth)
            axes[0].plot(depth[order], hertz[order], color=GREY, linestyle="--", label="Hertz, anisotropic")
        axes[0].axhline(0.0, color=GREY, linewidth=0.8)
        axes[0].set_xlabel("depth, nm")
        axes[0].set_ylabel(f"force, {unit}")
        axes[0].legend(frameon=False, loc="upper left")
        if panels == 2:
            curve(axes[1], force, size, back, False)
            pushes = np.linspace(0.0, 1.0, 100) ** 2 * force.max()
            axes[1].plot(pushes, radius(pushes), color=GREY, linestyle="--", label="Hertz, anisotropic")
            axes[1].set_xlabel(f"force, {unit}")
            axes[1].set_ylabel("contact radius, nm")
            axes[1].legend(frameon=False, loc="upper left")
        for ax in axes:
            bare(ax)
        heading(figure, title)
        return finished(figure, path)
