"""The picture of a cohesive law."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase.units import GPa
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from coupling.cohesive import CohesiveLaw, Derived, Table
from coupling.cohesive.figures import landscape, straight_barriers
from multiscale.cohesive_report import way_name
from nnp.crystal import Crystal
from nnp.observables import J_PER_M2

Array = np.ndarray
_INK, _GREY, _BLUE, _ORANGE = "#22272e", "#8b949e", "#1f6feb", "#d9730d"


def plot_law(
    law: CohesiveLaw, table: Table, members: Sequence[Table], crystal: Crystal, path: Path, title: str
) -> None:
    """Traction and energy of opening, traction of sliding, and the γ-surface."""
    figure = Figure(figsize=(10.5, 8.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    figure.suptitle(title, color=_INK)
    _opening(axes[0, 0], axes[0, 1], law, table, members)
    _shear(axes[1, 0], law, table, crystal)
    _surface(figure, axes[1, 1], law, table, crystal)
    for axis in axes.ravel()[:3]:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _opening(first: Axes, second: Axes, law: CohesiveLaw, table: Table, members: Sequence[Table]) -> None:
    end = min(law.reach, 1.3 * table.openings[-1])
    x = np.linspace(0.4 * table.openings[0], end, 600)
    straight = np.column_stack([x, 0 * x, 0 * x])
    at = law(straight)
    for axis, pick, unit in (
        (first, lambda r: r.traction[:, 0], GPa),
        (second, lambda r: r.energy, J_PER_M2),
    ):
        if len(members) > 1:
            each = np.array([pick(Derived(m)(straight)) for m in members]) / unit
            axis.fill_between(x, each.min(0), each.max(0), color=_BLUE, alpha=0.2, lw=0, label="committee")
        axis.plot(x, pick(at) / unit, color=_BLUE, label="law")
        axis.axhline(0.0, color=_GREY, lw=0.8)
        axis.set_xlim(x[0], end)
        axis.set_xlabel("opening, Å")
    shown = table.openings >= x[0]
    first.plot(table.openings[shown], table.pull[shown] / GPa, ".", color=_ORANGE, ms=5, label="potential")
    second.plot(
        table.openings[shown],
        table.energy[shown, 0, 0] / J_PER_M2,
        ".",
        color=_ORANGE,
        ms=5,
        label="potential",
    )
    first.set_ylabel("normal traction, GPa")
    second.set_ylabel("energy of separation, J/m²")
    peak = float(at.traction[:, 0].max()) / GPa
    first.set_ylim(-0.8 * peak, 1.15 * peak)
    first.legend(frameon=False)


def _shear(axis: Axes, law: CohesiveLaw, table: Table, crystal: Crystal) -> None:
    way, _ = straight_barriers(law, table.cell)[0]
    length = float(np.linalg.norm(way))
    s = np.linspace(0.0, 1.0, 400)
    for opening, colour in ((0.0, _INK), (0.3, _BLUE), (0.6, _ORANGE), (1.0, _GREY)):
        T = law(np.column_stack([np.full(len(s), opening), s[:, None] * way])).traction[:, 1:] @ way / length
        axis.plot(s * length, T / GPa, color=colour, label=f"{opening:g} Å open")
    axis.axhline(0.0, color=_GREY, lw=0.8)
    axis.set_xlim(0.0, length)
    axis.set_xlabel(f"sliding along {way_name(crystal, way)}, Å")
    axis.set_ylabel("traction of sliding, GPa")
    axis.legend(frameon=False)


def _surface(figure: Figure, axis: Axes, law: CohesiveLaw, table: Table, crystal: Crystal) -> None:
    found = landscape(law, table.cell)
    energy = found.open / J_PER_M2
    tiles = [i * table.cell[0] + j * table.cell[1] for i in range(-2, 3) for j in range(-2, 3)]
    points = np.concatenate([found.sliding.reshape(-1, 2) + t for t in tiles])
    half = 0.75 * float(np.linalg.norm(table.cell, axis=1).max())
    seen = np.all(np.abs(points) < 1.15 * half, axis=1)
    values = np.tile(energy.ravel(), len(tiles))[seen]
    drawn = axis.tricontourf(points[seen, 0], points[seen, 1], values, 24, cmap="viridis")
    axis.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
    axis.set_xlabel("sliding along x, Å")
    axis.set_ylabel("sliding along z, Å")
    axis.set_title("γ-surface, free to open", fontsize=11)
    figure.colorbar(drawn, ax=axis, label="J/m²")
