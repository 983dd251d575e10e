"""Rigid indenters on crystals, atoms under the indenter and elements elsewhere, beside full atomistics, Hertz and
the theory of adhesion.

    python benchmarks/contact.py [--quick] [--only line sphere adhesion]

line: a cylinder on Lennard-Jones fcc and on Stillinger–Weber silicon, coupled and fully atomistic in the same block:
force–depth, contact width against Hertz with the anisotropic modulus, stress below three blend widths, balance of
forces. sphere: force–depth on Lennard-Jones fcc against Hertz. adhesion: pull-off of an adhesive sphere over πwR at
several Tabor numbers, beside the transition from DMT (2) to JKR (1.5) as fitted to Maugis's solution by R. W. Carpick,
D. F. Ogletree, M. Salmeron (J. Colloid Interface Sci. 211, 395, 1999, doi:10.1006/jcis.1998.6027). Writes
benchmarks/results/contact.*; --quick takes the first part with one material and writes nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import process_time
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from mpi4py import MPI
from scipy.interpolate import LinearNDInterpolator

from multiscale.build import Simulation, build, make_material
from multiscale.config import parse_case
from multiscale.contact import contact_row, indenter_of, modulus, shown_force
from multiscale.hertz import hertz_curve, hertz_radius
from multiscale.stepping import Stepper
from nnp.indentation import tabor

RESULTS = Path(__file__).parent / "results" / "contact"
LENNARD_JONES = """crystal: {structure: fcc, symbol: Ar}
potential: {type: lennard-jones, parameters: {epsilon: %g, sigma: 2.4, cutoff: %g}}"""
SILICON = """crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}"""
CASE = """
%(material)s
geometry: {shape: block, size: %(size)s}
regions: {core: {shape: box, size: %(core)s}, blend: %(blend)g}
continuum: {law: %(law)s, degree: %(degree)d, mesh: {growth: %(growth)g}}
coupling: {scheme: %(scheme)s}
load:
  type: indent
  shape: %(shape)s
  radius: %(radius)g
  depth: %(depth)s
  contact: %(contact)s
