"""A crack that passes from its atoms into the mesh: the energy release rate that it needs along its way.

    python benchmarks/crack_passage.py [--quick]

Lennard-Jones fcc cleaves on (001) with hardly any lattice trapping, so that a crack under a K field held on the rim
follows the load. At every load step the energy release rate G (an integral over a ring of the mesh) is what the crack
needs where it then ends, to within a step; 2γ is the reference.

Writes benchmarks/results/crack_passage.json and .md. --quick: three loads, nothing written.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from mpi4py import MPI

from multiscale.build import build
from multiscale.config import parse_case
from multiscale.energy_release import energy_release, ring_of
from multiscale.stepping import Stepper

RESULTS = Path(__file__).parent / "results"
CORE, BLEND = 15.0, 10.0
CASE = """
crystal: {{structure: fcc, symbol: Ar, orientation: {{x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1]}}}}
potential: {{type: lennard-jones, parameters: {{epsilon: 0.1, sigma: 2.4, cutoff: 6.0, symbol: Ar}}}}
geometry: {{shape: disc, radius: 25 nm, crack: {{tip: [-0.5 nm, 0], plane: y}}}}
regions: {{core: {{shape: disc, center: origin, radius: {core} Å}}, blend: {blend} Å}}
continuum: {{mesh: {{interface_h: {h} Å, interface_length: 7 nm}}}}
interface: {{law: derive}}
load: {{type: k-field, mode: I, K: {{from: 1.03, to: 1.27, steps: {steps}, unit: K_G}}}}
"""


def passage(h: float, steps: int) -> list[dict[str, Any]]:
    """One row per load step: K/K_G, tip (Å), where it is, G/2γ."""
    sim = build(parse_case(CASE.format(core=CORE, blend=BLEND, h=h, steps=steps)), MPI.COMM_WORLD)
    stepper, rows = Stepper.start(sim), []
    ring = ring_of(sim.model, sim.case.geometry.middle, sim.case.geometry.outer)
    assert ring is not None
    while (step := stepper.step()) is not None:
        assert step.solution.converged and step.tip is not None
        rate = energy_release(sim.model, stepper.q, ring, sim.interface) / (2.0 * sim.material.surface_energy)
        place = "core" if step.tip < CORE else "blend" if step.tip < CORE + BLEND else "mesh"
        rows.append({"K": step.value / sim.material.griffith, "tip": step.tip, "place": place, "G": rate})
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean, least and largest G/2γ by place."""
    by_place = {place: [r["G"] for r in rows if r["place"] == place] for place in ("core", "blend", "mesh")}
    return {
        place: {"mean": float(np.mean(g)), "least": min(g), "largest": max(g)}
        for place, g in by_place.items()
        if g
    }


def table(found: dict[str, Any]) -> str:
    lines = ["# A crack from its atoms into the mesh", "", __doc__.split("\n\n")[2].strip(), ""]
    lines += ["| elements on the plane, Å | place | mean G/2γ | least | largest |", "|---|---|---|---|---|"]
    for h, rows in found.items():
        for place, g in summary(rows).items():
            lines.append(f"| {h} | {place} | {g['mean']:.4f} | {g['least']:.4f} | {g['largest']:.4f} |")
    lines += ["", "| K/K_G | tip, Å | place | G/2γ |", "|---|---|---|---|"]
    first = next(iter(found.values()))
    lines += [f"| {r['K']:.3f} | {r['tip']:.1f} | {r['place']} | {r['G']:.4f} |" for r in first]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three loads, nothing written")
    quick, began = parser.parse_args().quick, process_time()
    sizes, steps = ((2.0,), 3) if quick else ((2.0,), 15)
    found = {f"{h:g}": passage(h, steps) for h in sizes}
    text = table(found)
    print(text)
    print(f"{process_time() - began:.0f} CPU seconds")
    if not quick:
        (RESULTS / "crack_passage.json").write_text(json.dumps(found, indent=1) + "\n")
        (RESULTS / "crack_passage.md").write_text(text)


if __name__ == "__main__":
    main()
