"""Lattice trapping of the (111)[1-10] crack in silicon: the folds of its path of equilibria, by continuation.

    python benchmarks/silicon_k_limits.py [--quick] [--potential si]

Stillinger–Weber beside published values: the largest and the smallest K at which the sharp crack stays put, and the
Griffith values of three cracks. Writes benchmarks/results/silicon_k_limits.json; --quick takes the smallest core and
writes nothing. With --potential the limits of a neural potential instead, printed only.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import process_time
from typing import Any

from mpi4py import MPI

from multiscale.build import build
from multiscale.config import parse_case
from multiscale.following import Follower
from multiscale.material import Material
from multiscale.recording import shown
from nnp.crystal import make_crystal
from nnp.homogeneous import lattice_constant
from nnp.registry import make_potential

RESULTS = Path(__file__).parent / "results" / "silicon_k_limits.json"
CASE = """
crystal: {{structure: diamond, symbol: Si, orientation: {{x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}}}
potential: {potential}
geometry: {{shape: disc, radius: 100 nm, crack: {{tip: [0.1 nm, 0 nm], plane: y}}}}
regions: {{core: {{shape: disc, center: tip, radius: {core} nm}}, blend: {blend} nm}}
continuum: {{law: elastic-series, mesh: {{growth: 1.2}}}}
load: {{type: k-field, K: {{from: {first}, to: {last}, steps: {steps}, unit: K_G}}}}
solver: {{path: arc-length}}
"""
WAYS = {"K_plus": (1.20, 1.60, 21), "K_minus": (0.66, 0.40, 14)}
"""From which load to which, K_G, and in how many steps: the path starts from the first two."""

PUBLISHED = {"K_plus": "1.36 ± 0.01 (atomistic discs), 1.371 (continuation)", "K_minus": "0.555 to 0.565"}
SYSTEMS = {  # x, y, z; published K_G, MPa√m
    "(111)[1-10]": (((1, 1, -2), (1, 1, 1), (1, -1, 0)), 0.615),
    "(110)[1-10]": (((0, 0, 1), (1, 1, 0), (-1, 1, 0)), 0.688),
    "(110)[001]": (((1, -1, 0), (1, 1, 0), (0, 0, 1)), 0.651),
}


def limits(potential: str, core: float, blend: float) -> dict[str, Any]:
    """Both folds for a core and a blend zone, nm."""
    row: dict[str, Any] = {"core, nm": core, "blend, nm": blend}
    for name, (first, last, steps) in WAYS.items():
        began = process_time()
        text = CASE.format(potential=potential, core=core, blend=blend, first=first, last=last, steps=steps)
        simulation = build(parse_case(text), MPI.COMM_SELF)
        row["free atoms"] = int(simulation.model.atoms.free.sum())
        row["evaluated sites"] = int((simulation.model.atoms.weights != 0.0).sum())
        follower, fold, points = Follower.start(simulation), None, 0
        while fold is None and (step := follower.step()) is not None:
            fold, points = step.fold, points + 1
        row[name] = None if fold is None else fold / simulation.material.griffith
        row[f"{name}, points"] = points
        row[f"{name}, CPU seconds"] = round(process_time() - began, 1)
    return row


def griffith_values() -> list[dict[str, Any]]:
    """K_G of three cracks from elastic constants and relaxed surfaces, MPa√m."""
    potential = make_potential("stillinger-weber")
    a = lattice_constant(potential, "diamond", "Si")
    rows = []
    for name, ((x, y, z), published) in SYSTEMS.items():
        crystal = make_crystal("diamond", "Si", a, {"x": x, "y": y, "z": z}).cleavage_centred()
        value = shown(Material(potential, crystal).griffith, "stress intensity")
        rows.append({"crack": name, "K_G": value, "published": published})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--potential", metavar="MODEL", help="a neural potential, by name or path")
    options = parser.parse_args()
    potential = (
        f"{{type: nnp, model: {options.potential}}}" if options.potential else "{type: stillinger-weber}"
    )
    sizes = [(1.4, 0.8)] if options.quick else [(1.8, 1.0), (2.2, 1.0), (2.5, 1.0), (3.0, 1.0)]
    rows = [limits(potential, *size) for size in sizes]
    _print(rows)
    if options.potential or options.quick:
        return
    griffith = griffith_values()
    _print(griffith)
    results = {"limits, K_G": rows, "published": PUBLISHED, "Griffith, MPa√m": griffith}
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def _print(rows: list[dict[str, Any]]) -> None:
    print("".join(f"{name:>22s}" for name in rows[0]))
    for row in rows:
        print("".join(f"{v:22.4f}" if isinstance(v, float) else f"{v!s:>22s}" for v in row.values()))


if __name__ == "__main__":
    main()
