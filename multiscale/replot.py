"""The pictures of a run made again from its files."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from multiscale.config import InputError
from multiscale.fields import atom_state, mesh_state
from multiscale.outcome import Result
from multiscale.pictures import COLOURS, draw_state, load_figure, state_figure
from multiscale.writers.snapshot import AtomSnapshot, MeshSnapshot


def redraw(result: Result) -> list[Path]:
    """Write all pictures that the run itself draws, and give their names. InputError where it has no fields."""
    folder, before = result.folder, set(result.folder.glob("*.png"))
    mesh, atoms = _state(result, None)
    draw_state(result.case, mesh, atoms, folder)
    load_figure(result.case, result.steps, result.record["results"], folder / "history.png")
    return sorted(before | set(folder.glob("*.png")))


def figure_of(result: Result, name: str, step: int | None) -> Figure:
    """See multiscale.Result.plot."""
    if name == "history":
        if not result.steps:
            raise InputError("", f"{result.folder} holds no step yet")
        return load_figure(result.case, result.steps, result.record["results"], None)
    if name not in COLOURS:
        raise InputError("", f"no picture '{name}'; there are {', '.join(COLOURS)}, history")
    mesh, atoms = _state(result, step)
    return state_figure(result.case, mesh, atoms, name, None)


def _state(result: Result, step: int | None) -> tuple[MeshSnapshot | None, AtomSnapshot]:
    step = shown_step(result) if step is None else step
    return mesh_state(result.folder, step), atom_state(result.folder, step)


def shown_step(result: Result) -> int:
    """The written step that a run draws: the last that did not converge, else the one at the highest load."""
    written = set(result.written)
    rows = [row for row in result.steps if row["step"] in written]
    if not rows:
        raise InputError("", f"{result.folder} holds no fields to draw")
    failed = [row for row in rows if not row["converged"]]
    up = [row for row in rows if not row["turned"]] or rows
    return int((failed or up)[-1]["step"])