solver: {force_tolerance: %(tolerance)g}
"""
DEFAULTS = {"law": "elastic-series", "degree": 2, "growth": 1.15, "scheme": "bgfc", "tolerance": 1e-5}
STIFF = "{law: repulsive, stiffness: 1000}"
LINES = {
    "Lennard-Jones": {
        "material": LENNARD_JONES % (0.1, 5.0), "size": (300.0, 150.0), "core": [50.0, 40.0], "blend": 10.0,
        "radius": 300.0, "depth": "{from: 0.2, to: 1.0, steps: 5}",
    },
    "silicon": {
        "material": SILICON, "size": (300.0, 150.0), "core": [50.0, 40.0], "blend": 10.0,
        "radius": 300.0, "depth": "{from: 0.2, to: 1.0, steps: 5}",
    },
}  # fmt: skip
SPHERE = {  # so flat that the pressure stays below a hundredth of M, else the crystal is stiffer than its moduli say
    "material": LENNARD_JONES % (0.1, 4.5), "size": [4000, 2000, 4000], "core": [26, 18, 26], "blend": 9,
    "law": "linear", "degree": 1, "growth": 1.25, "shape": "sphere", "radius": 2000, "tolerance": 2e-5,
    "contact": "{law: repulsive, stiffness: 100000}", "depth": "{from: 0.03, to: 0.09, steps: 3}",
}  # fmt: skip
ADHESIVE = SPHERE | {"size": [400, 200, 400], "core": [20, 14, 20], "growth": 1.5}
ADHESIONS = {  # epsilon of Lennard-Jones, eV; radius, Å; work, J/m²; depths
    "stiff": (0.1, 100, 0.1, "{from: -0.4, to: 0.2, steps: 7}"),
    "between": (0.0104, 200, 0.1, "{from: -1.5, to: 0.5, steps: 11}"),
    "soft": (0.0104, 300, 0.25, "{from: -3, to: 0, steps: 7, return: true, return_to: -5}"),
}


def settled(text: str) -> Simulation:
    return build(parse_case(text), MPI.COMM_WORLD)


def marched(sim: Simulation) -> tuple[Stepper, list[dict[str, Any]]]:
    """All steps: depth, Å, and what `contact_row` finds."""
    stepper, rows, began = Stepper.start(sim), [], process_time()
    while (step := stepper.step()) is not None:
        row = {"depth, Å": step.value, "turned": step.turned, "converged": step.solution.converged}
        rows.append(row | contact_row(sim, stepper.q) | {"evaluations": step.solution.evaluations})
        print("   ", {k: f"{v:.5g}" for k, v in rows[-1].items()}, flush=True)
    rows[-1]["CPU seconds"] = round(process_time() - began, 1)
    return stepper, rows


def fitted(material: str, size: tuple[float, float]) -> list[float]:
    """Width and depth of a block that end on planes of atoms, so that the atomistic run is held where the mesh is."""
    crystal = make_material(parse_case(CASE % (DEFAULTS | LINES["Lennard-Jones"] | {
        "material": material, "size": list(size), "shape": "cylinder", "contact": STIFF}))).crystal  # fmt: skip
    out = []
    for axis, length in ((0, 0.5 * size[0]), (1, size[1])):
        planes = np.concatenate(
            [crystal.planes(axis) + k * crystal.period(np.eye(3)[axis]) for k in range(-90, 90)]
        )
        out.append(float(abs(planes[np.argmin(np.abs(planes + length))])) - 1e-4)
    return [2.0 * out[0], out[1]]


def line(name: str) -> dict[str, Any]:
    """A cylinder, coupled and atomistic."""
    given = DEFAULTS | LINES[name] | {"shape": "cylinder", "contact": STIFF}
    given["size"] = fitted(given["material"], LINES[name]["size"])
    text = CASE % given
    print(f"line, {name}", flush=True)
    coupled, atomistic = settled(text), settled(CASE % (given | {"scheme": "atomistic"}))
    stepper, rows = marched(coupled)
    reference, full = marched(atomistic)
    for row, other in zip(rows, full):
        row["atomistic force"] = other["force"]
        row["force error"] = row["force"] / other["force"] - 1.0
        row["Hertz contact_radius"] = float(
            hertz_radius(coupled.case, np.array(row["force"]), modulus(coupled))
        )
    return {
        "modulus, GPa": modulus(coupled) * 160.21766,
        "evaluated sites": int((coupled.model.atoms.weights != 0).sum()),
        "atoms of the reference": len(atomistic.model.atoms),
        "steps": rows,
        "stress error below three blend widths": stress_error(coupled, stepper, atomistic, reference),
    }


def stress_error(
    sim: Simulation, stepper: Stepper, other: Simulation, reference: Stepper
) -> dict[str, float]:
    """Largest and root mean square difference over the largest stress, of the cells deeper than three blend widths:
    against the atoms' displacements taken over at the nodes."""
    model, bulk, u = sim.model, sim.model.bulk, other.model.displacements(reference.q)
    assert bulk is not None and sim.case.regions is not None
    sites, sublattice = other.model.atoms.sites[:, :2], other.model.atoms.sublattice
    both = [LinearNDInterpolator(sites[sublattice == p], u[sublattice == p]) for p in np.unique(sublattice)]
    moved = np.mean([field(model.nodes[:, :2]) for field in both], axis=0)  # internal shifts cancel
    known = np.isfinite(moved).all(axis=1)
    own = stepper.q.array_r[model.layout.mesh]
    taken = np.where(known[:, None], moved, own.reshape(-1, 3)).ravel()
    corners = bulk.cell_geometry()
    deep = corners[:, :, 1].max(axis=1) < -3.0 * sim.case.regions.blend
    margin = (
        2.0 * sim.material.crystal.a
    )  # to the sides, where atoms have no neighbours to interpolate between
    half, bottom = 0.5 * sim.case.geometry.extent[0], sim.case.geometry.extent[1]
    deep &= (np.abs(corners[:, :, 0]).max(axis=1) < half - margin) & (
        corners[:, :, 1].min(axis=1) > margin - bottom
    )
    a, b = (bulk.cell_fields(v)["stress"][deep] for v in (own, taken))
    size = np.abs(b).max()
    weight = bulk.volumes[deep] / bulk.volumes[deep].sum()
    mean = np.sqrt(weight @ ((a - b) ** 2).mean(axis=(1, 2)))
    return {"max": float(np.abs(a - b).max() / size), "rms": float(mean / size), "cells": int(deep.sum())}


