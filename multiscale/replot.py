"""The pictures of a run made again from its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from multiscale.cohesive_plot import plot_law, read_points
from multiscale.config import InputError
from multiscale.fields import atom_state, mesh_state
from multiscale.law_file import read_law
from multiscale.outcome import Result
from multiscale.pictures import COLOURS, draw_state, load_figure, state_figure
from multiscale.result import read_result
from multiscale.writers.snapshot import AtomSnapshot, MeshSnapshot


def redraw(folder: Path) -> list[Path]:
    """Write all pictures that a run itself draws, or of a folder of `multiscale cohesive` that of the law, and give
    their names. InputError where there is nothing to draw."""
    before = set(folder.glob("*.png"))
    law = _redraw_law(folder)
    if not (law and read_result(folder) is None):
        _redraw_run(Result.load(folder))
    return sorted(before | set(folder.glob("*.png")))


def _redraw_run(result: Result) -> None:
    step = shown_step(result)
    mesh, atoms = _state(result, step)
    draw_state(result.case, mesh, atoms, _row(result, step), result.folder)
    load_figure(result.case, result.steps, result.record["results"], result.folder / "history.png")


def _redraw_law(folder: Path) -> bool:
    """law.png from law.json and, where it is there, table.csv; whether there was a law."""
    if not (folder / "law.json").is_file():
        return False
    law, header = read_law(folder / "law.json", "")
    plot_law(law, header, folder / "law.png", read_points(folder / "table.csv"))
    return True


def figure_of(result: Result, name: str, step: int | None) -> Figure:
    """See multiscale.Result.plot."""
    if name == "history":
        if not result.steps:
            raise InputError("", f"{result.folder} holds no step yet")
        return load_figure(result.case, result.steps, result.record["results"], None)
    if name == "law":
        law, header = read_law(result.folder / "law.json", "")
        return plot_law(law, header, None)
    if name not in COLOURS:
        raise InputError("", f"no picture '{name}'; there are {', '.join(COLOURS)}, history, law")
    step = shown_step(result) if step is None else step
    mesh, atoms = _state(result, step)
    return state_figure(result.case, mesh, atoms, _row(result, step), name, None)


def _state(result: Result, step: int) -> tuple[MeshSnapshot | None, AtomSnapshot]:
    return mesh_state(result.folder, step), atom_state(result.folder, step)


def _row(result: Result, step: int) -> dict[str, Any]:
    return next(row for row in result.steps if row["step"] == step)


def shown_step(result: Result) -> int:
    """The written step that a run draws: the last that did not converge, else the one at the highest load."""
    written = set(result.written)
    rows = [row for row in result.steps if row["step"] in written]
    if not rows:
        raise InputError("", f"{result.folder} holds no fields to draw")
    failed = [row for row in rows if not row["converged"]]
    up = [row for row in rows if not row["turned"]] or rows
    return int((failed or up)[-1]["step"])
