"""Errors of one run against a reference run, atom by atom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from multiscale.config import InputError, parse_case, yamlio
from multiscale.fields import frames
from multiscale.result import read_result

Array = np.ndarray
_SAME_SITE = 0.1
"""Reference positions closer than this, Å, are the same site."""


@dataclass(frozen=True)
class Frame:
    """One step of a run: reference positions, displacements and mask of its atoms; what result.json says."""

    reference: Array
    displacement: Array
    mask: Array
    height: float
    load: float
    record: dict[str, Any]


@dataclass(frozen=True)
class Run:
    folder: Path
    result: dict[str, Any]
    frames: dict[tuple[float, int], Frame]
    tip: tuple[float, float]


def compare(folder_a: str | Path, folder_b: str | Path, near: float = 10.0) -> dict[str, Any]:
    """Errors of run A against the reference run B at every load that both have.

    Atoms are matched by reference position (periodic along z). Displacement errors are the largest and the
    root mean square of |u_A − u_B| in Å, and the same relative to the largest |u_B| of the matched atoms:
    over all matched atoms, the fully weighted ones ("core") and those within `near` (Å) of the reference's
    crack tip. Energies are changes since the first common load, eV. InputError where a folder holds no run or
    nothing is common.
    """
    a, b = _run(Path(folder_a)), _run(Path(folder_b))
    common = [key for key in a.frames if key in b.frames]
    if not common:
        raise InputError("", f"{folder_a} and {folder_b} have no load in common", "compare")
    first = common[0]
    steps = [
        _step(a.frames[key], b.frames[key], a.frames[first], b.frames[first], b.tip, near) for key in common
    ]
    return {
        "run": _summary(a),
        "reference": _summary(b),
        "near": near,
        "steps": steps,
        "worst": _worst(steps),
    }


def _run(folder: Path) -> Run:
    result = read_result(folder)
    if result is None:
        raise InputError("", f"{folder} holds no run (no result.json)", "compare")
    records = {step["step"]: step for step in result["steps"]}
    found: dict[tuple[float, int], Frame] = {}
    seen: Counter[float] = Counter()
    for atoms in frames(folder):
        record = records.get(int(atoms.info["step"]), {})
        frame = _frame(atoms, record)
        key = float(f"{frame.load:.9g}")
        found[key, seen[key]] = frame  # a load is passed twice when it goes up and down again
        seen[key] += 1
    return Run(folder, result, found, _tip(folder))


def _frame(atoms: Atoms, record: dict[str, Any]) -> Frame:
    u = atoms.arrays["displacement"]
    mask = atoms.arrays.get("mask", np.ones(len(atoms)))
    height = float(atoms.cell[2, 2]) if atoms.pbc[2] else 0.0
    load = atoms.info.get("load", record.get("load"))
    load = float(atoms.info["step"] if load is None else load)
    return Frame(atoms.positions - u, u, mask, height, load, record)


def _tip(folder: Path) -> tuple[float, float]:
    """Where the crack tip was at first, else the origin."""
    try:
        crack = parse_case(yamlio.read_text(folder / "case.yaml")).geometry.crack
    except InputError:
        return (0.0, 0.0)
    return crack.tip if crack else (0.0, 0.0)


def _match(a: Frame, b: Frame) -> tuple[Array, Array]:
    """Indices of the atoms of A that B has, and theirs in B."""
    height = b.height
    tree = cKDTree(_wrapped(b.reference, height), boxsize=[0.0, 0.0, height] if height else None)
    distance, index = tree.query(_wrapped(a.reference, height), distance_upper_bound=_SAME_SITE)
    found = np.nonzero(np.isfinite(distance))[0]
    return found, index[found]


def _wrapped(x: Array, height: float) -> Array:
    if not height:
        return x
    x = x.copy()
    x[:, 2] %= height
    x[x[:, 2] >= height, 2] = 0.0  # −1e-17 % h is h
    return x


def _step(a: Frame, b: Frame, a0: Frame, b0: Frame, tip: tuple[float, float], near: float) -> dict[str, Any]:
    in_a, in_b = _match(a, b)
    if len(in_a) == 0:
        raise InputError("", "the runs have no atom in common", "compare")
    size = float(np.linalg.norm(b.displacement[in_b], axis=1).max())
    error = np.linalg.norm(a.displacement[in_a] - b.displacement[in_b], axis=1)
    at = b.record.get("crack_tip") or tip
    at = (float(at), tip[1]) if isinstance(at, int | float) else (float(at[0]), float(at[1]))
    close = np.linalg.norm(a.reference[in_a][:, :2] - at, axis=1) < near
    return {
        "load": a.load,
        "matched": len(in_a),
        "unmatched": len(a.reference) - len(in_a),
        "largest_displacement": size,
        "all": _errors(error, size),
        "core": _errors(error[a.mask[in_a] >= 1.0], size),
        "near_tip": _errors(error[close], size),
        "energy": _energy(a, b, a0, b0),
    }


def _errors(error: Array, size: float) -> dict[str, float | int | None]:
    if len(error) == 0:
        return {"atoms": 0, "max": None, "rms": None, "max_relative": None, "rms_relative": None}
    largest, rms = float(error.max()), float(np.sqrt(np.mean(error**2)))
    relative = (largest / size, rms / size) if size > 0 else (None, None)
    return {
        "atoms": len(error),
        "max": largest,
        "rms": rms,
        "max_relative": relative[0],
        "rms_relative": relative[1],
    }


def _energy(a: Frame, b: Frame, a0: Frame, b0: Frame) -> dict[str, float | None]:
    energies = [f.record.get("energy", {}) for f in (a, a0, b, b0)]
    totals = [e.get("inside", e.get("total")) for e in energies]  # of the domain alone, where it is known
    if any(t is None for t in totals):
        return {"change": None, "reference_change": None, "error": None, "relative": None}
    change, reference = totals[0] - totals[1], totals[2] - totals[3]
    error = change - reference
    relative = abs(error / reference) if reference else None
    return {"change": change, "reference_change": reference, "error": error, "relative": relative}


def _summary(run: Run) -> dict[str, Any]:
    """Sizes and costs, as far as the run wrote them down."""

    def total(key: str) -> int:
        return sum(step.get(key) or 0 for step in run.result["steps"])

    return {
        "folder": str(run.folder),
        "status": run.result["status"],
        "counts": run.result.get("counts", {}),
        "force_evaluations": total("force_evaluations"),
        "site_evaluations": total("site_evaluations"),
        "timings": run.result.get("timings", {}),
        "results": run.result.get("results", {}),
    }


def _worst(steps: list[dict[str, Any]]) -> dict[str, float | None]:
    """The largest error of any step."""

    def largest(*path: str) -> float | None:
        values = [step[path[0]][path[1]] for step in steps]
        return max((abs(v) for v in values if v is not None), default=None)

    return {
        "max": largest("all", "max"),
        "max_relative": largest("all", "max_relative"),
        "core_max": largest("core", "max"),
        "near_tip_max": largest("near_tip", "max"),
        "near_tip_relative": largest("near_tip", "max_relative"),
        "energy_error": largest("energy", "error"),
    }
