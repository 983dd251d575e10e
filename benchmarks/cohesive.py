"""Cohesive laws derived from a potential: strength and adhesion of silicon, checks of every law, planes in series.

    python benchmarks/cohesive.py [--quick]

B1: work of adhesion and peak traction of rigid separation beside published figures. B2: area, closed loop, rest,
symmetry and tangent of every law, its error against the potential, and the same once the bulk's compliance is
subtracted, of one plane and of 50 in series. B3: peak of N planes in series. Writes benchmarks/results/cohesive.json,
.md and .png. --quick: Stillinger–Weber (111) only, nothing written.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from ase.units import GPa
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from coupling.cohesive import (
    LAWS,
    CohesiveLaw,
    Derived,
    Halves,
    Subtracted,
    Table,
    Uber,
    derive_table,
    in_series,
    layer_compliance,
    renormalised,
)
from coupling.cohesive.checks import checks
from coupling.cohesive.figures import figures, fit_errors, landscape, lowest_barrier
from coupling.cohesive.held_out import held_out
from coupling.cohesive.zone import zone_length
from nnp.committee import driving
from nnp.crystal import Crystal
from nnp.equilibrium import lattice_constant
from nnp.homogeneous import elastic_tensor
from nnp.observables import J_PER_M2
from nnp.potential import Potential
from nnp.registry import make_potential
from nnp.surfaces import oriented

RESULTS = Path(__file__).parent / "results"
PLANES = {"(111)": (1, 1, 1), "(110)": (1, 1, 0), "(100)": (1, 0, 0)}
PUBLISHED: dict[tuple[str, str], tuple[float | None, ...]] = {
    ("stillinger-weber", "(111)"): (2.71, 36.1, 0.6),
    ("stillinger-weber", "(110)"): (3.32, 38.9, 0.7),
    ("GAP", "(111)"): (3.13, 23.2, 0.7),
    ("GAP", "(110)"): (3.64, 23.1, 0.85),
    ("GAP", "(100)"): (4.28, 30.9, 0.63),
    ("PBE", "(111)"): (3.04, 20.4, 0.60),
    ("PBE", "(110)"): (3.46, 23.1, 0.63),
    ("PBE", "(100)"): (4.27, 29.9, 0.55),
}
"""2γ (J/m²), peak traction (GPa), its opening (Å). GAP: doi:10.1103/PhysRevX.8.041048; PBE: examples/training/data."""
SERIES = {8: 0.65, 32: 0.83, 128: 0.92}


@dataclass(frozen=True)
class Case:
    """A plane of silicon with a potential."""

    name: str
    plane: str
    potential: Potential
    crystal: Crystal

    @cached_property
    def table(self) -> tuple[Table, Halves]:
        return derive_table(self.potential, self.crystal)

    @cached_property
    def elastic(self) -> np.ndarray:
        return elastic_tensor(self.potential, self.crystal)


def cases(quick: bool) -> Iterator[Case]:
    for name, potential in {"stillinger-weber": {}, "nnp si": {"model": "si"}}.items():
        atoms, _ = driving(make_potential(name.split()[0], **potential))
        a = lattice_constant(atoms, "diamond", "Si")
        for plane, miller in PLANES.items():
            yield Case(name, plane, atoms, oriented("diamond", "Si", a, miller))
            if quick:
                return


def strength(case: Case) -> dict[str, Any]:
    """B1."""
    began = process_time()
    table, bodies = case.table
    law = Derived(table)
    found, seconds = figures(law), process_time() - began
    surface, off = landscape(law, table.cell), held_out(law, table, case.potential, bodies)
    began = process_time()
    law(np.random.default_rng(0).uniform(-0.2, 2.0, (10_000, 3)))
    return {
        "potential": case.name,
        "plane": case.plane,
        "2γ, J/m²": found.work / J_PER_M2,
        "peak, GPa": found.peak / GPa,
        "at, Å": found.peak_opening,
        "critical, Å": found.critical,
        "γ_us rigid, J/m²": lowest_barrier(surface.rigid) / J_PER_M2,
        "γ_us opening, J/m²": lowest_barrier(surface.open) / J_PER_M2,
        "zone, nm": 0.1 * zone_length(case.elastic, found.work, found.peak),
        "held out, J/m²": off["energy"] / J_PER_M2,
        "held out, % of peak": 100.0 * off["traction"],
        "openings": table.energy.size,
        "derive, s": seconds,
        "evaluate, µs": (process_time() - began) * 100.0,
    }


def laws(case: Case) -> Iterator[tuple[str, CohesiveLaw]]:
    """Every law of the table, as it is, and two as they act between elastic bodies."""
    table, bodies = case.table
    for name, kind in sorted(LAWS.items()):
        made: Any = kind
        yield name, made.fit(table)
    derived = Derived(table)
    yield "derive, subtracted", Subtracted(derived, layer_compliance(case.elastic, bodies.gap))
    many = renormalised(derived, 50)
    yield "derive, 50 planes", Subtracted(many, layer_compliance(case.elastic, 50 * bodies.gap))


def law_rows(case: Case) -> Iterator[dict[str, Any]]:
    """B2."""
    table, _ = case.table
    for name, law in laws(case):
        row: dict[str, Any] = {"potential": case.name, "plane": case.plane, "law": name, **checks(law)}
        if "," in name:
            rest = np.zeros((1, 3))
            inner = law.law  # type: ignore[attr-defined]
            row["stiffness left"] = float(law(rest).stiffness[0, 0, 0] / inner(rest).stiffness[0, 0, 0])
            row["fit opening, %"] = row["fit sliding, %"] = float("nan")
        else:
            error = fit_errors(law, table)
            row["stiffness left"] = float("nan")
            row["fit opening, %"], row["fit sliding, %"] = 100 * error["opening"], 100 * error["sliding"]
        yield row


def series_rows() -> list[dict[str, Any]]:
    """B3."""
    unit = Uber(work=1.0, length=1.0)
    return [
        {"N": n, "peak/√(2/N)": in_series(unit, n).peak / np.sqrt(2.0 / n), "published": p}
        for n, p in SERIES.items()
    ]


def beside() -> list[dict[str, Any]]:
    names = ("potential", "plane", "2γ, J/m²", "peak, GPa", "at, Å")
    return [dict(zip(names, (*key, *value))) for key, value in PUBLISHED.items()]


def markdown(rows: list[dict[str, Any]]) -> str:
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(_shown(v) for v in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.3g}"
    return str(value)


def picture(chosen: list[Case]) -> Figure:
    """Traction of opening: the law, its fits, and what is left between elastic bodies."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, case in zip(figure.subplots(1, 2), [c for c in chosen if c.plane == "(111)"]):
        table = case.table[0]
        x = np.linspace(0.0, 1.25 * table.openings[-1], 400)
        δ = np.column_stack([x, 0 * x, 0 * x])
        for name, law in laws(case):
            if "50" not in name:
                style = "--" if "," in name else "-"
                width = 2.4 if name == "derive" else 1.3
                axis.plot(x, law(δ).traction[:, 0] / GPa, style, lw=width, label=name)
        axis.plot(
            *(v / s for v, s in zip(table.tension(), (1.0, GPa))),
            ".",
            color="#22272e",
            ms=4,
            label="potential",
        )
        axis.set(
            xlim=(0.0, x[-1]), xlabel="opening, Å", ylabel="normal traction, GPa", title=f"{case.name} (111)"
        )
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    chosen = list(cases(quick))
    found = {
        "B1 strength": [strength(case) for case in chosen],
        "B1 published": beside(),
        "B2 laws": [row for case in chosen for row in law_rows(case)],
        "B3 series": series_rows(),
    }
    text = "\n\n".join(f"## {key}\n\n{markdown(rows)}" for key, rows in found.items())
    print(text)
    if quick:
        return
    RESULTS.mkdir(exist_ok=True)
    plain = json.dumps(found, indent=1, ensure_ascii=False).replace("NaN", "null")
    (RESULTS / "cohesive.json").write_text(plain + "\n")
    (RESULTS / "cohesive.md").write_text(f"# Cohesive laws\n\n{NOTE}\n\n{text}\n")
    picture(chosen).savefig(RESULTS / "cohesive.png", dpi=100)


NOTE = """Rigid half crystals of silicon. `held out`: root-mean-square errors of the law at openings and slidings
that the potential was not asked at. Checks: `area` is ∫T dδ/2γ − 1, `loop` ∮T·dδ/2γ, `rest` what is left at δ = 0,
`tangent` its error against differences. `fit`: root-mean-square error of the traction in % of the peak, of pure
opening, and with sliding; above 3 % for opening a fit warns. `stiffness left`: of the closed surface, over that of the
lattice, once the compliance of the layer (50 layers) is subtracted."""

if __name__ == "__main__":
    main()
