"""Picture of a state: mesh and atoms together, the whole domain and its middle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, PolyCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Circle, Rectangle

from multiscale.plot_style import INK, STYLE, finished, heading
from multiscale.slicing import slice_tetrahedra
from multiscale.writers.snapshot import Array, AtomSnapshot, MeshSnapshot

STRESS_SCALE = matplotlib.colormaps["RdBu_r"]
MASK_SCALE = LinearSegmentedColormap.from_list("mask", ["#ffffff", "#a7ecc9", "#1fae7a", "#054a36"])
_ATOM_MAPS: dict[str, Colormap] = {"mask": MASK_SCALE, "site_energy": matplotlib.colormaps["viridis"]}
_NAMES = {"mask": "mask w", "site_energy": "site energy above bulk, eV"}
_NM = 0.1

Window = tuple[float, float, float, float]
Disc = tuple[float, float, float]
"""Centre x, y and radius, Å."""
SIZE = (13.0, 6.0)
"""Inches."""


@dataclass(frozen=True)
class _Cells:
    """Polygons in the plane of the picture, nm, and the stress of each, GPa."""

    polygons: Array
    stress: Array


def plot_regions(
    mesh: MeshSnapshot | None,
    stress: Array | None,
    atoms: AtomSnapshot,
    path: Path | None,
    zoom: Window,
    colour: str = "mask",
    title: str = "",
    label: str = "σ$_{yy}$, GPa",
    moment: str = "",
    rigid: Disc | None = None,
) -> Figure:
    """The picture that `draw_regions` makes; written where there is a path."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        draw_regions(figure, mesh, stress, atoms, zoom, colour, title, label, moment=moment, rigid=rigid)
        return finished(figure, path)


def draw_regions(
    figure: FigureBase,
    mesh: MeshSnapshot | None,
    stress: Array | None,
    atoms: AtomSnapshot,
    zoom: Window,
    colour: str = "mask",
    title: str = "",
    label: str = "σ$_{yy}$, GPa",
    limit: float | None = None,
    moment: str = "",
    rigid: Disc | None = None,
) -> None:
    """The whole domain, and the window `zoom` (xmin, xmax, ymin, ymax; Å) with the atoms on the mesh.

    mesh: deformed, None in a fully atomistic run; stress: (m,) one component per cell, GPa; colour: name of
    the atoms' array that colours them; limit: end of the scale of stress, GPa, None: what is in the window; moment:
    the load, said above it; rigid: a rigid body's outline. Of a 3D mesh and its atoms the slice through z = 0
    is drawn.
    """
    cells = None if mesh is None or stress is None else _cells(mesh, np.asarray(stress, float))
    atoms = _in_plane(atoms, flat=mesh is None or mesh.cells.shape[1] in (3, 6))
    whole, near = figure.subplots(1, 2)
    window = _square(zoom)
    norm = _stress_norm(cells, window) if limit is None else Normalize(-limit, limit)
    for ax, edge in ((whole, 0.0), (near, 0.35)):
        if cells is not None:
            ax.add_collection(_mesh_collection(cells, norm, edge))
        if rigid is not None:
            ax.add_patch(_outline(rigid))
        ax.set_aspect("equal")
        ax.set_xlabel("x, nm")
    whole.set_ylabel("y, nm")
    _frame_whole(whole, cells, atoms, window)
    if cells is None:
        _draw_atoms(whole, atoms, window, colour, edge=0.0)
    drawn = _draw_atoms(near, atoms, window, colour, edge=0.35)
    near.set_xlim(window[0], window[1])
    near.set_ylim(window[2], window[3])
    if cells is not None:
        scale = matplotlib.cm.ScalarMappable(norm, STRESS_SCALE)
        figure.colorbar(scale, ax=whole, shrink=0.8, pad=0.02, extend="both").set_label(label)
    if len(atoms.positions):
        bar = figure.colorbar(drawn, ax=near, shrink=0.8, pad=0.02)
        bar.set_label(_NAMES.get(colour, colour.replace("_", " ")))
    whole.set_title("Whole domain", loc="left")
    near.set_title(_named(cells, atoms), loc="left")
    if moment:
        whole.set_title(moment, loc="right")
    heading(figure, title)


def stress_limit(mesh: MeshSnapshot, stress: Array, zoom: Window) -> float:
    """End of the scale that a picture of this state has, GPa."""
    return float(_stress_norm(_cells(mesh, np.asarray(stress, float)), _square(zoom)).vmax or 1.0)


def _outline(rigid: Disc) -> Circle:
    x, y, radius = (v * _NM for v in rigid)
    return Circle((x, y), radius, facecolor="#d5d9de", edgecolor=INK, linewidth=1.2, zorder=2)


