"""Coupled against fully atomistic: what the same crack costs, at what error, part by part, and how the cost grows.

    python benchmarks/efficiency.py [--quick | --large] [--keep FOLDER]

Runs examples/fracture/silicon_crack_small.yaml with the shipped potential in a disc of 12 nm, fully atomistic and
coupled with cores of several sizes; then the coupled one with larger cores and domains in turn. Writes
benchmarks/results/efficiency.json and .md. --large: a disc of 20 nm as well. --quick takes seconds: Stillinger–Weber,
smaller discs, files named efficiency_quick. Runs that are done are kept in FOLDER, if one is given, and not repeated.

Times are CPU seconds on one core. Solving is all that load steps take; its parts are the potential (with neighbour
lists), the bulk, the transfer between mesh and atoms (with the messages between ranks), the preconditioner, and the
rest, which is the solver itself. The error is the largest |u − u_atomistic| within 1 nm of the tip over the largest
|u_atomistic|, as `multiscale compare` has it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import torch
from mpi4py import MPI

from multiscale.build import build
from multiscale.compare import compare
from multiscale.config import load_case
from multiscale.recording import Recorder
from multiscale.stepping import Stepper

CASE = Path(__file__).parent.parent / "examples" / "fracture" / "silicon_crack_small.yaml"
RESULTS = Path(__file__).parent / "results"
PARTS = ("potential", "bulk", "transfer", "preconditioner")
QUICK = ("potential={type: stillinger-weber}", "load.K={from: 1.0, to: 1.0, steps: 1, unit: K_G}")
LIMIT = 0.01


def run(folder: Path, *settings: str) -> dict[str, Any]:
    """Sizes of a case, its evaluations, and CPU seconds: building, solving and its parts, writing."""
    done = folder / "costs.json"
    if not done.exists():
        done.write_text(json.dumps(costs(folder, *settings)))
    return json.loads(done.read_text())


def costs(folder: Path, *settings: str) -> dict[str, Any]:
    began = process_time()
    case = load_case(CASE, (*settings, "output.pictures=false"))
    simulation = build(case, MPI.COMM_SELF)
    stepper, recorder = (
        Stepper.start(simulation),
        Recorder(simulation, folder),
    )  # which asks for Griffith's load
    clock, built = simulation.model.clock, process_time()
    clock.now = process_time
    clock.seconds.clear()
    solving, steps = 0.0, []
    while True:
        start = process_time()
        step = stepper.step()
        solving += process_time() - start
        if step is None:
            break
        assert step.solution.converged
        steps.append(step)
        recorder.record(stepper, step, stepper.total)
    recorder.finish("done", {})
    parts = {name: clock.seconds.get(name, 0.0) for name in PARTS}
    return {
        **{k: recorder.result.data["counts"][k] for k in ("atoms", "free_atoms", "evaluated_sites", "unknowns")},
        "evaluations": sum(s.solution.evaluations for s in steps),
        "site_evaluations": sum(s.sites for s in steps),
        "building": built - began,
        "solving": solving,
        **parts,
        "rest": solving - sum(parts.values()),
        "writing": process_time() - built - solving,
    }  # fmt: skip


def against_atomistic(
    folder: Path, radius: float, cores: list[tuple[float, float]], settings: tuple[str, ...]
) -> dict[str, Any]:
    """One disc, nm: the atomistic run, and coupled ones with cores and blends, nm."""
    disc, whole = (*settings, f"geometry.radius={radius} nm"), folder / f"atomistic {radius:g}"
    reference, rows = run(whole, *disc, "coupling.scheme=atomistic"), []
    for core, blend in cores:
        out = folder / f"coupled {core:g} {blend:g} {radius:g}"
        row = run(out, *disc, *regions(core, blend))
        error = compare(out, whole)["worst"]["near_tip_relative"]
        rows.append({"core": core, "blend": blend, "error": error, **row})
        _say(rows[-1])
    return {"radius": radius, "atomistic": reference, "coupled": rows}


def growth(
    folder: Path, sizes: list[tuple[float, float, float]], settings: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Coupled runs by radius of the core, width of the blend and radius of the disc, nm."""
    rows = []
    for core, blend, radius in sizes:
        out = folder / f"coupled {core:g} {blend:g} {radius:g}"
        row = run(out, *settings, f"geometry.radius={radius} nm", *regions(core, blend))
        rows.append({"core": core, "blend": blend, "radius": radius, **row})
        _say(rows[-1])
    return rows


