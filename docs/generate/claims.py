"""What is claimed, what was measured and what it is compared with, from the benchmarks' files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from generate.results import RESULTS
from generate.tables import table

_HEAD = """\
# Claims and numbers

Each row is computed from the file that the benchmark wrote, when this page is built.

"""
Row = tuple[str, str, str, str]


def page() -> str:
    return _HEAD + table(("claim", "measured", "reference", "benchmark"), rows()) + "\n"


def rows() -> Iterator[Row]:
    """(claim, measured, reference, benchmark)."""
    for claims in (
        _patch,
        _rates,
        _efficiency,
        _snap,
        _passage,
        _beams,
        _contact,
        _double,
        _trust,
        _ranks,
        _scaling,
        _kills,
        _kills_ranks,
        _oracles,
    ):
        yield from claims()


def load(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def _patch() -> Iterator[Row]:
    found = load("patch_test")
    for scheme in ("bgfc", "bqcf", "schwarz", "bqce", "sharp"):
        worst = max(row[scheme] for row in found["rest"])
        yield (
            f"force left in {len(found['rest'])} perfect crystals at rest, `{scheme}`",
            f"{worst:.1e} of the largest force constant × lattice constant",
            "0 for the first three",
            "patch_test",
        )


def rate(case: str, scheme: str, degree: int) -> float:
    """Slope of log error of the strain against log unknowns."""
    runs = [
        r
        for r in load("blending_2d")["runs"]
        if (r["case"], r["scheme"], r["layout"]["degree"]) == (case, scheme, degree)
        and r["layout"]["mask"] == "cubic"
    ]
    x = np.log([r["dof"] for r in runs])
    return float(np.polyfit(x, np.log([r["strain_error"] for r in runs]), 1)[0])


def _rates() -> Iterator[Row]:
    for case, what in (("A", "a vacancy"), ("B", "a micro-crack")):
        for scheme, degree, theory in (("bqce", 1, "−0.5"), ("bgfc", 1, "−1"), ("bgfc", 2, "−1.5")):
            if case == "B" and scheme == "bqce":
                continue  # far from its asymptotic range: the ghost force is small beside the defect's own field
            yield (
                f"error of the strain about {what} falls with the unknowns n, `{scheme}` P{degree}",
                f"n^{rate(case, scheme, degree):.2f}",
                f"n^{theory}, theory of a point defect",
                "blending_2d",
            )


def _efficiency() -> Iterator[Row]:
    disc = load("efficiency")["discs"][0]
    full = disc["atomistic"]
    good = [c for c in disc["coupled"] if c["error"] <= 0.01]
    best = min(good, key=lambda c: c["site_evaluations"])
    yield (
        f"a crack with {100 * best['error']:.2f} % of error within 1 nm of its tip",
        f"{full['site_evaluations'] / best['site_evaluations']:.1f} times fewer site energies, "
        f"{full['solving'] / best['solving']:.1f} times less CPU time to solve",
        "the fully atomistic run",
        "efficiency",
    )


def _snap() -> Iterator[Row]:
    found = load("silicon_k_limits")
    for key, name in (("K_plus", "snaps open"), ("K_minus", "heals")):
        values = [row[key] for row in found["limits, K_G"]]
        yield (
            f"Stillinger–Weber silicon, (111)[1-10]: the crack {name}",
            f"{min(values):.3f} to {max(values):.3f} K_G, {len(values)} cores",
            found["published"][key],
            "silicon_k_limits",
        )


def _passage() -> Iterator[Row]:
    (steps,) = load("crack_passage").values()
    for place in ("core", "blend", "mesh"):
        g = [s["G"] for s in steps if s["place"] == place]
        yield (
            f"energy release rate of a crack in the {place}",
            f"{np.mean(g):.3f} × 2γ ({min(g):.3f} to {max(g):.3f})",
            "1 × 2γ (Griffith)",
            "crack_passage",
        )


def _beams() -> Iterator[Row]:
    g = [r for beam in load("debonding") for r in beam["rate_over_two_gamma"]]
    yield (
        "energy release rate of beams that debond",
        f"{min(g):.3f} to {max(g):.3f} × the work of the law",
        "1",
        "debonding",
    )


def _contact() -> Iterator[Row]:
    for material, found in load("contact")["line"].items():
        worst = max(abs(s["force"] / s["atomistic force"] - 1) for s in found["steps"])
        yield (
            f"force on a cylinder, {material}, {found['evaluated sites']} site energies",
            f"within {100 * worst:.2f} %",
            f"fully atomistic, {found['atoms of the reference']} atoms",
            "contact",
        )


def _double() -> Iterator[Row]:
    found = load("double_counting")
    crystals = {
        k: v for k, v in found.items() if isinstance(v, dict) and "opening to beyond the cut-off" in v
    }
    worst = max(
        abs(np.asarray(path["exact"][kind]) - path["own"]).max()
        for crystal in crystals.values()
        for path in crystal.values()
        for kind in path["exact"]
        if kind.startswith("χ") or kind.startswith("graded")
    )
    yield (
        "adhesion carried by atoms, by the exact law, or shared: energies differ",
        f"by {worst:.0e} J/m²",
        "the potential's own energy",
        "double_counting",
    )


def _trust() -> Iterator[Row]:
    forces = load("trust")["calibration"]["forces"]["after"]
    yield (
        "held-out force errors within the 68.3 % and the 95 % interval of a committee",
        f"{100 * forces['68 %']:.1f} and {100 * forces['95 %']:.1f} %",
        "68.3 and 95 %",
        "trust",
    )


def _ranks() -> Iterator[Row]:
    found = [row for row in load("ranks") if "whole" not in row["case"]]
    cases = len({row["case"] for row in found})
    yield (
        f"{cases} examples, their first steps, on 2, 3 and 4 ranks: energies, relative; forces",
        f"{max(row['energy'] for row in found):.1e}; {max(row['force'] for row in found):.1e} eV/Å",
        "one rank",
        "ranks",
    )


def _scaling() -> Iterator[Row]:
    problems = load("scaling")["problems"]
    for kind, what in (("atoms", "potential"), ("bulk", "elements"), ("coupled", "coupled step")):
        both = {name: 100.0 * rows[1]["efficiency"] for name, rows in problems[kind].items()}
        yield (
            f"efficiency of two ranks against one, {what}: same problem; twice the problem",
            f"{both['strong']:.0f} %; {both['weak']:.0f} %",
            "100 %",
            "scaling",
        )


def _kills() -> Iterator[Row]:
    kills = load("kills")
    alike = sum(not row["different"] for row in kills)
    yield (
        "runs killed at random moments and gone on with end as if nothing had been",
        f"{alike} of {len(kills)} ends, byte by byte",
        "the run that was left alone",
        "kills",
    )


def _kills_ranks() -> Iterator[Row]:
    found = load("kills_ranks")
    worst = {key: max(row[key] for row in found["rows"]) for key in ("energy", "positions")}
    yield (
        f"{len(found['rows'])} kills of mpirun or a rank on {found['ranks']} ranks, gone on with: energies; positions",
        f"{worst['energy']:.0e}; {worst['positions']:.0e} Å",
        "the run that was left alone",
        "kills_ranks",
    )


def _oracles() -> Iterator[Row]:
    rows = load("oracles")["rows"]
    for kind in ("stillinger-weber", "eam"):
        found = [row for row in rows if row["potential"] == kind and "energy" in row]
        if kind == "eam":  # tables that come smoothly to zero
            found = [row for row in found if " and " not in row["name"]]
        energy, force = (max(row[f"{key}_difference"] for row in found) for key in ("energy", "force"))
        yield (
            f"{kind}: energies; forces",
            f"{energy:.0e} eV/atom; {force:.0e} eV/Å",
            f"LAMMPS, {load('oracles')['lammps'].split(' - ')[0]}",
            "oracles",
        )
