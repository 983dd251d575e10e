"""The coupling in silicon, in numbers: patch test, exact gradient, conservation, and a crack against full atomistics.

    python benchmarks/silicon_checks.py [--quick]

Prints tables and writes benchmarks/results/silicon_checks.json. --quick leaves out the neural potential's crack and
writes to silicon_checks_quick.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from scipy.spatial import cKDTree

from coupling.schemes import SCHEMES, Reference
from multiscale.build import build
from multiscale.config import load_case, parse_case
from multiscale.stepping import Stepper

ROOT = Path(__file__).parent.parent
POTENTIALS = {"stillinger-weber": "{type: stillinger-weber}", "nnp": "{type: nnp, model: si}"}
CRYSTAL = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
geometry: {shape: disc, radius: 6 nm}
regions: {core: {shape: disc, center: origin, radius: 1 nm}, blend: 1 nm}
continuum: {law: cauchy-born}
load: {type: strain, gradient: [[0.01, 0.02, 0], [0, -0.005, 0], [0.004, 0.003, 0]]}
"""


def patch_test(potential: str) -> dict[str, float]:
    """Largest forces, eV/Å: bqce at rest, bgfc at rest and at 1, 2 and 4 % shear; relative error of the gradient by
    finite differences in a rough state; sum of all forces there relative to their sizes."""
    sim = build(parse_case(CRYSTAL + f"potential: {POTENTIALS[potential]}\n"), MPI.COMM_SELF)
    model = sim.model
    found: dict[str, float] = {}
    for name in ("bqce", "bgfc"):
        scheme = SCHEMES[name](model, Reference())
        for shear in (0.0, 0.01, 0.02, 0.04):
            g = model.vector()
            scheme.energy_gradient(model.unknowns(lambda x: x[:, [1, 0, 2]] * [shear, 0.0, 0.0]), g)  # noqa: B023
            found[f"{name} force at shear {shear:g}"] = model.block_norm(g)
    found.update(_gradient(model, SCHEMES["bgfc"](model, Reference())))
    return found


def _gradient(model: Any, scheme: Any) -> dict[str, float]:
    rng = np.random.default_rng(0)
    q, v, g = model.vector(), model.vector(), model.vector()
    q.array[:], v.array[:] = 0.03 * rng.normal(size=(2, q.getLocalSize())) * [[1.0], [30.0]]
    scheme.energy_gradient(q, g)
    h, energies = 1e-4, []
    for s in (-2, -1, 1, 2):
        moved = q.copy()
        moved.axpy(s * h, v)
        energies.append(scheme.energy_gradient(moved, model.vector()).total)
    numeric = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * h)
    forces = g.array.reshape(-1, 3)
    return {
        "gradient, relative error": abs(numeric / g.dot(v) - 1.0),
        "sum of forces, relative": float(np.abs(forces.sum(axis=0)).max() / np.abs(forces).sum()),
    }


def crack(potential: str) -> dict[str, float]:
    """The small example, coupled and fully atomistic: errors within 1 nm of the tip and costs, at the last load."""
    changes = [f"potential={POTENTIALS[potential]}"]
    file = ROOT / "examples" / "fracture" / "silicon_crack_small.yaml"
    runs = {}
    for scheme in ("bgfc", "atomistic"):
        sim = build(load_case(file, [*changes, f"coupling.scheme={scheme}"]), MPI.COMM_SELF)
        stepper, steps = Stepper.start(sim), []
        sim.model.clock.seconds.clear()  # of building it
        while (step := stepper.step()) is not None:
            steps.append(step)
        runs[scheme] = (sim, sim.model.positions(stepper.q), steps)
    (a, ya, sa), (b, yb, sb) = runs["bgfc"], runs["atomistic"]
    _, match = cKDTree(b.model.atoms.reference).query(a.model.atoms.reference)
    reference = b.model.atoms.reference[match]
    error = np.linalg.norm(ya - a.model.atoms.reference - (yb[match] - reference), axis=1)
    near = np.linalg.norm(reference[:, :2] - a.material.tip, axis=1) < 10.0
    largest = np.linalg.norm(yb[match] - reference, axis=1).max()
    return {
        "K / K_G": sa[-1].value / a.material.griffith,
        "largest error within 1 nm of the tip, Å": error[near].max(),
        "relative to the largest displacement": error[near].max() / largest,
        "largest error of any atom, Å": error.max(),
        "sites per evaluation, coupled": int((a.model.atoms.weights > 0).sum()),
        "sites per evaluation, atomistic": int((b.model.atoms.weights > 0).sum()),
        "site energies, atomistic / coupled": sum(s.sites for s in sb) / sum(s.sites for s in sa),
        "seconds, coupled": sum(s.seconds for s in sa),
        "seconds, atomistic": sum(s.seconds for s in sb),
        "share of the potential, coupled": a.model.clock.seconds["potential"] / sum(s.seconds for s in sa),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    results: dict[str, Any] = {"patch": {p: patch_test(p) for p in POTENTIALS}}
    results["crack"] = {p: crack(p) for p in (["stillinger-weber"] if quick else POTENTIALS)}
    for title, table in results.items():
        print(f"\n{title:44s}" + "".join(f"{p:>20s}" for p in table))
        for row in next(iter(table.values())):
            print(f"{row:44s}" + "".join(f"{table[p][row]:20.4g}" for p in table))
    name = "silicon_checks_quick.json" if quick else "silicon_checks.json"
    path = ROOT / "benchmarks" / "results" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
