"""The examples on several ranks: the same energies, forces and files as on one.

    python benchmarks/ranks.py [--quick] [--ranks 2 3 4] [--keep FOLDER]

Each example of examples/fracture and examples/contact, its load cut to the first steps, on one rank and on others.
Energies are compared relative, forces (atom by atom, by site) in eV/Å. Once bonds snap, rounding decides where within
the solver's force tolerance a step ends: the main example is therefore run whole as well, and its numbers are of that
size. Writes benchmarks/results/ranks.json and .md. --quick: one case, two ranks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ase.io import read
from mpi import ROOT, on_ranks

RESULTS = ROOT / "benchmarks" / "results"
FRACTURE, CONTACT = ROOT / "examples" / "fracture", ROOT / "examples" / "contact"
UP = "load.K={from: 1.0, to: 1.1, steps: 2, unit: K_G}"
CASES: dict[str, tuple[Path, tuple[str, ...]]] = {
    "silicon_crack_small": (FRACTURE / "silicon_crack_small.yaml", ()),
    "silicon_crack_small, atomistic": (
        FRACTURE / "silicon_crack_small.yaml",
        ("coupling.scheme=atomistic", "geometry.radius=4 nm"),
    ),
    "silicon_crack": (FRACTURE / "silicon_crack.yaml", ("load.K={from: 1.0, to: 1.1, steps: 5, unit: K_G}",)),
    "silicon_crack, whole": (FRACTURE / "silicon_crack.yaml", ()),
    "silicon_crack_111": (FRACTURE / "silicon_crack_111.yaml", (UP,)),
    "silicon_crack_running": (FRACTURE / "silicon_crack_running.yaml", (UP,)),
    "silicon_cohesive": (FRACTURE / "silicon_cohesive.yaml", ("load.K={from: 0.9, to: 1.0, steps: 2, unit: K_G}",)),
    "silicon_beam": (FRACTURE / "silicon_beam.yaml", ("load.opening={from: 2 nm, to: 2.5 nm, steps: 2}",)),
    "silicon_twin": (FRACTURE / "silicon_twin.yaml", ("load.opening={from: 1 nm, to: 1.5 nm, steps: 2}",)),
    "argon_shear": (FRACTURE / "argon_shear.yaml", ("load.K={from: 0.001, to: 0.002, steps: 3, unit: MPa*sqrt(m)}",)),
    "silicon_cylinder": (CONTACT / "silicon_cylinder.yaml", ("load.depth={from: 0.02 nm, to: 0.06 nm, steps: 3}",)),
    "lj_sphere": (CONTACT / "lj_sphere.yaml", ("load.depth={from: -0.3 nm, to: -0.2 nm, steps: 2}",)),
    "tip_adhesion": (CONTACT / "tip_adhesion.yaml", ("load.path=[[0, 0.2 nm], [0, 0.1 nm]]",)),
    "tip_sliding": (CONTACT / "tip_sliding.yaml", ("load.path=[[0, 0.15 nm], [0, 0], [0.1 nm, 0]]",)),
}  # fmt: skip


def run(case: Path, settings: tuple[str, ...], ranks: int, folder: Path) -> None:
    sets = ["output.every=1", "output.pictures=false", *settings]
    words = [word for setting in sets for word in ("--set", setting)]
    on_ranks(ranks, "-m", "multiscale", "run", case, "-o", folder, *words)


def difference(folder: Path, other: Path) -> dict[str, Any]:
    """Largest of all steps: relative of the energy, eV/Å of a force, Å of a position; and names of files that only one
    has, pieces aside."""
    a, b = (json.loads((x / "result.json").read_text())["steps"] for x in (folder, other))
    assert len(a) == len(b)
    energies = [
        abs(s["energy"]["total"] - t["energy"]["total"]) / abs(s["energy"]["total"]) for s, t in zip(a, b)
    ]
    force = position = 0.0
    if (folder / "atoms.extxyz").exists():
        for x, y in zip(*(read(f / "atoms.extxyz", ":") for f in (folder, other))):
            i, j = (np.lexsort(np.round(s.positions - s.arrays["displacement"], 3).T) for s in (x, y))
            force = max(force, float(np.abs(x.arrays["force"][i] - y.arrays["force"][j]).max()))
            position = max(position, float(np.abs(x.positions[i] - y.positions[j]).max()))
    names = [{p.name for p in f.iterdir() if not p.name.startswith("log")} for f in (folder, other)]
    return {
        "steps": len(a),
        "energy": max(energies),
        "force": force,
        "position": position,
        "files": sorted(names[0] ^ names[1]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one case on two ranks; files named ranks_quick")
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--keep", type=Path, help="folder for the runs")
    args = parser.parse_args()
    names, ranks = (["silicon_crack_small"], [2]) if args.quick else (list(CASES), args.ranks)
    found = []
    with TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        for name in names:
            for n in [1, *ranks]:
                out = folder / f"{name.replace(', ', '_')}_{n}"
                if not (out / "result.json").exists():
                    run(*CASES[name], n, out)
                if n > 1:
                    one = folder / f"{name.replace(', ', '_')}_1"
                    found.append({"case": name, "ranks": n, **difference(one, out)})
                    print(found[-1], flush=True)
    stem = "ranks_quick" if args.quick else "ranks"
    (RESULTS / f"{stem}.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / f"{stem}.md").write_text(table(found))


def table(found: list[dict[str, Any]]) -> str:
    lines = [
        "# Examples on several ranks, against one",
        "",
        "| example | ranks | steps | energy, relative | force eV/Å | position Å | other files |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in found:
        lines.append(
            f"| {r['case']} | {r['ranks']} | {r['steps']} | {r['energy']:.1e} | {r['force']:.1e} | "
            f"{r['position']:.1e} | {', '.join(r['files']) or 'none'} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
