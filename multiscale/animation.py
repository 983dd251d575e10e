"""A run as a film: one picture for each step whose fields were written, the load's curve growing beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import animation
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from multiscale.config import InputError
from multiscale.fields import atom_state, mesh_state
from multiscale.hertz import unit_of_force
from multiscale.outcome import Result
from multiscale.pictures import at_load, indenter_outline, load_label, shown_stress, window
from multiscale.plot_style import BLUE, ORANGE, STYLE, bare
from multiscale.plots import MASK_SCALE, STRESS_SCALE, Window, draw_regions, stress_limit
from multiscale.replot import shown_step

KINDS = ("gif", "mp4")
DPI = 80


class _GifWriter(animation.PillowWriter):
    """With one palette for all frames, of the colours that the pictures have: one found frame by frame gives rare
    colours, such as the ends of the scales, to others."""

    def finish(self) -> None:
        palette = Image.new("P", (1, 1))
        palette.putpalette(_palette())
        grabbed: Any = vars(self)["_frames"]
        frames = [f.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for f in grabbed]
        frames[0].save(
            self.outfile, save_all=True, append_images=frames[1:], duration=int(1000 / self.fps), loop=0
        )


def _palette() -> list[int]:
    """256 colours, red green blue: the scales of stress and mask, greys, and those of the curves."""
    scales = [(STRESS_SCALE, 128), (MASK_SCALE, 64), (matplotlib.colormaps["gray"], 40)]
    colours = [scale(np.linspace(0.0, 1.0, n))[:, :3] for scale, n in scales]
    faded = np.array([to_rgb(c) for c in (BLUE, ORANGE)])
    colours.append(np.concatenate([1.0 - (1.0 - faded) * a for a in np.linspace(0.1, 1.0, 12)]))
    return [int(v) for v in np.round(255 * np.concatenate(colours)).ravel()]


def animate(result: Result, kind: str = "gif", rate: int = 4) -> Path:
    """Write run.gif or run.mp4 into the run's folder; rate: steps shown in a second. InputError for a kind that cannot
    be written here, or a run without fields."""
    if kind not in KINDS:
        raise InputError("", f"animations are {' or '.join(KINDS)}, not {kind}")
    if kind == "mp4" and not animation.FFMpegWriter.isAvailable():
        raise InputError("", "mp4 needs ffmpeg, which is not installed; gif needs nothing")
    writer: Any = _GifWriter(fps=rate) if kind == "gif" else animation.FFMpegWriter(fps=rate)
    near, limit = _frame(result)
    path, aside = result.folder / f"run.{kind}", result.folder / f".run.{os.getpid()}.{kind}"
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(19.0, 6.0), layout="constrained")
        try:
            with writer.saving(figure, aside, DPI):
                for step in result.written:
                    figure.clear()
                    _draw(figure, result, step, near, limit)
                    writer.grab_frame()
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    return path


def _frame(result: Result) -> tuple[Window, float | None]:
    """The window and the end of the scale of stress that serve all steps: those of the picture of the run."""
    step = shown_step(result)
    mesh, near = mesh_state(result.folder, step), window(result.case, atom_state(result.folder, step))
    stress = shown_stress(mesh)
    return near, None if mesh is None or stress is None else stress_limit(mesh, stress, near)


def _draw(figure: Figure, result: Result, step: int, near: Window, limit: float | None) -> None:
    parts: Any = figure.subfigures(1, 2, width_ratios=(13.0, 6.0))
    left, right = parts
    mesh, atoms = mesh_state(result.folder, step), atom_state(result.folder, step)
    row = next(row for row in result.steps if row["step"] == step)
    moment, rigid = at_load(result.case, row), indenter_outline(result.case, row)
    draw_regions(
        left,
        mesh,
        shown_stress(mesh),
        atoms,
        near,
        "mask",
        result.case.title,
        limit=limit,
        moment=moment,
        rigid=rigid,
    )
    _curve(right.subplots(), result, step)


def _curve(ax: Axes, result: Result, step: int) -> None:
    """What the run is about against the load: the whole of it thin, up to the step strong."""
    name, values = _quantity(result)
    load, past = result.array("load"), result.array("step") <= step
    ax.plot(load, values, color=BLUE, linewidth=1.0, alpha=0.35)
    ax.plot(load[past], values[past], color=BLUE, linewidth=2.5)
    ax.plot(load[past][-1:], values[past][-1:], "o", color=ORANGE, markersize=11)
    ax.set_xlabel(load_label(result.case))
    ax.set_ylabel(name)
    bare(ax)


def _quantity(result: Result) -> tuple[str, np.ndarray]:
    columns = result.columns
    tip = columns.get("crack_tip", columns.get("crack_tip.0"))
    known = np.empty(0) if tip is None else tip[np.isfinite(tip)]  # none where all bonds hold
    if tip is not None and len(known) and np.ptp(known) > 0.0:
        return "crack extension, Å", tip - known[0]
    if result.case.load.type in ("indent", "tip"):
        return f"force, {unit_of_force(result.case)}", columns["force"]
    return "energy, eV", columns["energy.total"]
