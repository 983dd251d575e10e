"""Blended coupling of point defects in the triangular crystal: ghost forces, errors, rates.

    python benchmarks/blending_2d.py [--quick]

Prints our numbers beside published ones at the same number of unknowns, and writes benchmarks/results/blending_2d.json
and .png. --quick takes seconds: small cores, case A, files named blending_2d_quick.

Newton's method starts from F0 x and ends at a residual of 1e-10, as the published ones. Times are CPU seconds on one
core, from nothing to the solution; the published ones are of a code in numpy with a sparse factorisation.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from triangular import CASES, TOLERANCE, Case, Layout, couple, coupled, linear, make_scheme, quadratic
from triangular_error import Truth

from coupling.schemes import SCHEMES

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter

RESULTS = Path(__file__).parent / "results"
PUBLISHED = {  # (case, scheme): unknowns, error of the strain, error of the energy
    ("A", "bqce"): ((264, 0.1037, 4.0e-3), (1158, 0.0512, 2.2e-3), (3984, 0.0267, 8.6e-4), (8718, 0.0183, 4.5e-4),
                    (16776, 0.0136, 2.5e-4)),
    ("A", "bgfc"): ((264, 0.0815, 7.4e-3), (1158, 0.0308, 1.0e-3), (3984, 0.0113, 1.1e-4), (8718, 0.00645, 2.4e-5),
                    (16776, 0.00469, 3.8e-6)),
    ("A", "bqcf"): ((264, 0.0779, None), (1158, 0.0308, None), (3984, 0.0113, None), (8718, 0.00645, None),
                    (16776, 0.00469, None)),
    ("A", "GRAC"): ((1518, 0.0129, None), (5004, 0.00525, None)),
    ("B", "atomistic"): ((1190, 0.370, None), (3894, 0.192, None), (7222, 0.137, None)),
    ("B", "bqce"): ((1604, 0.1480, None), (5108, 0.0497, None), (10136, 0.0244, None), (34648, 0.0080, None)),
    ("B", "bgfc"): ((1604, 0.1480, 2.9e-2), (5108, 0.0496, 3.5e-3), (10136, 0.0244, 8.2e-4), (34648, 0.0079, 5.1e-5)),
    ("B", "GRAC"): ((3860, 0.0265, None), (6714, 0.0146, None)),
}  # fmt: skip
TIMES = ((2016, 1.2), (8718, 6.7), (16776, 18.0), (34648, 140.0))  # unknowns, s, bgfc
GHOST = {3: 1.74e-2, 4: 1.21e-2, 6: 5.99e-3, 8: 3.60e-3, 11: 2.10e-3, 16: 1.14e-3, 22: 6.75e-4}


def published(case: str, scheme: str, dof: int, column: int = 1) -> float | None:
    """On the straight lines through the published points in log–log, continued by a third at the ends."""
    return between(
        [(r[0], r[column]) for r in PUBLISHED.get((case, scheme), ()) if r[column] is not None], dof
    )


def between(points: Sequence[tuple[float, float]], dof: float) -> float | None:
    """Value at a number of unknowns of a curve through points (unknowns, value), straight in log–log."""
    if not points or not points[0][0] / 1.34 <= dof <= points[-1][0] * 1.34:
        return None
    x, y = np.log(np.asarray(points, float)).T
    k = int(np.clip(np.searchsorted(x, np.log(dof)) - 1, 0, len(x) - 2))
    return float(np.exp(y[k] + (y[k + 1] - y[k]) * (np.log(dof) - x[k]) / (x[k + 1] - x[k])))


def ghost_forces(widths: tuple[int, ...]) -> list[dict[str, Any]]:
    """Largest force in the perfect crystal under F0 of case A, by scheme and width of the blend."""
    perfect = replace(CASES["A"], vacancies=-1)
    rows = []
    for width in widths:
        model = coupled(perfect, linear(width))
        row: dict[str, Any] = {"width": width, "published bqce": GHOST.get(width)}
        for name in ("sharp", "bqce", "bgfc", "bqcf", "schwarz"):
            scheme, g = make_scheme(perfect, name, model), model.vector()
            scheme.residual(model.unknowns(lambda x: x @ perfect.gradient.T), g)
            row[name] = scheme.model.block_norm(g)
        rows.append(row)
    return rows


def measure(case: Case, truth: Truth, scheme: str, layout: Layout) -> dict[str, Any]:
    run = couple(case, scheme, layout)
    assert run.solution.converged
    return {
        "case": case.name,
        "scheme": scheme,
        "layout": asdict(layout),
        "dof": run.dof,
        "strain_error": truth.error(run),
        "energy": run.energy,
        "energy_error": abs(run.energy / truth.coarse.energy - 1.0) if SCHEMES[scheme].has_energy else None,
        "iterations": run.solution.iterations,
        "residual": run.solution.residual,
        "seconds": round(sum(run.seconds), 2),
        **(newton(case, layout) if scheme == "bgfc" and layout.mask == "cubic" else {}),
        "published_strain_error": published(case.name, scheme, run.dof),
        "published_energy_error": published(case.name, scheme, run.dof, 2),
        "GRAC_strain_error": published(case.name, "GRAC", run.dof),
    }


def newton(case: Case, layout: Layout) -> dict[str, Any]:
    """The same by Newton's method, and the published time."""
    run = couple(case, "bgfc", layout, "newton")
    assert run.solution.converged and run.solution.residual <= TOLERANCE
    return {
        "newton_steps": run.solution.iterations,
        "newton_products": run.solution.products,
        "newton_seconds": round(sum(run.seconds), 2),
        "published_seconds": between(TIMES, run.dof) if layout.degree == 1 else None,
        "energy_against_published": run.energy / case.energy - 1.0,
    }


