"""Beams that debond: the energy release rate while the crack grows against the work of the law, and the balance of
energies, step by step; one of them with atoms at the tip, which is closed again.

    python benchmarks/debonding.py            # four beams, some minutes
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

COUPLED = """
title: A beam of argon with atoms at its tip, opened and closed again
crystal: {structure: fcc, symbol: Ar, orientation: {x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1]}}
potential: {type: lennard-jones, parameters: {epsilon: 0.0104, sigma: 3.405, cutoff: 8.0}}
geometry: {shape: plate, size: [40 nm, 14 nm], crack: {tip: [-9 nm, 0], plane: y}}
regions: {core: {shape: box, center: tip, size: [4 nm, 3 nm]}, blend: 1.6 nm}
continuum: {law: linear, mesh: {growth: 1.3, interface_h: 0.5 nm, interface_length: 12 nm}}
interface: {law: derive}
load: {type: opening, grips: ends, opening: {from: 0.2 nm, to: 6 nm, steps: 30, return: true, return_to: 3 nm}}
solver: {force_tolerance: 0.01 meV/Å}
output: {pictures: false}
"""


def measured(case: Path) -> dict[str, Any]:
    """A case run from the command line: what is left of its result."""
    with tempfile.TemporaryDirectory() as folder:
        code = multiscale(["run", str(case), "-o", folder, "--force", "--set", "output.pictures=false"])
        result = json.loads((Path(folder) / "result.json").read_text())
    steps = result["steps"]
    tip = np.array([np.nan if s["crack_tip"] is None else s["crack_tip"] for s in steps])
    rate = np.array([s.get("energy_release_rate", np.nan) for s in steps])
    work = np.array([s["external_work"] for s in steps])
    energy = np.array([s["energy"]["total"] for s in steps])
    first = np.nanmin(tip)
    running = (tip > first + GROWN) & np.isfinite(rate)
    two_gamma = result["results"]["work_of_adhesion"]
    return {
        "title": case.stem,
        "code": code,
        "two_gamma": two_gamma,
        "growth": float(np.nanmax(tip) - first),
        "steps_while_growing": int(running.sum()),
        "rate_over_two_gamma": [float(v) for v in rate[running] / two_gamma],
        "largest_imbalance": float(np.abs((energy - energy[0]) - (work - work[0])).max() / work.max()),
        "not_returned": _not_returned(steps),
    }


def _not_returned(steps: list[dict[str, Any]]) -> float | None:
    """Largest difference of the energies at one load on the way up and on the way back, over the largest energy."""
    up = {round(s["load"], 6): s["energy"]["total"] for s in steps if not s["turned"]}
    down = {round(s["load"], 6): s["energy"]["total"] for s in steps if s["turned"]}
    both = up.keys() & down.keys()
    return max(abs(up[k] - down[k]) for k in both) / max(up.values()) if both else None


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [
        "| beam | 2γ, J/m² | growth, nm | G / 2γ while it grows | energy less work, over the work | not given back |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        rates = row["rate_over_two_gamma"]
        span = f"{min(rates):.3f} to {max(rates):.3f}" if rates else "–"
        back = "–" if row["not_returned"] is None else f"{row['not_returned']:.0e}"
        lines.append(
            f"| {row['title']} | {row['two_gamma']:.3f} | {row['growth'] / 10:.2f} | {span} | "
            f"{row['largest_imbalance']:.1e} | {back} |"
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
            coupled = Path(folder) / "argon_beam_with_atoms.yaml"
            coupled.write_text(COUPLED)
            cases += [coupled]
            cases += [ROOT / "examples" / "fracture" / f"silicon_{name}.yaml" for name in ("twin", "beam")]
        rows = [measured(case) for case in cases]
    name = "debonding_quick" if quick else "debonding"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(f"# Beams that debond\n\n{table(rows)}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
