"""Laws of the continuum against the crystal that they stand for: errors up to 8 % strain, energy kept in a cycle, time.

    python benchmarks/laws.py [--quick]

Prints tables and writes benchmarks/results/laws.json. --quick: Stillinger–Weber alone, fewer strains,
to laws_quick.json.

Errors are root mean squares relative to Cauchy–Born's, over random strains whose largest principal value is up to 8 %,
none of which a law was fitted to; times are CPU seconds per quadrature point on one core, in batches of 4000.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from multiscale.continuum.laws import Law, make_law
from multiscale.continuum.laws.samples import cauchy_born_samples
from multiscale.continuum.laws.strain import stretch
from nnp.committee import driving
from nnp.crystal import make_crystal
from nnp.homogeneous import lattice_constant
from nnp.registry import make_potential

RESULTS = Path(__file__).parent / "results"
POTENTIALS = {"stillinger-weber": {"type": "stillinger-weber"}, "nnp si": {"type": "nnp", "model": "si"}}
LAWS = ("linear", "elastic-series", "neural", "neo-hookean", "saint-venant-kirchhoff", "cauchy-born")
ORIENTATION = {"x": (1, 1, -2), "y": (1, 1, 1), "z": (1, -1, 0)}
STRAIN = 0.08


def table(potential: dict[str, str], strains: int) -> dict[str, dict[str, float]]:
    """Rows by law."""
    atoms, _ = driving(make_potential(**potential))  # of a committee the member that a run is driven by
    crystal = make_crystal("diamond", "Si", lattice_constant(atoms, "diamond", "Si"), ORIENTATION)
    samples = cauchy_born_samples(atoms, crystal, strains, STRAIN, seed=7)
    F = stretch(samples.strain)
    W, P = make_law("cauchy-born", atoms, crystal).evaluate(F)
    rows = {}
    for name in LAWS:
        began = process_time()
        law = make_law(name, atoms, crystal)
        rows[name] = {"fit, s": process_time() - began, **errors(law, F, W, P), **times(law, strains)}
    return rows


def errors(law: Law, F: np.ndarray, W: np.ndarray, P: np.ndarray) -> dict[str, float]:
    energy, stress = law.evaluate(F)
    scale = np.sqrt((P**2).sum(axis=(1, 2)).mean())
    return {
        "energy, %": 100.0 * float(np.linalg.norm(energy - W) / np.linalg.norm(W)),
        "stress, %": 100.0 * float(np.linalg.norm(stress - P) / np.linalg.norm(P)),
        "stress, largest, %": 100.0 * float(np.sqrt(((stress - P) ** 2).sum(axis=(1, 2))).max() / scale),
        "net work of a cycle": cycle(law),
    }


def cycle(law: Law, points: int = 512) -> float:
    """∮ P : dF around a smooth loop through tension, compression and shear, over the energy stored on its way."""
    t = 2.0 * np.pi * np.arange(points)[:, None, None] / points
    A, B = 0.01 * np.random.default_rng(3).normal(size=(2, 3, 3))
    F = np.eye(3) + np.cos(t) * A + np.sin(t) * B + np.sin(2 * t) * A.T
    rate = np.cos(t) * B - np.sin(t) * A + 2 * np.cos(2 * t) * A.T
    W, P = law.evaluate(F)
    return float(abs(2.0 * np.pi / points * np.sum(P * rate)) / np.ptp(W))


def times(law: Law, strains: int) -> dict[str, float]:
    """The state of a solver: a batch like the last one but for a small step."""
    n = 4000 if strains > 200 else 400
    rng = np.random.default_rng(2)
    F = np.eye(3) + 0.01 * rng.normal(size=(n, 3, 3))
    step = 1e-3 * rng.normal(size=F.shape)
    law.evaluate(F)
    return {
        "W and P, µs": _seconds(lambda: law.evaluate(F + step)) / n * 1e6,
        "tangent, µs": _seconds(lambda: law.tangent(F + step)) / n * 1e6,
    }


def _seconds(call: Callable[[], Any]) -> float:
    began = process_time()
    call()
    return process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    potentials = {"stillinger-weber": POTENTIALS["stillinger-weber"]} if quick else POTENTIALS
    results = {name: table(potential, 100 if quick else 1000) for name, potential in potentials.items()}
    for name, rows in results.items():
        columns = list(next(iter(rows.values())))
        print(f"\n{name:24s}" + "".join(f"{column:>20s}" for column in columns))
        for law, row in rows.items():
            print(f"{law:24s}" + "".join(f"{row[column]:20.3g}" for column in columns))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("laws_quick.json" if quick else "laws.json")
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
