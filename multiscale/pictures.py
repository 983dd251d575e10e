"""Which pictures a run has: drawn while it runs, and again from its files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import units
from matplotlib.figure import Figure

from multiscale.config import Case
from multiscale.contact_plot import plot_indentation
from multiscale.hertz import hertz_curve, hertz_radius, unit_of_force
from multiscale.history_plot import plot_history
from multiscale.plots import Window, plot_regions
from multiscale.tip_plot import plot_tip
from multiscale.writers.snapshot import Array, AtomSnapshot, MeshSnapshot

COLOURS = {"regions": "mask", "site_energy": "site_energy"}
"""Name of each picture of a state, and the atoms' array that colours it."""

_LABELS = {"k-field": "K$_{\\mathrm{mode}}$, MPa√m", "indent": "depth, nm", "opening": "opening, nm",
           "strain": "fraction of the load", "tip": "way of the tip, nm"}  # fmt: skip


def draw_state(
    case: Case, mesh: MeshSnapshot | None, atoms: AtomSnapshot, row: dict[str, Any], folder: Path
) -> None:
    """regions.png and, where there are atoms, site_energy.png of one state. mesh: of a run with one; row: of the step,
    as in result.json."""
    for name in COLOURS:
        if len(atoms.positions) or name == "regions":
            state_figure(case, mesh, atoms, row, name, folder / f"{name}.png")


def state_figure(
    case: Case,
    mesh: MeshSnapshot | None,
    atoms: AtomSnapshot,
    row: dict[str, Any],
    name: str,
    path: Path | None,
) -> Figure:
    """One of COLOURS; written where there is a path."""
    stress, near = shown_stress(mesh), window(case, atoms)
    moment, rigid = at_load(case, row), indenter_outline(case, row)
    return plot_regions(
        mesh, stress, atoms, path, near, COLOURS[name], case.title, moment=moment, rigid=rigid
    )


def at_load(case: Case, row: dict[str, Any]) -> str:
    """The load of a step in words, as K = 0.75 MPa√m = 1.13 K_G."""
    name, _, unit = load_label(case).rpartition(", ")
    text = f"{name or unit} = {row['load']:.3g}" + (f" {unit}" if name else "")
    return text + (f" = {row['K_over_K_G']:.3g} K$_G$" if "K_over_K_G" in row else "")


def indenter_outline(case: Case, row: dict[str, Any]) -> tuple[float, float, float] | None:
    """Centre x, y and radius, Å, of the circle that a rigid indenter is in the plane z = 0; None without one."""
    if "indenter_bottom" not in row:
        return None
    load: Any = case.load
    x, *along = load.centre or (0.0,)
    y, off = 10.0 * row["indenter_bottom"] + load.radius, along[0] if along else 0.0
    return (x, y, float(np.sqrt(load.radius**2 - off**2))) if abs(off) < load.radius else None


def shown_stress(mesh: MeshSnapshot | None) -> Array | None:
    """σ_yy of each cell, GPa."""
    return None if mesh is None else mesh.cell_data["stress"].reshape(-1, 3, 3)[:, 1, 1]


def load_figure(
    case: Case, steps: Sequence[dict[str, Any]], results: dict[str, Any], path: Path | None
) -> Figure:
    """What happened along the load: the rows of result.json and its named results. Written where there is a path."""
    if case.load.type == "indent":
        depths, M = np.array([row["load"] for row in steps]), results["indentation_modulus"] * units.GPa
        hertz, radius = hertz_curve(case, depths, M), partial(hertz_radius, case, modulus=M)
        return plot_indentation(steps, path, unit_of_force(case), hertz, radius, case.title)
    if case.load.type == "tip":
        return plot_tip(steps, path, case.title)
    return plot_history(steps, path, load_label(case), load_marks(results), case.title)


def load_label(case: Case) -> str:
    """Of the axis of the load."""
    label = _LABELS.get(case.load.type, "load")
    return label.replace("mode", str(getattr(case.load, "mode", "")))


def load_marks(results: dict[str, Any]) -> dict[str, float]:
    """Loads that have a name."""
    return {k: v for k, v in results.items() if k in ("K_G", "K_plus", "K_minus") and v}


def window(case: Case, atoms: AtomSnapshot) -> Window:
    """Around the atoms that are evaluated; of a fully atomistic run around its core, where it has one; without any
    atoms around the crack tip."""
    tip = np.zeros(2) if case.geometry.crack is None else np.asarray(case.geometry.crack.tip)
    if case.coupling.scheme == "atomistic" and case.regions is not None:
        reach = 2.0 * (case.regions.core.radius or max(case.regions.core.size or (25.0,)))
        return tip[0] - reach, tip[0] + reach, tip[1] - reach, tip[1] + reach
    x = (atoms.positions - atoms.data["displacement"])[atoms.data["mask"] > 0.0, :2]
    if len(x) == 0:
        x = tip + 0.5 * min(case.geometry.size or (case.geometry.outer,)) * np.array([[-1.0], [1.0]])
    (x0, y0), (x1, y1) = x.min(axis=0) - 3.0, x.max(axis=0) + 3.0
    return float(x0), float(x1), float(y0), float(y1)
