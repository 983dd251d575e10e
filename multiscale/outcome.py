"""What a run left in its folder, for Python and notebooks."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from multiscale.config import Case, InputError, parse_case, yamlio
from multiscale.result import flat_rows, read_result
from multiscale.shown_units import with_unit

Array = np.ndarray


@dataclass(frozen=True, repr=False)
class Result:
    """A run's folder. record: all of result.json.

    `result["K_plus"]` is a named result, `result.history` what happened step by step, `result.atoms(step)` and
    `result.mesh(step)` a state, `result.plot()` its picture. Fields are read from the files when they are asked for.
    """

    folder: Path
    record: dict[str, Any]

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Of a run that is done, or still under way. InputError where the folder holds none."""
        record = read_result(Path(folder))
        if record is None:
            raise InputError("", f"{folder} holds no run (no result.json)")
        return cls(Path(folder), record)

    @property
    def status(self) -> str:
        """running, done, not-converged, stopped, interrupted or failed."""
        return str(self.record["status"])

    @property
    def results(self) -> dict[str, float | None]:
        """Named results, such as K_G, in the units of the files."""
        return dict(self.record["results"])

    @property
    def units(self) -> dict[str, str]:
        """Unit of each quantity of the steps and results that has one, by name; energy: of all its parts."""
        return dict(self.record.get("units", {}))

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The rows of result.json, one for each step."""
        return list(self.record["steps"])

    @property
    def warnings(self) -> list[str]:
        return [entry["message"] for entry in self.record.get("warnings", [])]

    @cached_property
    def case(self) -> Case:
        """The case, every default written."""
        return parse_case(yamlio.read_text(self.folder / "case.yaml"))

    def __getitem__(self, name: str) -> float | None:
        if name not in self.record["results"]:
            raise KeyError(f"no result '{name}'; there are {', '.join(self.record['results'])}")
        return self.record["results"][name]

    @cached_property
    def columns(self) -> dict[str, Array]:
        """Every quantity of the steps as an array, by the names of history.csv such as energy.total; not-a-number
        where a step has none."""
        rows = flat_rows(self.steps)
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: np.array([_number(row.get(name)) for row in rows]) for name in names}

    @property
    def history(self) -> Any:
        """`columns` as a pandas.DataFrame with the steps as index; where pandas is not installed `columns`."""
        try:
            import pandas
        except ImportError:
            return self.columns
        frame = pandas.DataFrame(self.columns)
        return frame.set_index("step") if "step" in frame else frame

    def array(self, name: str) -> Array:
        """One of `columns`. KeyError with what there is."""
        if name not in self.columns:
            raise KeyError(f"no column '{name}'; there are {', '.join(self.columns)}")
        return self.columns[name]

    @property
    def written(self) -> tuple[int, ...]:
        """The steps whose fields were written."""
        from multiscale.fields import written_steps

        return written_steps(self.folder)

    def atoms(self, step: int | None = None) -> Any:
        """The atoms of a step (None: the last written) as ase.Atoms; `arrays` hold displacement, force, site_energy,
        mask and whatever else was written. InputError where there are none."""
        from multiscale.fields import read_atoms

        return read_atoms(self.folder, step)

    def mesh(self, step: int | None = None, kind: str = "pyvista", name: str = "fields") -> Any:
        """The deformed mesh of a step (None: the last written) as pyvista.UnstructuredGrid, or with kind "meshio" as
        meshio.Mesh. name: "fields"; "surface" of the cohesive surface. InputError where there is none."""
        from multiscale.fields import read_mesh

        return read_mesh(self.folder, step, kind, name)

    def plot(self, name: str = "regions", step: int | None = None) -> Any:
        """A matplotlib Figure. name: regions, site_energy (of a step, None: of the highest load), history, or law of
        a cohesive surface."""
        from multiscale.replot import figure_of

        return figure_of(self, name, step)

    def __repr__(self) -> str:
        return f"Result({str(self.folder)!r}: {self.status}, {len(self.steps)} steps)"

    def __str__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._summary())

    def __rich__(self) -> Any:
        from rich.table import Table

        table = Table("", "", show_header=False, title=self.record.get("title") or self.folder.name)
        for row in self._summary():
            table.add_row(*row)
        return table

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in self._summary()
        )
        return f"<table>{cells}</table>{self._picture()}"

    def _picture(self) -> str:
        for name in ("regions.png", "history.png"):
            if (path := self.folder / name).is_file():
                data = base64.b64encode(path.read_bytes()).decode()
                return f"<img style='max-width:100%' src='data:image/png;base64,{data}'>"
        return ""

    def _summary(self) -> list[tuple[str, str]]:
        """Name and value, as text."""
        counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in self.record["counts"].items())
        numbers = [
            (name, with_unit(name, value, self.units))
            for name, value in self.results.items()
            if value is not None
        ]
        found = [
            ("folder", str(self.folder)),
            ("status", f"{self.status}, {len(self.steps)} steps"),
            ("sizes", counts),
        ]
        return found + numbers + [("warning", text) for text in _by_kind(self.record.get("warnings", []))]


def _by_kind(warnings: list[dict[str, Any]]) -> list[str]:
    """One line for each kind of warning: its worst one, and in how many steps there was one."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for each in warnings:
        kinds.setdefault(str(each.get("kind")), []).append(each)
    worst = [max(group, key=lambda each: _size(each.get("value"))) for group in kinds.values()]
    steps = [len({each["step"] for each in group}) for group in kinds.values()]
    return [
        each["message"] + (f" ({n} steps; this is the worst)" if n > 1 else "")
        for each, n in zip(worst, steps)
    ]


def _size(value: Any) -> float:
    return abs(float(value)) if isinstance(value, int | float) else 0.0


def _number(value: Any) -> float:
    return float("nan") if value is None or isinstance(value, str) else value
