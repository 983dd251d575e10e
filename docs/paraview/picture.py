"""The picture of docs/paraview.md: what view.py shows, drawn with PyVista from the files of a run.

python docs/paraview/picture.py results/silicon_crack docs/paraview/view.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyvista
from matplotlib.colors import LinearSegmentedColormap

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from generate.pictures import shrink

HALF_HEIGHT = 40.0
"""Å."""


def draw(folder: Path, picture: Path) -> None:
    """Stress σ_yy of the last step, and the atoms coloured by their mask."""
    plotter = pyvista.Plotter(off_screen=True, window_size=(1300, 800))
    plotter.set_background("white")
    mesh = last(folder / "fields.pvd")
    mesh = mesh.threshold(1e-6, scalars="fraction", preference="cell")
    mesh.cell_data["stress yy, GPa"] = mesh.cell_data["stress"][:, 4]
    bar = {
        "color": "black",
        "vertical": True,
        "height": 0.4,
        "width": 0.06,
        "position_x": 0.88,
        "fill": True,
        "background_color": "white",
    }
    plotter.add_mesh(
        mesh,
        scalars="stress yy, GPa",
        cmap="coolwarm",
        clim=(-10.0, 10.0),
        show_edges=True,
        edge_color="#b0b0b0",
        lighting=False,
        scalar_bar_args={**bar, "title": "stress yy, GPa", "position_y": 0.05},
    )
    atoms = last(folder / "atoms.pvd")
    atoms.points[:, 2] = 1.0  # before the mesh
    green = LinearSegmentedColormap.from_list("mask", ["#ffffff", "#054a36"])
    plotter.add_mesh(
        atoms,
        scalars="mask",
        cmap=green,
        style="points",
        render_points_as_spheres=True,
        lighting=False,
        point_size=11,
        scalar_bar_args={**bar, "title": "mask", "position_y": 0.55},
    )
    plotter.view_xy()
    plotter.camera.parallel_projection = True
    plotter.camera.focal_point = (0.0, 0.0, 0.0)
    plotter.camera.position = (0.0, 0.0, 1000.0)
    plotter.camera.parallel_scale = HALF_HEIGHT
    plotter.screenshot(str(picture))
    shrink(picture, picture)


def last(path: Path) -> pyvista.DataSet:
    """The last snapshot of a series."""
    reader = pyvista.get_reader(str(path))
    reader.set_active_time_value(reader.time_values[-1])
    return reader.read()[0]


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
