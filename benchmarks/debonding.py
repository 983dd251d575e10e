"""Beams that debond: the energy release rate while the crack grows against the work of the law, and the balance of
energies.

    python benchmarks/debonding.py            # three examples, some minutes
    python benchmarks/debonding.py --quick    # argon only, some seconds
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from multiscale.cli import main as multiscale

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
GROWN = 5.0
"""Å of crack growth after which its zone is taken to be the one that it keeps."""

ARGON = """
title: A beam of argon
crystal: {structure: fcc, symbol: Ar, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: lennard-jones, parameters: {epsilon: 0.0104, sigma: 3.405, cutoff: 8.0}}
geometry: {shape: plate, size: [24 nm, 8 nm], crack: {tip: [-6 nm, 0], plane: y}}
continuum: {law: linear, degree: 2, mesh: {h: 0.5 nm, interface_h: 0.5 nm, interface_length: 7 nm, growth: 1.4}}
coupling: {scheme: continuum}
interface: {law: derive, surfaces: rigid}
load: {type: opening, grips: ends, opening: {from: 0.35 nm, to: 4.2 nm, steps: 23}}
solver: {force_tolerance: 0.003 meV/Å}
output: {pictures: false}
"""


def measured(case: Path) -> dict[str, Any]:
    """A case run from the command line: what is left of its result."""
    with tempfile.TemporaryDirectory() as folder:
        code = multiscale(["run", str(case), "-o", folder, "--force", "--set", "output.pictures=false"])
        result = json.loads((Path(folder) / "result.json").read_text())
    steps = result["steps"]
    tip = np.array([s["crack_tip"] for s in steps])
    rate = np.array([s["energy_release_rate"] for s in steps])
    work = np.array([s["external_work"] for s in steps])
    energy = np.array([s["energy"]["total"] for s in steps])
    running = tip > tip[0] + GROWN
    two_gamma = result["results"]["work_of_adhesion"]
    return {
        "title": case.stem,
        "code": code,
        "two_gamma": two_gamma,
        "growth": float(tip[-1] - tip[0]),
        "steps_while_growing": int(running.sum()),
        "rate_over_two_gamma": [float(v) for v in rate[running] / two_gamma],
        "largest_imbalance": float(np.abs(energy / work - 1.0)[1:].max()),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [
        "| beam | 2γ, J/m² | growth, nm | G / 2γ while it grows | (stored + surface energy) / work of the grips − 1 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        rates = row["rate_over_two_gamma"]
        span = f"{min(rates):.3f} to {max(rates):.3f}" if rates else "does not grow"
        lines.append(
            f"| {row['title']} | {row['two_gamma']:.3f} | {row['growth'] / 10:.2f} | {span} | "
            f"at most {row['largest_imbalance']:.1e} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the small beam of argon only")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        argon = Path(folder) / "argon_beam.yaml"
        argon.write_text(ARGON)
        cases = [argon]
        if not quick:
            cases += [ROOT / "examples" / "fracture" / f"silicon_{name}.yaml" for name in ("twin", "beam")]
        rows = [measured(case) for case in cases]
    name = "debonding_quick" if quick else "debonding"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(f"# Beams that debond\n\n{table(rows)}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