def _named(cells: _Cells | None, atoms: AtomSnapshot) -> str:
    if len(atoms.positions) == 0:
        return "Around the tip"
    return "Atoms" if cells is None else "Atoms on the deformed mesh"


def _square(zoom: Window) -> Window:
    """The window in nm, widened to a square so that both panels are alike."""
    (x0, x1, y0, y1) = (v * _NM for v in zoom)
    half = max(x1 - x0, y1 - y0) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return x - half, x + half, y - half, y + half


def _cells(mesh: MeshSnapshot, stress: Array) -> _Cells:
    points, cells = mesh.points * _NM, mesh.cells
    if cells.shape[1] in (4, 10):
        polygons, source = slice_tetrahedra(points, cells[:, :4])
        return _Cells(polygons, stress[source])
    return _Cells(points[cells[:, :3], :2], stress)


def _in_plane(atoms: AtomSnapshot, flat: bool) -> AtomSnapshot:
    """The atoms of the picture, far ones first; in 3D those of a thin slice."""
    x = atoms.positions
    near = np.ones(len(x), dtype=bool) if flat else np.abs(x[:, 2]) < _diameter(x)
    order = np.nonzero(near)[0][np.argsort(x[near, 2], kind="stable")]
    data = {name: a[order] for name, a in atoms.data.items()}
    return AtomSnapshot(x[order], atoms.numbers[order], atoms.cell, atoms.pbc, data)


def _diameter(x: Array) -> float:
    """Of the circles: a little less than the typical distance to the nearest atom, Å."""
    from scipy.spatial import cKDTree

    if len(x) < 2:
        return 2.0
    distance = cKDTree(x).query(x[:: max(1, len(x) // 2000)], k=2)[0][:, 1]
    return 0.62 * float(np.median(distance))


def _stress_norm(cells: _Cells | None, window: Window) -> Normalize:
    """Symmetric about zero; the largest values right at the tip are left out of the range."""
    if cells is None or len(cells.stress) == 0:
        return Normalize(-1.0, 1.0)
    centre = cells.polygons.mean(axis=1)
    inside = (centre[:, 0] > window[0]) & (centre[:, 0] < window[1])
    inside &= (centre[:, 1] > window[2]) & (centre[:, 1] < window[3])
    seen = np.abs(cells.stress[inside] if inside.any() else cells.stress)
    limit = 1.1 * float(np.nanpercentile(seen, 98)) or 1.0
    return Normalize(-limit, limit)


def _mesh_collection(cells: _Cells, norm: Normalize, edge: float) -> PolyCollection:
    collection = PolyCollection(list(cells.polygons), cmap=STRESS_SCALE, norm=norm, rasterized=True)
    collection.set_array(cells.stress)
    collection.set_edgecolor((0.13, 0.15, 0.18, 0.45) if edge else "face")
    collection.set_linewidth(edge or 0.15)
    return collection


def _frame_whole(ax: Axes, cells: _Cells | None, atoms: AtomSnapshot, window: Window) -> None:
    """Limits, the atoms as dots, and where the second panel looks."""
    points = atoms.positions[:, :2] * _NM
    everything = points if cells is None else np.concatenate([cells.polygons.reshape(-1, 2), points])
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 0.03 * float((high - low).max())
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ax.set_ylim(low[1] - margin, high[1] + margin)
    if cells is not None:
        ax.scatter(points[:, 0], points[:, 1], s=0.6, c=INK, linewidths=0, rasterized=True)
    size = (window[1] - window[0], window[3] - window[2])
    ax.add_patch(Rectangle((window[0], window[2]), *size, fill=False, edgecolor=INK, linewidth=1.2))


def _draw_atoms(ax: Axes, atoms: AtomSnapshot, window: Window, colour: str, edge: float) -> EllipseCollection:
    values = np.asarray(atoms.data[colour], float)
    points = atoms.positions[:, :2] * _NM
    seen = (points[:, 0] > window[0]) & (points[:, 0] < window[1])
    seen &= (points[:, 1] > window[2]) & (points[:, 1] < window[3])
    size = _diameter(atoms.positions) * _NM * np.ones(len(points))
    circles = EllipseCollection(
        size,
        size,
        np.zeros(len(points)),
        units="xy",
        offsets=points,
        offset_transform=ax.transData,
        cmap=_ATOM_MAPS.get(colour, matplotlib.colormaps["viridis"]),
        norm=_atom_norm(values[seen] if seen.any() else values, colour),
        edgecolors=INK,
        linewidths=edge,
        zorder=3,
    )
    circles.set_array(values)
    ax.add_collection(circles)
    return circles


def _atom_norm(values: Array, colour: str) -> Normalize:
    if colour == "mask":
        return Normalize(0.0, 1.0)
    low, high = np.nanpercentile(values, [1, 99])
    return Normalize(float(low), float(high) if high > low else float(low) + 1.0)
