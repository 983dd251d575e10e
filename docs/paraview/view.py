"""Opens a run in ParaView: stress in the mesh, the atoms in front of it, the cohesive surface if there is one.

    MULTISCALE_RUN=results/crack paraview --script=docs/paraview/view.py     # without it: the run in this folder
    pvpython docs/paraview/view.py results/crack view.png                    # a picture, without a window
    pvpython docs/paraview/view.py results/crack view.png step=5 field=displacement_y scale=3
    pvpython docs/paraview/view.py results/crack film.avi                    # all steps

Options go behind the folder, in the window into MULTISCALE_VIEW="step=5 scale=3":

    step   the one that is shown (the last one)
    field  stress_xx, stress_yy, stress_xy: of the mesh, the atoms by their mask; displacement_x, displacement_y,
           displacement_z: mesh and atoms on one scale (stress_yy)
    scale  displacements are drawn so many times as large (1)
    limit  ends of the colour scale, GPa or Å (10 GPa; the largest displacement of the atoms)

Run in ParaView 5.11.
"""

import os
import sys

from paraview.simple import (
    AnnotateTimeFilter,
    CleantoGrid,
    Clip,
    ColorBy,
    GetActiveViewOrCreate,
    GetAnimationScene,
    GetColorTransferFunction,
    GetScalarBar,
    PVDReader,
    Render,
    SaveAnimation,
    SaveScreenshot,
    Show,
    Threshold,
    WarpByVector,
)

MESH = {
    "stress_xx": ("CELLS", "stress", 0, "stress xx, GPa"),
    "stress_yy": ("CELLS", "stress", 4, "stress yy, GPa"),  # of nine components, row by row
    "stress_xy": ("CELLS", "stress", 1, "stress xy, GPa"),
    "displacement_x": ("POINTS", "displacement", 0, "displacement x, Å"),
    "displacement_y": ("POINTS", "displacement", 1, "displacement y, Å"),
    "displacement_z": ("POINTS", "displacement", 2, "displacement z, Å"),
}
ATOMS = ("POINTS", "mask", 0, "mask")
SURFACE = ("POINTS", "opening", 0, "opening, Å")  # of three components: the normal one
CARRIES = ("CELLS", "fraction")  # 0 where atoms fill a cell: it has no stress of its own
DISPLACEMENT = ("POINTS", "displacement")
ATOM_RADIUS = 0.8  # Å
STRESS = 10.0  # GPa, the ends of its scale
BLACK, GREY = [0.0, 0.0, 0.0], [0.7, 0.7, 0.7]
SIZE = [1400, 900]  # pixels


def coloured(display, field):
    """Colours by one component of an array; what components are called differs between versions, not their place."""
    association, array, component, _ = field
    ColorBy(display, (association, array))
    colours = GetColorTransferFunction(array)
    colours.VectorMode = "Component"
    colours.VectorComponent = component
    return colours


def legend(colours, view, display, title, place):
    """A bar at the right, dark on white; place: the height of its foot, as a share of the picture's."""
    display.SetScalarBarVisibility(view, True)
    bar = GetScalarBar(colours, view)
    bar.Title, bar.ComponentTitle = title, ""
    bar.TitleColor, bar.LabelColor = BLACK, BLACK
    bar.TitleFontSize, bar.LabelFontSize = 18, 16
    bar.LabelFormat = bar.RangeLabelFormat = "%.3g"
    bar.WindowLocation, bar.Position = "Any Location", [0.87, place]
    bar.ScalarBarLength, bar.ScalarBarThickness = 0.22, 18
    bar.DrawBackground, bar.BackgroundColor = 1, [1.0, 1.0, 1.0, 1.0]


def opened(path, scale):
    """A series with its displacements enlarged."""
    series = PVDReader(FileName=path)
    with open(path, encoding="utf-8") as file:
        if ".pvtu" in file.read():  # of several ranks: ParaView 5.11 crashes in Threshold on any such file
            series = CleantoGrid(Input=series)
    series.UpdatePipeline()
    if scale == 1.0:
        return series
    return WarpByVector(Input=series, Vectors=list(DISPLACEMENT), ScaleFactor=scale - 1.0)


def in_half(source, solid, depth):
    """Of a solid body, what lies behind a plane through the middle of the atoms."""
    if not solid:
        return source
    half = Clip(Input=source, ClipType="Plane")
    half.ClipType.Normal, half.ClipType.Origin = [0.0, 0.0, 1.0], [0.0, 0.0, depth]
    return half


def show_mesh(mesh, view, field, limit):
    """Cells that carry energy, with their edges, without light, so that colours are those of the bar."""
    carrying = Threshold(Input=mesh)
    carrying.Scalars = list(CARRIES)
    carrying.ThresholdMethod = "Above Upper Threshold"
    carrying.UpperThreshold = 1e-6
    display = Show(carrying, view)
    display.SetRepresentationType("Surface With Edges")
    display.EdgeColor = GREY
    display.Ambient, display.Diffuse, display.Specular = 1.0, 0.0, 0.0
    colours = coloured(display, field)
    colours.ApplyPreset("Cool to Warm", True)
    colours.RescaleTransferFunction(-limit, limit)
    legend(colours, view, display, field[3], 0.06)