def plan(case: str, quick: bool) -> list[tuple[str, Layout]]:
    smallest = 6 if case == "B" else 3  # nine vacancies need a core around them
    cores = [k for k in ((3, 4, 6) if quick else (3, 4, 6, 8, 11, 16, 22)) if k >= smallest]
    runs = [(scheme, linear(k)) for scheme in ("bqce", "bgfc", "bqcf") for k in cores]
    runs += [] if quick else [("bgfc", linear(30))]
    runs += [("bqce", linear(k, "quintic")) for k in cores[-2:]] + [
        ("bgfc", linear(k, "quintic")) for k in cores[-2:]
    ]
    runs += [("sharp", linear(k)) for k in cores[:3]] + [("schwarz", linear(k)) for k in cores[:2]]
    fine = (4, 5, 6) if quick else (4, 5, 6, 8, 11, 16)
    return runs + [("bgfc", quadratic(k)) for k in fine if k >= smallest]


def study(case: Case, quick: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    truth = (
        Truth(case, quadratic(9, coarser=1.0), 60, 400) if quick else Truth(case, quadratic(24, coarser=1.0))
    )
    found = {"energy": truth.coarse.energy, "published_energy": case.energy, "dof": truth.coarse.dof,
             "strain_error_of_the_finest": truth.error(truth.coarse)}  # fmt: skip
    print(f"\nCase {case.name}: relaxation energy {found['energy']:.7f}, published {case.energy:.7f}")
    print(
        "scheme   P core mask     DoF    strain error  published  GRAC     energy error  published  iterations  s"
        "      Newton: steps  s     published s  energy / published - 1"
    )
    rows = []
    for scheme, layout in plan(case.name, quick):
        rows.append(measure(case, truth, scheme, layout))
        print(_line(rows[-1]), flush=True)
    for (scheme, degree), rate in slopes(rows).items():
        energy = "" if np.isnan(rate[1]) else f", energy DoF^{rate[1]:.2f}"
        print(f"slope of {scheme} P{degree}: strain DoF^{rate[0]:.2f}{energy}")
    for line in against_grac(case.name, rows):
        print(line)
    return found, rows


def against_grac(case: str, rows: list[dict[str, Any]]) -> list[str]:
    """At the published points of the best consistent sharp interface our errors at as many unknowns."""
    lines = []
    for dof, error, _ in PUBLISHED[case, "GRAC"]:
        ours = []
        for degree in (1, 2):
            mine = [r for r in rows if (r["scheme"], r["layout"]["degree"]) == ("bgfc", degree)]
            mine = [(r["dof"], r["strain_error"]) for r in mine if r["layout"]["mask"] == "cubic"]
            value = between(sorted(mine), dof)
            if value is not None:
                ours.append(f"bgfc P{degree} {value:.5f} ({error / value:.2f} times less)")
        if ours:
            lines.append(f"GRAC at {dof} unknowns {error}: " + ", ".join(ours))
    return lines


def _line(r: dict[str, Any]) -> str:
    def shown(value: float | None, form: str = ".5f") -> str:
        return "-".ljust(9) if value is None else format(value, form).ljust(9)

    layout = r["layout"]
    return (
        f"{r['scheme']:8} {layout['degree']} {layout['core']:<4} {layout['mask']:8} {r['dof']:<6} "
        f"{r['strain_error']:<13.5f} {shown(r['published_strain_error'])}  {shown(r['GRAC_strain_error'])}"
        f"{shown(r['energy_error'], '.1e')}     {shown(r['published_energy_error'], '.1e')}  "
        f"{r['iterations']:<10}  {r['seconds']:<6}"
        + (
            f" {r['newton_steps']:<13}  {r['newton_seconds']:<5}  {shown(r['published_seconds'], '.1f')}"
            f"    {r['energy_against_published']:.1e}"
            if "newton_steps" in r
            else ""
        )
    )


def slopes(rows: list[dict[str, Any]]) -> dict[tuple[str, int], tuple[float, float]]:
    """Powers of the number of unknowns, least squares, of the strain's and of the energy's error."""
    groups = sorted(
        {(r["scheme"], r["layout"]["degree"]) for r in rows if r["scheme"] in ("bqce", "bgfc", "bqcf")}
    )
    out = {}
    for group in groups:
        mine = [
            r
            for r in rows
            if (r["scheme"], r["layout"]["degree"]) == group and r["layout"]["mask"] == "cubic"
        ]
        if len(mine) > 2:
            x = np.log([r["dof"] for r in mine])
            y = [np.log([r[k] or np.nan for r in mine]) for k in ("strain_error", "energy_error")]
            out[group] = (float(np.polyfit(x, y[0], 1)[0]), float(np.polyfit(x, y[1], 1)[0]))
    return out


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    cases = sorted({r["case"] for r in rows})
    figure, axes = plt.subplots(
        1, len(cases), figsize=(6.0 * len(cases), 5.0), squeeze=False, layout="constrained"
    )
    colours = dict(bqce="C3", bgfc="C0", bqcf="C2", sharp="C7", schwarz="C4", GRAC="C1", atomistic="k")
    for axis, case in zip(axes[0], cases):
        groups = sorted({(r["scheme"], r["layout"]["degree"]) for r in rows if r["case"] == case})
        for scheme, degree in groups:
            mine = [
                r for r in rows if (r["case"], r["scheme"], r["layout"]["degree"]) == (case, scheme, degree)
            ]
            mine = [r for r in mine if r["layout"]["mask"] == "cubic"]
            rate = slopes(mine).get((scheme, degree))
            label = f"{scheme} P{degree}" + ("" if rate is None else f", slope {rate[0]:.2f}")
            style = "s-" if degree == 2 else "^:" if scheme in ("bqcf", "schwarz") else "o-"
            axis.loglog([r["dof"] for r in mine], [r["strain_error"] for r in mine], style,
                        color=colours[scheme], label=label, mfc=None if degree == 1 else "w", ms=5)  # fmt: skip
        for (name, scheme), points in PUBLISHED.items():
            if name == case:
                dof, error = [p[0] for p in points], [p[1] for p in points]
                axis.loglog(dof, error, "x--", color=colours[scheme], lw=0.8, label=f"{scheme}, published")
        axis.set(xlabel="unknowns", ylabel="relative error of the strain", title=f"Case {case}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.legend(fontsize=8)
        axis.grid(True, which="major", alpha=0.3)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    ghost = ghost_forces((3, 6) if quick else (3, 4, 6, 8, 11, 16, 22))
    print("Largest force in the perfect crystal; published: sharp 0.116 for every width")
    for row in ghost:
        print("  ".join(f"{k} {v:.3g}" for k, v in row.items() if v is not None))
    energies, rows = {}, []
    for case in ("A",) if quick else ("A", "B"):
        energies[case], found = study(CASES[case], quick)
        rows += found
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("blending_2d_quick" if quick else "blending_2d")
    whole = {"ghost_forces": ghost, "reference": energies, "runs": rows}
    path.with_suffix(".json").write_text(json.dumps(whole, indent=1))
    draw(rows, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
