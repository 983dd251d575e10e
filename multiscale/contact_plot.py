"""Picture of an indentation: force and size of the contact against the depth, Hertz beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from multiscale.plots import _GREY, _STYLE, _curve

Array = np.ndarray


def plot_indentation(
    rows: Sequence[dict[str, Any]],
    path: Path,
    unit: str,
    hertz: Array | None,
    radius: Callable[[Array], Array],
    title: str = "",
) -> None:
    """rows: one mapping per step with `load` (depth, nm), `force`, `turned` and maybe `contact_radius` (nm); hertz:
    force at these depths, None: not drawn; radius: Hertz's contact radius of a force."""
    depth, force = (np.array([row[name] for row in rows], float) for name in ("load", "force"))
    back = np.array([bool(row.get("turned", False)) for row in rows])
    size = np.array([row.get("contact_radius", np.nan) for row in rows], float)
    panels = 2 if np.isfinite(size).any() else 1
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(7.5, 4.0 * panels), layout="constrained")
        axes = np.atleast_1d(figure.subplots(panels, 1))
        _curve(axes[0], depth, force, back, False)
        if hertz is not None:
            order = np.argsort(depth)
            axes[0].plot(depth[order], hertz[order], color=_GREY, linestyle="--", label="Hertz, anisotropic")
        axes[0].axhline(0.0, color=_GREY, linewidth=0.8)
        axes[0].set_xlabel("depth, nm")
        axes[0].set_ylabel(f"force, {unit}")
        axes[0].legend(frameon=False, loc="upper left")
        if panels == 2:
            _curve(axes[1], force, size, back, False)
            pushes = np.linspace(0.0, force.max(), 100)
            axes[1].plot(pushes, radius(pushes), color=_GREY, linestyle="--", label="Hertz, anisotropic")
            axes[1].set_xlabel(f"force, {unit}")
            axes[1].set_ylabel("contact radius, nm")
            axes[1].legend(frameon=False, loc="upper left")
        for ax in axes:
            ax.grid(True, color="#e6e8eb", linewidth=0.8)
            ax.set_axisbelow(True)
            ax.spines[["top", "right"]].set_visible(False)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold")
        figure.savefig(path)