def show_atoms(atoms, view, field, height):
    """Discs; by their mask from white beyond the blend zone to green in the core. height: Å, to bring them before the
    mesh."""
    display = Show(atoms, view)
    display.SetRepresentationType("Point Gaussian")
    display.GaussianRadius, display.ShaderPreset = ATOM_RADIUS, "Black-edged circle"
    display.Position = [0.0, 0.0, height]
    colours = coloured(display, field)
    if field == ATOMS:
        colours.ColorSpace = "RGB"
        colours.RGBPoints = [0.0, 1.0, 1.0, 1.0, 1.0, 0.02, 0.29, 0.21]
        legend(colours, view, display, field[3], 0.38)


def show_surface(path, view):
    """The cohesive surface, midway between its faces, as a line (2D) or a sheet."""
    surface = PVDReader(FileName=path)
    surface.UpdatePipeline()
    display = Show(surface, view)
    display.LineWidth = 4.0
    colours = coloured(display, SURFACE)
    colours.ApplyPreset("Viridis (matplotlib)", True)
    colours.RescaleTransferFunction(0.0, max(surface.PointData["opening"].GetRange(0)[1], 1e-3))
    legend(colours, view, display, SURFACE[3], 0.70)


def look(view, source):
    """From above, on the atoms (on all of the mesh where there are none)."""
    x0, x1, y0, y1, z0, z1 = source.GetDataInformation().GetBounds()
    shape = SIZE[0] / SIZE[1]
    half = 0.55 * max(y1 - y0, (x1 - x0) / (0.8 * shape))  # a fifth of the width is for the legends
    x, y = 0.5 * (x0 + x1) + 0.1 * half * shape, 0.5 * (y0 + y1)
    view.CameraParallelProjection = 1
    view.CameraFocalPoint, view.CameraPosition = [x, y, z0], [x, y, z1 + 3.0 * (x1 - x0)]
    view.CameraViewUp = [0.0, 1.0, 0.0]
    view.CameraParallelScale = half


def empty_view():
    view = GetActiveViewOrCreate("RenderView")
    view.ViewSize = SIZE
    view.UseColorPaletteForBackground = 0
    view.Background = [1.0, 1.0, 1.0]
    view.OrientationAxesVisibility = 0
    return view


def at_step(wanted):
    """The animation goes through the steps of the files, and stands at one of them."""
    scene = GetAnimationScene()
    scene.UpdateAnimationUsingDataTimeSteps()
    scene.GoToLast()
    if wanted:
        scene.AnimationTime = float(wanted)


def largest(atoms, field):
    low, high = atoms.PointData[field[1]].GetRange(field[2])
    return max(abs(low), abs(high), 1e-6)


def is_solid(mesh):
    x0, x1, *_, z0, z1 = mesh.GetDataInformation().GetBounds()
    return z1 - z0 > 0.1 * (x1 - x0)


def main(folder, picture, options):
    view, scale = empty_view(), float(options.get("scale", 1.0))
    field = MESH[options.get("field", "stress_yy")]
    paths = {name: os.path.join(folder, name + ".pvd") for name in ("fields", "atoms", "surface")}
    there = [name for name in paths if os.path.exists(paths[name])]
    shown = {name: opened(paths[name], scale) for name in there if name != "surface"}
    at_step(options.get("step"))
    for source in shown.values():
        source.UpdatePipeline(GetAnimationScene().AnimationTime)
    middle = shown["atoms" if "atoms" in shown else "fields"]
    solid = "fields" in shown and is_solid(shown["fields"])
    *_, low, high = middle.GetDataInformation().GetBounds()
    shared = "atoms" in shown and field[0] == "POINTS"
    limit = float(options.get("limit", largest(shown["atoms"], field) if shared else STRESS))
    if "fields" in shown:
        show_mesh(in_half(shown["fields"], solid, 0.5 * (low + high)), view, field, limit)
    if "atoms" in shown:
        atoms = in_half(shown["atoms"], solid, 0.5 * (low + high))
        show_atoms(atoms, view, field if shared else ATOMS, 3.0 if solid else 20.0)
    if "surface" in there and scale == 1.0:
        show_surface(paths["surface"], view)
    time = Show(AnnotateTimeFilter(middle, Format="step {time:g}"), view)
    time.Color, time.FontSize, time.WindowLocation = BLACK, 24, "Upper Left Corner"
    Render(view)  # the first one would set the camera
    look(view, middle)
    Render(view)
    if picture.endswith(".avi"):
        SaveAnimation(picture, view, ImageResolution=SIZE, FrameRate=4)
    elif picture:
        SaveScreenshot(picture, view, ImageResolution=SIZE)


words = sys.argv[1:] + os.environ.get("MULTISCALE_VIEW", "").split()
given = dict(word.split("=", 1) for word in words if "=" in word)
places = [word for word in words if "=" not in word]
run = places[0] if places else os.environ.get("MULTISCALE_RUN", ".")
main(run, places[1] if len(places) > 1 else "", given)