def sphere() -> dict[str, Any]:
    """A sphere against Hertz."""
    print("sphere", flush=True)
    sim = settled(CASE % (DEFAULTS | SPHERE))
    _, rows = marched(sim)
    hertz = hertz_curve(sim.case, np.array([row["depth, Å"] for row in rows]) / 10.0, modulus(sim))
    for row, force in zip(rows, hertz if hertz is not None else []):
        row["Hertz force"], row["force over Hertz"] = float(force), row["force"] / float(force)
        row["Hertz contact_radius"] = float(hertz_radius(sim.case, np.array(row["force"]), modulus(sim)))
    return {"modulus, GPa": modulus(sim) * 160.21766, "unknowns": sim.model.layout.n_global, "steps": rows}


def adhesion(name: str) -> dict[str, Any]:
    """Pull-off of an adhesive sphere."""
    print(f"adhesion, {name}", flush=True)
    epsilon, radius, work, depths = ADHESIONS[name]
    given = (
        DEFAULTS | ADHESIVE | {"material": LENNARD_JONES % (epsilon, 4.5), "radius": radius, "depth": depths}
    )
    sim = settled(
        CASE % (given | {"contact": f"{{law: adhesive, work: {work} J/m^2, range: 3}}", "tolerance": 2e-5})
    )
    _, rows = marched(sim)
    pull = max(-row["force"] for row in rows)
    contact: Any = sim.case.load
    rest = radius + contact.contact.distance  # the sphere on which the atoms rest
    mu = tabor(rest, contact.contact.work, contact.contact.distance, modulus(sim))
    return {
        "Tabor": mu,
        "pull-off over πwR": pull / float(shown_force(sim, np.pi * contact.contact.work * rest)),
        "Maugis": maugis(mu),
        "sites": len(indenter_of(sim).reference),  # type: ignore[union-attr]
        "steps": rows,
    }


def maugis(mu: float) -> float:
    """Pull-off over πwR with λ = 1.157 μ, fitted by Carpick and others."""
    t = 4.04 * (1.157 * mu) ** 1.4
    return 1.75 - 0.25 * (t - 1.0) / (t + 1.0)


