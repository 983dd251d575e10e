"""The picture of a cohesive law, from what a law file and the table beside it say."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from ase.units import GPa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coupling.cohesive import CohesiveLaw, Derived
from coupling.cohesive.figures import landscape, straight_barriers
from multiscale.cohesive_report import way_name
from multiscale.plot_style import BLUE, GREY, INK, ORANGE, STYLE, bare, finished, heading
from nnp.observables import J_PER_M2

Array = np.ndarray
Points = dict[str, Array]
"""Columns of table.csv, by name, at openings without sliding."""


def pure_opening(names: Sequence[str], rows: Array) -> Points:
    """Of the table's points (n, len(names)) those without sliding."""
    columns = dict(zip(names, np.asarray(rows, float).T))
    straight = (columns["sliding_x_A"] == 0.0) & (columns["sliding_z_A"] == 0.0)
    return {name: values[straight] for name, values in columns.items()}


def read_points(path: Path) -> Points | None:
    """Of a table.csv; None where there is none that can be read."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        return pure_opening(names, np.array(rows, float))
    except (OSError, ValueError, KeyError):
        return None


def plot_law(
    law: CohesiveLaw, header: dict[str, Any], path: Path | None, points: Points | None = None
) -> Figure:
    """Traction and energy of opening, traction of sliding and, where the periods of sliding are known, the γ-surface.

    header: title, source, as in a law file; points: what the potential itself says, None: the points of a derived
    law's table, which it meets. Written where there is a path.
    """
    source = header.get("source", {})
    cell = law.table.cell if isinstance(law, Derived) else source.get("periods")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13.0, 10.0), layout="constrained")
        axes = figure.subplots(2, 2)
        points = _own_points(law) if points is None else points
        _opening(axes[0, 0], axes[0, 1], law, points)
        _sliding(
            axes[1, 0], law, np.eye(2) * 4.0 if cell is None else np.asarray(cell, float), _namer(source)
        )
        if cell is None:
            axes[1, 1].set_axis_off()
        else:
            _gamma_surface(figure, axes[1, 1], law, np.asarray(cell, float))
        heading(figure, _title(header))
        return finished(figure, path)


def _title(header: dict[str, Any]) -> str:
    source = header.get("source", {})
    if not {"symbol", "normal"} <= set(source):
        return str(header.get("title", ""))
    symbol = source["symbol"] if isinstance(source["symbol"], str) else "".join(source["symbol"])
    normal = "".join(f"{v:g}" for v in source["normal"])
    return f"Cohesive law of {symbol} ({normal})"


def _namer(source: dict[str, Any]) -> Any:
    """Names a way of sliding by the crystal's axes, where the source tells them."""
    names = ("first_tangent", "normal", "second_tangent")
    if not {*names, "lattice_constant"} <= set(source):
        return lambda way: f"({way[0]:.2f}, {way[1]:.2f}) Å"
    frame = np.array([source[name] for name in names], float)
    frame /= np.linalg.norm(frame, axis=1)[:, None]
    return lambda way: way_name(frame, float(source["lattice_constant"]), way)


def _own_points(law: CohesiveLaw) -> Points:
    if not isinstance(law, Derived):
        return {}
    table = law.table
    return {
        "opening_A": table.openings,
        "traction_n_GPa": table.pull / GPa,
        "energy_J_per_m2": table.energy[:, 0, 0] / J_PER_M2,
    }


def _opening(first: Axes, second: Axes, law: CohesiveLaw, points: Points) -> None:
    """Normal traction and energy; dots: the potential, shaded: standard deviation over a committee's members."""
    at = points.get("opening_A", np.array([-0.5, law.reach]))
    end = min(law.reach, 1.3 * float(at[-1]))
    x = np.linspace(0.4 * float(at[0]), end, 600)
    response = law(np.column_stack([x, 0 * x, 0 * x]))
    shown = at >= x[0]
    curves = (
        (first, response.traction[:, 0] / GPa, "traction_n_GPa", "normal traction, GPa"),
        (second, response.energy / J_PER_M2, "energy_J_per_m2", "energy of separation, J/m²"),
    )
    for axis, values, name, label in curves:
        if name in points:
            dots, spread = points[name], points.get(f"committee_std_{name}")
            if spread is not None:
                axis.fill_between(at[shown], (dots - spread)[shown], (dots + spread)[shown], color=BLUE, alpha=0.25,
                                  lw=0, label="± deviation of committee")  # fmt: skip
            axis.plot(at[shown], dots[shown], ".", color=ORANGE, ms=8, label="potential", zorder=4)
        axis.plot(x, values, color=BLUE, label="law")
        axis.axhline(0.0, color=GREY, lw=0.8)
        axis.set_xlim(x[0], end)
        axis.set_xlabel("opening, Å")
        axis.set_ylabel(label)
        bare(axis)
    peak = float(response.traction[:, 0].max()) / GPa
    first.set_ylim(-0.8 * peak, 1.15 * peak)
    first.legend(frameon=False)


def _sliding(axis: Axes, law: CohesiveLaw, cell: Array, named: Any) -> None:
    """Traction along the first of the straight ways to the nearest copies, at some openings."""
    way, _ = straight_barriers(law, cell)[0]
    length = float(np.linalg.norm(way))
    s = np.linspace(0.0, 1.0, 400)
    for opening, colour in ((0.0, INK), (0.3, BLUE), (0.6, ORANGE), (1.0, GREY)):
        T = law(np.column_stack([np.full(len(s), opening), s[:, None] * way])).traction[:, 1:] @ way / length
        axis.plot(s * length, T / GPa, color=colour, label=f"opened by {opening:g} Å")
    axis.axhline(0.0, color=GREY, lw=0.8)
    axis.set_xlim(0.0, length)
    axis.set_xlabel(f"sliding along {named(way)}, Å")
    axis.set_ylabel("shear traction, GPa")
    axis.legend(frameon=False)
    bare(axis)


def _gamma_surface(figure: Figure, axis: Axes, law: CohesiveLaw, cell: Array) -> None:
    found = landscape(law, cell)
    tiles = [i * cell[0] + j * cell[1] for i in range(-2, 3) for j in range(-2, 3)]
    points = np.concatenate([found.sliding.reshape(-1, 2) + t for t in tiles])
    half = 0.75 * float(np.linalg.norm(cell, axis=1).max())
    seen = np.all(np.abs(points) < 1.15 * half, axis=1)
    values = np.tile(found.open.ravel() / J_PER_M2, len(tiles))[seen]
    drawn = axis.tricontourf(points[seen, 0], points[seen, 1], values, 24, cmap="viridis")
    axis.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
    axis.set_xlabel("sliding along x, Å")
    axis.set_ylabel("sliding along z, Å")
    axis.set_title("γ-surface, free to open", loc="left")
    figure.colorbar(drawn, ax=axis, label="energy, J/m²")
