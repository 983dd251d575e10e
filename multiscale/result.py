"""result.json and history.csv: complete and readable after every step."""

from __future__ import annotations

import csv
import io
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from multiscale.files import write_atomically

STATUSES = ("running", "done", "not-converged", "stopped", "interrupted", "failed")
FINISHED = ("done", "not-converged", "stopped")


class Result:
    """What a run found. Keep one on every rank; it writes where `write` is true (rank 0).

    status: one of STATUSES; case: the case's hash; counts: sizes such as atoms, sites, dofs; steps: one
    mapping each (step, load, energy by parts, residual, iterations, …); results: named numbers such as
    K_plus; units: of steps and results, by name; warnings: one mapping each (step, kind, value, limit, atom, message,
    …); remeshings: of an adaptive core, one mapping each (step, reason, centre, sizes, energies before and after);
    timings: seconds by part.
    """

    def __init__(self, folder: Path, case: str, versions: dict[str, str], write: bool = True):
        self.folder, self.active = Path(folder), write
        self.data: dict[str, Any] = {
            "status": "running",
            "case": case,
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": versions,
            "counts": {},
            "steps": [],
            "results": {},
            "units": {},
            "warnings": [],
            "remeshings": [],
            "timings": {},
        }

    @classmethod
    def resume(
        cls, folder: Path, case: str, versions: dict[str, str], last: int, write: bool = True
    ) -> Result:
        """Goes on with the steps in the folder up to the `last` one; a fresh one where there are none. Rank 0's file
        must be visible to every rank that calls this."""
        result = cls(folder, case, versions, write)
        old = read_result(folder)
        if old and old["case"] == case:
            names = ("started", "counts", "steps", "results", "units", "warnings", "remeshings", "timings")
            kept = {key: old[key] for key in names if key in old}
            result.data.update(kept)
            for name in ("steps", "warnings", "remeshings"):
                result.data[name] = [row for row in result.data[name] if row["step"] <= last]
        return result

    @property
    def steps(self) -> list[dict[str, Any]]:
        return self.data["steps"]

    def add_step(self, **row: Any) -> None:
        """Append a step, replacing those from its number `step` on, and write."""
        self.data["steps"] = [s for s in self.steps if s["step"] < row["step"]] + [_plain(row)]
        self.save()

    def warn(self, step: int, entries: list[dict[str, Any]]) -> None:
        """Set the warnings of a step, dropping those from it on (written with the next step or `finish`)."""
        self.data["warnings"] = [w for w in self.data["warnings"] if w["step"] < step] + _plain(entries)

    def remesh(self, step: int, entries: list[dict[str, Any]]) -> None:
        """Set what was done to the core in a step, dropping what was from it on (written with the next step)."""
        kept = [r for r in self.data["remeshings"] if r["step"] < step]
        self.data["remeshings"] = kept + _plain(entries)

    def note(self, section: str, **values: Any) -> None:
        """Set entries of counts, results, units or timings (written with the next step or `finish`)."""
        self.data[section].update(_plain(values))

    def finish(self, status: str) -> None:
        """Set the final status and write."""
        if status not in STATUSES:
            raise ValueError(f"unknown status '{status}'; one of {', '.join(STATUSES)}")
        self.data["status"] = status
        self.save()

    def save(self) -> None:
        if not self.active:
            return
        write_atomically(self.folder / "result.json", _text(self.data))
        write_atomically(self.folder / "history.csv", history_csv(self.steps))


def _text(data: dict[str, Any]) -> str:
    """JSON with a line for each step, warning and remeshing, which is written many times as fast as one for each
    number."""
    parts = []
    for key, value in data.items():
        if isinstance(value, list) and value:
            rows = ",\n  ".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in value)
            text = f"[\n  {rows}\n ]"
        else:
            text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def read_result(folder: Path) -> dict[str, Any] | None:
    """The content of result.json, None where there is none or it is not one of ours. PermissionError where that cannot
    be known."""
    try:
        data = json.loads((Path(folder) / "result.json").read_text(encoding="utf-8"))
    except PermissionError:
        raise
    except (OSError, ValueError, RecursionError):
        return None
    return data if _ours(data) else None


def _ours(data: Any) -> bool:
    """Whether it has the parts of a record, each of its kind."""
    if not isinstance(data, dict) or not all(isinstance(data.get(k), str) for k in ("status", "case")):
        return False
    steps, sections = data.get("steps"), ("counts", "results", "units", "timings")
    rows = [steps, *(data.get(key, []) for key in ("warnings", "remeshings"))]
    if not all(isinstance(each, list) and all(isinstance(row, dict) for row in each) for each in rows):
        return False
    numbered = all(isinstance(row.get("step"), int) for each in rows for row in each)
    return numbered and all(isinstance(data.get(key, {}), dict) for key in sections)


def history_csv(steps: list[dict[str, Any]]) -> str:
    """One row per step; nested mappings become columns such as energy.total, lists tip.0, tip.1."""
    rows = flat_rows(steps)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def flat_rows(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps with the names of the columns of history.csv."""
    return [dict(_flat("", step)) for step in steps]


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = dict(enumerate(value)).items()
    else:
        return [(prefix, value)]
    return [pair for k, v in items for pair in _flat(f"{prefix}.{k}" if prefix else str(k), v)]


def _plain(value: Any) -> Any:
    """Numbers that JSON knows; not-a-number becomes null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
