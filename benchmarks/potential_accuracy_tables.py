"""Tables of benchmarks/potential_accuracy.py: ours beside published potentials and beside the goals."""

from __future__ import annotations

from typing import Any

PUBLISHED = {
    "Si": {
        "SNAP": (8.06, 0.205),
        "qSNAP": (5.51, 0.177),
        "Behler–Parrinello": (6.93, 0.170),
        "MTP": (3.03, 0.088),
    },
    "Ge": {
        "SNAP": (9.75, 0.295),
        "qSNAP": (10.55, 0.201),
        "Behler–Parrinello": (7.63, 0.125),
        "MTP": (3.68, 0.070),
    },
    "Mo": {
        "SNAP": (9.25, 0.376),
        "qSNAP": (4.04, 0.333),
        "Behler–Parrinello": (5.43, 0.204),
        "MTP": (3.98, 0.151),
    },
    "Li": {
        "SNAP": (1.31, 0.038),
        "qSNAP": (0.85, 0.044),
        "Behler–Parrinello": (0.98, 0.023),
        "MTP": (0.66, 0.013),
    },
}  # energy meV/atom, forces eV/Å, root mean square on the authors' own test frames: the published potentials, run again
GOALS = {
    "Si": {"energy": 2.4, "forces": 0.085, "virial": 24.0},
    "Ge": {"energy": 3.3, "forces": 0.066},
    "Mo": {"energy": 3.6, "forces": 0.140},
    "Li": {"energy": 0.60, "forces": 0.012},
}
COMMITTEE_GAIN = 0.92
COLUMNS = {"energy": ("energy meV/atom", 2), "forces": ("forces eV/Å", 4), "virial": ("virial meV/atom", 1),
           "stress": ("stress GPa", 3)}  # fmt: skip


def report(found: dict[str, Any]) -> str:
    """Everything as Markdown: root mean square, mean absolute in brackets."""
    parts = ["# Held-out errors of the density network", _summary(found)]
    for element, result in found.items():
        if result["errors"]["single"]:
            parts.append(_element(element, result))
    return "\n\n".join(parts)


def _summary(found: dict[str, Any]) -> str:
    rows = [
        ["", "model", "folds", *(title for title, _ in COLUMNS.values()), "goal (energy, forces, virial)"]
    ]
    for element, result in found.items():
        for kind, name in (("single", "single"), ("committee", f"committee of {result['members']}")):
            errors = result["errors"][kind]
            if errors:
                folds = result["folds_trained" if kind == "single" else "folds_with_committee"]
                share = f"{len(folds)} of {result['folds']}"
                rows.append(
                    [element, name, share, *_cells(errors["all"]), _goals(element, kind, errors["all"])]
                )
        rows += [
            [element, name, "", str(e), str(f), "", "", ""] for name, (e, f) in PUBLISHED[element].items()
        ]
    return _markdown(rows)


def _goals(element: str, kind: str, row: dict[str, Any]) -> str:
    """Each goal, with what is missing to it in per cent or "met"."""
    cells = []
    for name, goal in GOALS[element].items():
        limit = goal * (COMMITTEE_GAIN if kind == "committee" else 1.0)
        excess = 100.0 * (row[name]["rmse"] / limit - 1.0)
        cells.append(f"{limit:.3g} ({'met' if excess <= 0.0 else f'missed by {excess:.0f} %'})")
    return ", ".join(cells)


def _element(element: str, result: dict[str, Any]) -> str:
    times = [run["cpu_seconds"] for run in result["runs"].values() if run["cpu_seconds"]]
    weights = next(iter(result["runs"].values()))["weights"]
    spent = f", CPU seconds of a training {min(times):.0f} to {max(times):.0f}" if times else ""
    folds = ", ".join(map(str, result["folds_trained"]))
    lines = [
        f"## {element}",
        f"Folds {folds} of {result['folds']} (counted from 0), {weights} weights{spent}.",
    ]
    for kind in ("single", "committee", "single_where_committee"):
        errors = result["errors"][kind]
        if errors:
            head = [kind.replace("_", " "), "frames", "atoms", *(title for title, _ in COLUMNS.values())]
            body = [
                [group, str(row["frames"]), str(row["atoms"]), *_cells(row)] for group, row in errors.items()
            ]
            lines.append(_markdown([head, *body]))
    return "\n\n".join(lines)


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        "–" if row[name] is None else f"{row[name]['rmse']:.{digits}f} ({row[name]['mae']:.{digits}f})"
        for name, (_, digits) in COLUMNS.items()
    ]


def _markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
