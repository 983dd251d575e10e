"""Cores placed by the error indicator: a micro-crack in the triangular crystal, and a crack that runs in silicon.

    python benchmarks/adaptivity.py [--quick]

1. Case B of blending_2d.py, nine vacancies in a row. A user who does not know where they are puts the core beside
them: error against unknowns with that core enlarged as it is, with core and blend placed by the indicator from the
smallest one on, and with cores that are centred by hand.
2. A crack in silicon that cleaves, which runs out of its first core: adaptive against fixed cores.

Prints tables and writes benchmarks/results/adaptivity.json, .md and .png. --quick takes half a minute, files named
adaptivity_quick.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from triangular import CASES, Case, Layout, Run, couple, quadratic
from triangular_error import Truth

from coupling.indicator import bulk_indicator, strain_gradient
from coupling.regions import Hexagon
from multiscale.cli import main as multiscale
from multiscale.result import read_result

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter

Array = np.ndarray
RESULTS = Path(__file__).parent / "results"
BESIDE = 8.0
"""Spacings by which the first core lies beside the middle of the defect."""

SILICON = """
title: a crack that runs
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber, parameters: {strength: 42}}
geometry: {shape: disc, radius: 20 nm, crack: {tip: [0.1 nm, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 2 nm, adaptive: true}, blend: 1 nm}
load: {type: k-field, K: {from: 1.4, to: 1.8, steps: 17, unit: K_G}, stop: {advance: 6 nm}}
solver: {force_tolerance: 1 meV/Å}
output: {pictures: false, atoms: false, every: 100}
"""


# ---------------------------------------------------------------- case B
def indicated(case: Case, run: Run) -> tuple[Array, Array]:
    """η relative to the far field F0, and where, of cells that carry something and of free atoms: there strain and
    stress are those of the Cauchy–Born law at the deformation of the neighbours."""
    model, bulk = run.model, run.model.bulk
    far = np.eye(3) + case.gradient
    law = bulk.law
    E, S = bulk.cell_response(run.q.array_r[model.layout.mesh].copy())
    carried = bulk.fraction > 0.5
    x = bulk.cell_geometry().mean(axis=1)[carried]
    atoms, F = _deformations(model, run)
    E = np.concatenate([E[carried], 0.5 * (np.swapaxes(F, 1, 2) @ F - np.eye(3))])
    S = np.concatenate([S[carried], np.linalg.solve(F, law.evaluate(F)[1])])
    x = np.concatenate([x, atoms])
    moduli, stress = _tangent(law, far)
    strain = 0.5 * (far.T @ far - np.eye(3))
    gradient = strain_gradient(x, E, np.arange(len(x)))
    return x, bulk_indicator(1.0, gradient, E - strain, S - stress, moduli)


def _deformations(model: Any, run: Run) -> tuple[Array, Array]:
    """Places (n, 2) of free atoms and the deformation gradients (n, 3, 3) that fit their nearest neighbours."""
    reference, y = model.atoms.reference[:, :2], model.positions(run.q)[:, :2]
    at = reference[model.atoms.free]
    apart = reference[None] - at[:, None]
    bonded = (np.abs(np.linalg.norm(apart, axis=2) - 1.0) < 1e-3).astype(float)[..., None]
    moved = y[None] - y[model.atoms.free][:, None]
    slope = np.linalg.pinv(bonded * apart) @ (bonded * moved)
    F = np.tile(np.eye(3), (len(at), 1, 1))
    F[:, :2, :2] = slope.swapaxes(1, 2)
    return at, F


def _tangent(law: Any, far: Array, h: float = 1e-4) -> tuple[Array, Array]:
    """∂S/∂E (3, 3, 3, 3) by central differences, and S, at the far field."""

    def stress(F: Array) -> Array:
        return np.linalg.solve(F, law.evaluate(F[None])[1][0])

    moduli, back = np.zeros((3, 3, 3, 3)), np.linalg.inv(far).T
    for k in range(3):
        for l in range(3):
            unit = np.zeros((3, 3))
            unit[k, l] += 0.5
            unit[l, k] += 0.5
            moduli[:, :, k, l] = (stress(far + h * back @ unit) - stress(far - h * back @ unit)) / (2.0 * h)
    return moduli, stress(far)


def smallest(points: Array) -> tuple[float, int, int]:
    """Centre on the x axis, layers and length of the hexagon with the fewest sites that holds points (n, 2)."""
    best = (np.inf, 0.0, 0.0, 0, 0)
    middle = np.round(0.5 * (points[:, 0].min() + points[:, 0].max()))
    for centre in middle + np.arange(-4, 5):
        for length in range(0, 26, 2):
            layers = 0
            while Hexagon((centre, 0.0), layers + 1e-9, length).distance(points).max() > 0.0:
                layers += 1
            sites = 3 * layers * (layers + 1) + length * (2 * layers + 1)
            best = min(best, (sites, abs(centre - middle), float(centre), layers, length))
    return best[2:]


def placed(case: Case, tolerance: float) -> tuple[Run, Layout, int]:
    """From the core beside the defect to one around all that is above the tolerance; the last run, and how many."""
    layout, number = _layout(BESIDE, 14, 0), 0
    while True:
        run, number = couple(case, "bgfc", layout), number + 1
        x, eta = indicated(case, run)
        centre, layers, length = smallest(x[eta > tolerance])
        now = layout.core + layout.blend
        new = _layout(centre, min(max(layers, 8), now + 6), length)
        here = Hexagon(layout.middle, now + 1e-6, layout.length)
        if new == layout or number == 8 or (here.distance(x[eta > tolerance]).max() <= 0.0 and number > 1):
            return run, layout, number
        layout = new


def _layout(centre: float, layers: int, length: int) -> Layout:
    core = max(layers // 2, 5)
    radius = min((layers + length // 4) ** 3 // 4, 2000)
    return replace(quadratic(core, layers - core), radius=radius, length=length, centre=centre)


def micro_crack(quick: bool) -> list[dict[str, Any]]:
    case = CASES["B"]
    truth = (
        Truth(case, quadratic(10, coarser=1.0), 60, 400) if quick else Truth(case, quadratic(24, coarser=1.0))
    )
    rows = []
    for layers in (16, 20) if quick else (14, 16, 20, 24, 32):
        for name, centre in (("beside", BESIDE), ("centred", 0.0)):
            layout = _layout(centre, layers, 0)
            rows.append(_row(truth, name, couple(case, "bgfc", layout), layout))
    for tolerance in (4e-3, 2e-3) if quick else (8e-3, 4e-3, 2e-3, 1e-3, 5e-4):
        run, layout, number = placed(case, tolerance)
        rows.append(_row(truth, "adaptive", run, layout) | {"tolerance": tolerance, "solved": number})
    return rows


def _row(truth: Truth, name: str, run: Run, layout: Layout) -> dict[str, Any]:
    assert run.solution.converged
    energy = abs(run.energy / truth.coarse.energy - 1.0)
    return {"name": name, "layout": asdict(layout), "dof": run.dof, "strain_error": truth.error(run),
            "energy_error": energy}  # fmt: skip


# ---------------------------------------------------------------- silicon
def running_crack(quick: bool) -> list[dict[str, Any]]:
    """Fixed cores of 2, 4 and 8 nm and an adaptive one of 2 nm, to an advance of 6 nm."""
    rows = []
    runs = {"adaptive 2 nm": []} | {f"fixed {r} nm": [f"regions.core.radius={r} nm"] for r in (2, 4, 8)}
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "crack.yaml"
        case.write_text(SILICON)
        for name, changes in runs.items():
            changes = [*changes, "regions.core.adaptive=false"] if changes else []
            if quick:
                changes += ["geometry.radius=12 nm", "load.stop.advance=3 nm"]
            options = [word for change in changes for word in ("--set", change)]
            out = Path(folder) / name.replace(" ", "_")
            assert multiscale(["run", str(case), "-o", str(out), *options]) == 0
            rows.append(_crack_row(name, read_result(out)))
    return rows


def _crack_row(name: str, result: dict[str, Any]) -> dict[str, Any]:
    steps, found = result["steps"], result["results"]
    return {
        "name": name,
        "K_plus": found["K_plus"] / found["K_G"],
        "loads": [s["K_over_K_G"] for s in steps],
        "tips": [s["crack_tip"] for s in steps],
        "energies": [s["energy"]["total"] for s in steps],
        "placements": 1 + len(result["remeshings"]),
        "atoms": result["counts"]["atoms"],
        "sites": result["counts"]["evaluated_sites"],
        "site_evaluations": sum(s["site_evaluations"] for s in steps),
        "seconds": result["timings"]["solve"],
    }


# ---------------------------------------------------------------- tables and picture
def tables(rows: list[dict[str, Any]], cracks: list[dict[str, Any]]) -> str:
    """Both studies as Markdown."""
    head = "core, tolerance, layers, longer by, centre, unknowns, error of the strain, of the energy"
    lines = _head(head)
    for r in rows:
        y = r["layout"]
        lines.append(
            f"| {r['name']} | {r.get('tolerance', '')} | {y['core']}, {y['blend']} | {y['length']} | {y['centre']:g} | "
            f"{r['dof']} | {r['strain_error']:.5f} | {r['energy_error']:.1e} |"
        )
    head = "core, K₊ / K_G, tip at last (Å), energy gained (eV), placements, site energies per evaluation, in all"
    lines += ["", *_head(head)]
    for r in cracks:
        lines.append(
            f"| {r['name']} | {r['K_plus']:.3f} | {r['tips'][-1]:.1f} | {r['energies'][-1] - r['energies'][0]:.3f} | "
            f"{r['placements']} | {r['sites']} | {r['site_evaluations']} |"
        )
    return "\n".join(lines) + "\n"


def _head(names: str) -> list[str]:
    columns = names.split(", ")
    return ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]


def draw(rows: list[dict[str, Any]], cracks: list[dict[str, Any]], path: Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.5), layout="constrained")
    labels = {"beside": "core beside the defect, enlarged", "adaptive": "placed by the indicator from there",
              "centred": "core centred by hand"}  # fmt: skip
    for (name, label), style in zip(labels.items(), ("o-", "s-", "^:")):
        mine = [r for r in rows if r["name"] == name]
        left.loglog([r["dof"] for r in mine], [r["strain_error"] for r in mine], style, label=label, ms=5)
    left.set(
        xlabel="unknowns", ylabel="relative error of the strain", title="Nine vacancies in a row (case B)"
    )
    for r, style in zip(cracks, ("s-", "o:", "o--", "o-")):
        right.plot(r["loads"], r["tips"], style, label=r["name"], ms=4)
    right.set(xlabel="K / K_G", ylabel="crack tip, Å", title="Crack in silicon, cores of several radii")
    left.xaxis.set_minor_formatter(NullFormatter())
    for axis in (left, right):
        axis.grid(True, which="major", alpha=0.3)
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    rows, cracks = micro_crack(quick), running_crack(quick)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("adaptivity_quick" if quick else "adaptivity")
    path.with_suffix(".json").write_text(json.dumps({"case_B": rows, "silicon": cracks}, indent=1))
    path.with_suffix(".md").write_text(tables(rows, cracks))
    draw(rows, cracks, path.with_suffix(".png"))
    print(tables(rows, cracks))


if __name__ == "__main__":
    main()