def regions(core: float, blend: float) -> tuple[str, str]:
    return f"regions.core.radius={core} nm", f"regions.blend={blend} nm"


def not_the_potential(row: dict[str, Any]) -> float:
    """Time of everything else that solving takes over the potential's."""
    return row["solving"] / row["potential"] - 1.0


def coupling_alone(row: dict[str, Any]) -> float:
    """Time of bulk and transfer over the potential's."""
    return (row["bulk"] + row["transfer"]) / row["potential"]


def _say(row: dict[str, Any]) -> None:
    print("  ".join(f"{k} {v:.4g}" for k, v in row.items()), flush=True)


def tables(discs: list[dict[str, Any]], grown: list[dict[str, Any]]) -> str:
    out = []
    for disc in discs:
        whole = disc["atomistic"]
        out += [f"Disc of {disc['radius']:g} nm", "", *_comparison(whole, disc["coupled"])]
        good = [row for row in disc["coupled"] if row["error"] <= LIMIT]
        if good:
            best = min(good, key=lambda row: row["solving"])
            out += ["", f"With {100 * LIMIT:g} % of error allowed (core {best['core']:g} nm): "
                    f"{whole['site_evaluations'] / best['site_evaluations']:.1f} times fewer site energies, "
                    f"{whole['solving'] / best['solving']:.1f} times less time for solving, "
                    f"{_all(whole) / _all(best):.1f} for everything."]  # fmt: skip
        out.append("")
    return "\n".join([*out, "Growth", "", *_growth(grown), ""])


def _all(row: dict[str, Any]) -> float:
    return row["building"] + row["solving"] + row["writing"]


def _comparison(whole: dict[str, Any], coupled: list[dict[str, Any]]) -> list[str]:
    head = [
        "core + blend, nm",
        "error, %",
        "atoms evaluated",
        "unknowns",
        "site energies",
        "building",
        "solving",
    ]
    head += [*PARTS, "rest", "writing", "bulk + transfer / potential, %", "all / potential − 1, %"]
    rows = [["atomistic", "–", *_numbers(whole)]]
    for row in coupled:
        rows.append([f"{row['core']:g} + {row['blend']:g}", f"{100 * row['error']:.2f}", *_numbers(row)])
    return _table(head, rows)


def _growth(grown: list[dict[str, Any]]) -> list[str]:
    head = ["core + blend, nm", "disc, nm", "atoms", "free", "atoms evaluated", "unknowns", "site energies"]
    head += ["building", "solving", *PARTS, "rest", "writing", "bulk + transfer / potential, %"]
    head += ["all / potential − 1, %"]
    rows = [
        [f"{row['core']:g} + {row['blend']:g}", f"{row['radius']:g}", f"{row['atoms']}", f"{row['free_atoms']}",
         *_numbers(row)] for row in grown
    ]  # fmt: skip
    return _table(head, rows)


def _numbers(row: dict[str, Any]) -> list[str]:
    counts = [str(row[name]) for name in ("evaluated_sites", "unknowns", "site_evaluations")]
    seconds = [f"{row[name]:.2f}" for name in ("building", "solving", *PARTS, "rest", "writing")]
    return [*counts, *seconds, f"{100 * coupling_alone(row):.1f}", f"{100 * not_the_potential(row):.0f}"]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def measure(folder: Path, quick: bool, large: bool) -> dict[str, Any]:
    settings: tuple[str, ...] = ()
    radii, cores = [12.0, 20.0] if large else [12.0], [(1.2, 0.8), (1.6, 0.8), (2.0, 1.0), (2.5, 1.0)]
    sizes = [(1.2, 0.8, 12.0), (2.5, 1.0, 12.0), (2.5, 1.0, 50.0), (2.5, 1.0, 100.0), (5.0, 2.0, 50.0)]
    if quick:
        settings, radii, cores = QUICK, [7.0], [(1.2, 0.8)]
        sizes = [(1.0, 0.8, 10.0), (2.0, 0.8, 10.0), (1.0, 0.8, 20.0)]
    discs = [against_atomistic(folder, radius, cores, settings) for radius in radii]
    return {"discs": discs, "grown": growth(folder, sizes, settings)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true")
    size.add_argument("--large", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        found = measure(options.keep or Path(folder), options.quick, options.large)
    text = tables(**found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("efficiency_quick" if options.quick else "efficiency")
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    path.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
