"""Masks compared on a vacancy in the triangular crystal: ghost force, errors of strain and energy.

    python benchmarks/masks_2d.py [--quick]

Prints a table and writes benchmarks/results/masks_2d.json and .md; --quick takes the two smallest cores and names the
files masks_2d_quick. The problem is that of blending_2d.py, case A.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from triangular import CASES, couple, coupled, linear, make_scheme, quadratic
from triangular_error import Truth

RESULTS = Path(__file__).parent / "results"
MASKS = ("cubic", "optimal", "quintic")


def ghost_force(core: int, mask: str) -> float:
    """Largest force of `bqce` in the perfect crystal under F0, in units of the potential."""
    perfect = replace(CASES["A"], vacancies=-1)
    model = coupled(perfect, linear(core, mask))
    scheme, g = make_scheme(perfect, "bqce", model), model.vector()
    scheme.residual(model.unknowns(lambda x: x @ perfect.gradient.T), g)
    return model.block_norm(g)


def measure(truth: Truth, core: int, mask: str) -> dict[str, Any]:
    row: dict[str, Any] = {"core": core, "mask": mask, "ghost force": ghost_force(core, mask)}
    for scheme in ("bqce", "bgfc"):
        run = couple(truth.case, scheme, linear(core, mask))
        row["DoF"] = run.dof
        row[f"{scheme} strain"] = truth.error(run)
        row[f"{scheme} energy"] = abs(run.energy / truth.coarse.energy - 1.0)
    return row


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    for row in rows:
        cells = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    finest, near, far = (9, 60, 400) if quick else (16, 100, 1000)
    truth = Truth(CASES["A"], quadratic(finest, coarser=1.0), near, far)
    rows = [measure(truth, core, mask) for core in ((4, 6) if quick else (4, 6, 8, 11)) for mask in MASKS]
    print(table(rows))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("masks_2d_quick" if quick else "masks_2d")
    path.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
    head = (
        "Masks on a vacancy in the triangular crystal (case A, P1): ghost force of `bqce`, relative errors.\n"
    )
    path.with_suffix(".md").write_text(f"{head}\n{table(rows)}\n")


if __name__ == "__main__":
    main()