def table(results: dict[str, Any]) -> str:
    lines = [
        "# Contact",
        "",
        "`python benchmarks/contact.py`; what each column is: see the head of that file.",
        "",
    ]
    for name, found in results.get("line", {}).items():
        error = found["stress error below three blend widths"]
        lines += [
            f"## Cylinder, {name}", "",
            f"M = {found['modulus, GPa']:.1f} GPa; {found['evaluated sites']} site energies against "
            f"{found['atoms of the reference']} atoms; stress deeper than three blend widths differs by "
            f"{100 * error['max']:.2f} % (rms {100 * error['rms']:.2f} %) of its largest value.", "",
            "| depth, Å | force, N/m | atomistic | error, % | contact half width, nm | Hertz | imbalance of forces |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]  # fmt: skip
        lines += [
            f"| {r['depth, Å']:.2f} | {r['force']:.4f} | {r['atomistic force']:.4f} | {100 * r['force error']:.2f} | "
            f"{r['contact_radius']:.3f} | {r['Hertz contact_radius']:.3f} | {r['force_balance']:.0e} |"
            for r in found["steps"]
        ]
        lines.append("")
    if "sphere" in results:
        lines += ["## Sphere, Lennard-Jones", "", f"M = {results['sphere']['modulus, GPa']:.1f} GPa, R = 200 nm", "",
                  "| depth, Å | force, nN | over Hertz | contact radius, nm | Hertz | imbalance | converged |",
                  "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
        lines += [
            f"| {r['depth, Å']:.2f} | {r['force']:.3f} | {r['force over Hertz']:.4f} | {r['contact_radius']:.3f} | "
            f"{r['Hertz contact_radius']:.3f} | {r['force_balance']:.0e} | {'yes' if r['converged'] else 'no'} |"
            for r in results["sphere"]["steps"]
        ]
        lines.append("")
    if "adhesion" in results:
        lines += [
            "## Pull-off of a sphere",
            "",
            "| Tabor number | pull-off / πwR | Maugis, fitted |",
            "| --- | --- | --- |",
        ]
        lines += [
            f"| {r['Tabor']:.3f} | {r['pull-off over πwR']:.3f} | {r['Maugis']:.3f} |"
            for r in results["adhesion"].values()
        ]
        lines.append("")
    return "\n".join(lines)


def draw(results: dict[str, Any], path: Path) -> None:
    with matplotlib.rc_context({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(12.0, 3.9), layout="constrained")
        axes = figure.subplots(1, 3)
        for name, found in results.get("line", {}).items():
            depth, force, full = (
                np.array([r[k] for r in found["steps"]]) for k in ("depth, Å", "force", "atomistic force")
            )
            dots = axes[0].plot(depth, full, "o", markerfacecolor="none", label=f"{name}, atomistic")
            axes[0].plot(depth, force, color=dots[0].get_color(), label=f"{name}, coupled")
        axes[0].set(xlabel="depth, Å", ylabel="force, N/m", title="Cylinder")
        if "sphere" in results:
            depth, force, hertz = (
                np.array([r[k] for r in results["sphere"]["steps"]])
                for k in ("depth, Å", "force", "Hertz force")
            )
            axes[1].plot(depth, force, "o", label="coupled")
            axes[1].plot(depth, hertz, "--", color="#8b949e", label="Hertz, anisotropic")
        axes[1].set(xlabel="depth, Å", ylabel="force, nN", title="Sphere, Lennard-Jones")
        mu = np.logspace(-2, 1, 100)
        axes[2].plot(mu, maugis(mu), "--", color="#8b949e", label="Maugis, fitted")
        found = results.get("adhesion", {}).values()
        axes[2].plot(
            [r["Tabor"] for r in found], [r["pull-off over πwR"] for r in found], "o", label="coupled"
        )
        axes[2].set(
            xlabel="Tabor number",
            ylabel="pull-off / πwR",
            xscale="log",
            title="Adhesive sphere",
            ylim=(1.4, 2.1),
        )
        for ax in axes:
            if ax.get_legend_handles_labels()[0]:
                ax.legend(frameon=False)
        figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--only", nargs="+", default=["line", "sphere", "adhesion"], choices=("line", "sphere", "adhesion")
    )
    options = parser.parse_args()
    if options.quick:
        print(table({"line": {"Lennard-Jones": line("Lennard-Jones")}}))
        return
    kept = RESULTS.with_suffix(".json")
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    runs = {"line": lambda: {name: line(name) for name in LINES}, "sphere": sphere,
            "adhesion": lambda: {name: adhesion(name) for name in ADHESIONS}}  # fmt: skip
    for part in options.only:
        results[part] = runs[part]()
        kept.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(text := table(results))
    RESULTS.with_suffix(".md").write_text(text)
    draw(results, RESULTS.with_suffix(".png"))


if __name__ == "__main__":
    main()
