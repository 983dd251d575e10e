"""A crack that has run on in the mesh: stress and atoms, below them opening and traction along its plane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from multiscale import Result

_NM = 0.1
_BLUE, _ORANGE, _GREEN = "#1f6feb", "#d9730d", "#1fae7a"


def draw(run: Path, picture: Path) -> None:
    """From the last written step of a run with a cohesive surface."""
    result = Result.load(run)
    row, adhesion = result.steps[-1], result["work_of_adhesion"]
    figure = Figure(figsize=(11.0, 6.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.3, 1.0])
    _fields(figure, above, result)
    _plane(below, result)
    above.set_title(f"{result.case.title}: {row['K_over_K_G']:.1f} $K_G$", loc="left")
    rate = f"G = {row['energy_release_rate']:.2f} J/m²\n2γ = {adhesion:.2f} J/m²"
    below.text(0.98, 0.6, rate, transform=below.transAxes, ha="right")
    tip = _NM * row["crack_tip"]
    below.axvline(tip, color="black", lw=0.8, ls=":")
    below.set_xlim(-6.0, tip + 6.0)
    figure.savefig(picture, dpi=110)


def _fields(figure: Figure, axis: Any, result: Result) -> None:
    mesh, atoms = result.mesh().threshold(1e-6, scalars="fraction"), result.atoms()
    corners = _NM * mesh.points[mesh.cells_dict[5]][:, :, :2]  # 5: triangles of VTK
    cells = PolyCollection(corners, cmap="RdBu_r", edgecolor="#d0d0d0", linewidth=0.2)
    cells.set_array(mesh.cell_data["stress"][:, 4])
    cells.set_clim(-12.0, 12.0)
    axis.add_collection(cells)
    held = atoms.arrays["mask"] > 0.0
    axis.plot(*(_NM * atoms.positions[held, :2]).T, ".", color=_GREEN, ms=3.0)
    axis.set_ylim(-4.5, 4.5)
    axis.set_aspect("auto")
    axis.set_ylabel("y, nm")
    figure.colorbar(cells, ax=axis, label="σ$_{yy}$, GPa")


def _plane(axis: Any, result: Result) -> None:
    surface = result.mesh(name="surface")
    order = np.argsort(surface.points[:, 0])
    x = _NM * surface.points[order, 0]
    axis.plot(x, _NM * surface.point_data["opening"][order, 0], color=_BLUE)
    axis.set_ylabel("opening, nm", color=_BLUE)
    axis.set_xlabel("x, nm")
    other = axis.twinx()
    other.plot(x, surface.point_data["traction"][order, 0], color=_ORANGE)
    other.set_ylabel("cohesive traction, GPa", color=_ORANGE)
