"""Opens a run in ParaView: stress in the mesh, atoms coloured by their mask, the cohesive surface if there is one.

    paraview --script=docs/paraview/view.py           # asks nothing: shows the run in the current folder
    MULTISCALE_RUN=results/crack paraview --script=docs/paraview/view.py
    pvpython docs/paraview/view.py results/crack view.png     # draws a picture without a window

Written for ParaView 5.10 and later.
"""

import os
import sys

from paraview.simple import (
    ColorBy,
    GetActiveViewOrCreate,
    GetAnimationScene,
    GetColorTransferFunction,
    PVDReader,
    Render,
    ResetCamera,
    SaveScreenshot,
    Show,
    Threshold,
)

MESH = ("CELLS", "stress")
YY = 4  # of nine components, row by row
ATOMS = ("POINTS", "mask")
SURFACE = ("POINTS", "opening")
NORMAL = 0  # of three components
CARRIES = ("CELLS", "fraction")  # 0 where atoms fill a cell: it has no stress of its own
ATOM_RADIUS = 1.1  # Å


def colour(display, array, component):
    """Colours by one component of an array; what components are called differs between versions, not their place."""
    ColorBy(display, array)
    colours = GetColorTransferFunction(array[1])
    colours.VectorMode = "Component"
    colours.VectorComponent = component
    return colours


def show_mesh(path, view):
    """Cells that carry energy, with their edges, coloured by σ_yy in GPa."""
    mesh = PVDReader(FileName=path)
    carrying = Threshold(Input=mesh)
    carrying.Scalars = list(CARRIES)
    carrying.ThresholdMethod = "Above Upper Threshold"
    carrying.UpperThreshold = 1e-6
    display = Show(carrying, view)
    display.SetRepresentationType("Surface With Edges")
    display.EdgeColor = [0.75, 0.75, 0.75]
    colours = colour(display, MESH, YY)
    colours.ApplyPreset("Cool to Warm", True)
    colours.RescaleTransferFunction(-10.0, 10.0)
    display.SetScalarBarVisibility(view, True)


def show_atoms(path, view):
    """Balls, from white beyond the blend zone to green in the core."""
    display = Show(PVDReader(FileName=path), view)
    display.SetRepresentationType("Point Gaussian")
    display.GaussianRadius = ATOM_RADIUS
    ColorBy(display, ATOMS)
    colours = GetColorTransferFunction(ATOMS[1])
    colours.RGBPoints = [0.0, 1.0, 1.0, 1.0, 1.0, 0.02, 0.29, 0.21]
    display.SetScalarBarVisibility(view, True)


def show_surface(path, view):
    """The cohesive surface as a line (2D) or a sheet, coloured by its opening in Å."""
    display = Show(PVDReader(FileName=path), view)
    display.LineWidth = 4.0
    colour(display, SURFACE, NORMAL).RescaleTransferFunction(0.0, 5.0)
    display.SetScalarBarVisibility(view, True)


def main(folder, picture=None):
    view = GetActiveViewOrCreate("RenderView")
    view.CameraParallelProjection = 1
    view.Background = [1.0, 1.0, 1.0]
    for name, show in (("fields", show_mesh), ("atoms", show_atoms), ("surface", show_surface)):
        path = os.path.join(folder, name + ".pvd")
        if os.path.exists(path):
            show(path, view)
    GetAnimationScene().UpdateAnimationUsingDataTimeSteps()
    GetAnimationScene().GoToLast()
    ResetCamera(view)
    view.CameraParallelScale = 40.0  # Å: half the height of what is seen, about the core
    Render(view)
    if picture:
        SaveScreenshot(picture, view, ImageResolution=[1400, 900])


main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MULTISCALE_RUN", "."), *sys.argv[2:3])
