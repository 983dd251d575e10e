"""Can the potential be believed where it says so: calibration and extrapolation of a small silicon committee.

    python benchmarks/trust.py Si.xyz [--epochs 40] [--output FOLDER] [--crack RESULT.json] [--quick]

Si.xyz: the training frames of Zuo et al., J. Phys. Chem. A 124, 731 (2020), doi:10.1021/acs.jpca.9b08723, as extended
XYZ (examples/training/convert_mlearn.py). A quarter of every configuration type but the slabs is held out; four models
learn from the rest, with the settings of examples/training/silicon.yaml but for the number of epochs (frames that say
themselves to which part they belong, by the key split, are taken at their word). The spread is
calibrated on every second frame held out and judged on the others. The measure of extrapolation is taken of what was
learnt, of what was held out, and of silicon as nobody showed it. --crack: result.json of a run with this committee
(FOLDER/model.safetensors), whose rows join the table.

Writes benchmarks/results/trust.json, .md and .png. A finished training in FOLDER is used again.
--quick: two epochs, in FOLDER/quick, to files named trust_quick.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk

from nnp.calibration import calibrate
from nnp.cli.calibrate import table
from nnp.committee import Committee
from nnp.data import Frame
from nnp.evaluate import environments, evaluate
from nnp.families import load, save
from nnp.neighbors import find_pairs
from nnp.potential import UnknownSpeciesError, check_species
from nnp.reliability_plot import plot_reliability
from nnp.state import State
from nnp.statistics import extrapolating, extrapolation
from nnp.train.config import load_training
from nnp.train.job import MODEL, Parts, read_parts, run_job, with_files

HERE = Path(__file__).parent
RESULTS = HERE / "results"
HOT = 0.6
"""Root-mean-square force, eV/Å, above which a frame of dynamics is liquid-like."""


def trained(data: Path, epochs: int, folder: Path) -> tuple[Committee, Parts]:
    """The committee without its calibration, and what it learnt from and did not see."""
    settings = HERE.parent / "examples" / "training" / "silicon.yaml"
    types = "loss.config_types={Surface: 5.0, Elastic: 5.0, free atom: 0.1}"  # what these data have
    config = load_training(
        settings, ["members=4", "data.validation=0.25", types, f"optimiser.epochs={epochs}"]
    )
    config = with_files(config, [data])
    if not (folder / MODEL).is_file():
        run_job(config, [data], folder)
    found = load(folder / MODEL)
    assert isinstance(found, Committee)
    found.calibration = None
    return found, read_parts(config)


def strangers() -> dict[str, Atoms]:
    """Silicon as the data do not hold it."""
    a = 5.469
    found = {
        "diamond": bulk("Si", "diamond", a),
        "diamond, 10 % longer": bulk("Si", "diamond", 1.1 * a),
        "diamond, 10 % shorter": bulk("Si", "diamond", 0.9 * a),
        "hexagonal close-packed": bulk("Si", "hcp", 2.74, 4.48),
        "face-centred cubic": bulk("Si", "fcc", 3.87),
        "simple cubic": bulk("Si", "sc", 2.53),
    }
    return found | {f"dimer, {d} Å": Atoms("Si2", [[0, 0, 0], [d, 0, 0]]) for d in (1.5, 1.9, 2.3)}


def row(values: np.ndarray) -> dict[str, float]:
    """Median, 99th percentile and largest value."""
    return {
        "median": float(np.median(values)),
        "p99": float(np.quantile(values, 0.99)),
        "max": float(values.max()),
    }


def liquid(frame: Frame) -> bool:
    return frame.forces is not None and float(np.sqrt(np.mean(np.square(frame.forces)))) > HOT


def measured(model: Committee, parts: Parts) -> dict[str, dict[str, float]]:
    """The measure by kind of atoms."""
    held, out = parts.validation, {}
    kinds: dict[str, Sequence[Frame]] = {
        "learnt: strained crystal": [f for f in parts.training if f.group == "Elastic"],
        "learnt: slabs": [f for f in parts.training if f.group == "Surface"],
        "learnt: dynamics": [f for f in parts.training if f.group in ("AIMD-NVT", "Vacancy")],
        "held out: strained crystal": [f for f in held if f.group == "Elastic"],
        "held out: dynamics, solid": [f for f in held if f.group != "Elastic" and not liquid(f)],
        "held out: dynamics, hot": [f for f in held if f.group != "Elastic" and liquid(f)],
    }
    for name, frames in kinds.items():
        if frames:
            out[name] = row(torch.cat([extrapolation(model, f.state) for f in frames]).numpy())
    for name, atoms in strangers().items():
        out[name] = row(extrapolation(model, State.from_ase(atoms)).numpy())
    return out


def held_out_above(model: Committee, parts: Parts) -> dict[str, float]:
    """Fraction of the atoms held out that come out above some limits."""
    values = torch.cat([extrapolation(model, f.state) for f in parts.validation])
    return {f"{limit:g}": float((values > limit).double().mean()) for limit in (1.0, 1.2, 1.5)}


def wrong_element(model: Committee) -> str:
    """What happens to an atom of another element."""
    try:
        check_species(model, torch.tensor([14, 32]))
    except UnknownSpeciesError as error:
        return str(error)
    return "nothing"


def costs(model: Committee) -> dict[str, float]:
    """CPU time per atom, µs: an evaluation of one member with forces, and the measure beside it."""
    atoms = bulk("Si", "diamond", 5.469, cubic=True) * (6, 6, 6)
    atoms.rattle(0.1, seed=0)
    state, first, measure = State.from_ase(atoms), model.members[0], extrapolating(model)
    assert measure is not None
    pairs = find_pairs(state, model.cutoff + 0.6)

    def best(work: Callable[[], Any]) -> float:
        work()
        seconds = []
        for _ in range(9):
            began = time.process_time()
            work()
            seconds.append(time.process_time() - began)
        return 1e6 * min(seconds) / len(state)

    return {
        "evaluation": best(lambda: evaluate(first, state, pairs)),
        "measure": best(lambda: measure.extrapolation(environments(state, pairs)[1])),
    }


def of_run(path: Path) -> dict[str, Any]:
    """The largest values of a coupled run, and the share of its time that they took."""
    result = json.loads(path.read_text())
    steps, seconds = result["steps"], result["timings"]
    return {
        "extrapolation": max(s["extrapolation"] for s in steps),
        "force_spread": max(s.get("force_spread", 0.0) for s in steps),
        "steps": len(steps),
        "evaluations": sum(s["force_evaluations"] for s in steps),
        "seconds": {k: seconds[k] for k in ("build", "solve", "trust", "output")},
    }


def text(found: dict[str, Any], coverage: str) -> str:
    """The tables of trust.md."""
    lines = [
        f"Calibration ({found['frames']['check']} frames, {found['frames']['calibrate']} others to fit)\n"
    ]
    lines += [*("    " + line for line in coverage.splitlines()), "\nExtrapolation\n"]
    lines += ["| atoms | median | 99 % | largest |", "| --- | --- | --- | --- |"]
    for name, r in found["extrapolation"].items():
        lines.append(f"| {name} | {r['median']:.2f} | {r['p99']:.2f} | {r['max']:.2f} |")
    if run := found.get("crack"):
        lines.append(f"| crack tip, {run['steps']} load steps | | | {run['extrapolation']:.2f} |")
    above = ", ".join(f"above {k}: {100 * v:.2f} %" for k, v in found["held out above"].items())
    lines.append(f"\nOf the atoms held out {above}.")
    cost = found["cost, µs per atom"]
    lines.append(f"\nAnother element: {found['another element']}.")
    lines.append(f"\nCost: evaluation {cost['evaluation']:.1f} µs per atom, measure {cost['measure']:.1f}.")
    if run:
        per_step = run["evaluations"] / run["steps"]
        share = cost["measure"] / cost["evaluation"] / per_step
        lines.append(f"Once in a load step of {per_step:.0f} evaluations (crack): {100 * share:.1f} %.")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="Si.xyz")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("trust"), metavar="FOLDER")
    parser.add_argument("--crack", type=Path, metavar="RESULT.json")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    folder, epochs, path = options.output, options.epochs, RESULTS / "trust"
    if options.quick:
        folder, epochs, path = folder / "quick", 2, RESULTS / "trust_quick"
    torch.set_num_threads(1)
    model, parts = trained(options.data, epochs, folder)
    model.calibration, report = calibrate(model, parts.validation[::2], parts.validation[1::2])
    save(model, folder / MODEL)
    plot_reliability(report, path.with_suffix(".png"))
    found = {
        "frames": {
            "train": len(parts.training),
            "calibrate": len(parts.validation[::2]),
            "check": len(parts.validation[1::2]),
        },
        "calibration": {name: r.summary() for name, r in report.items()},
        "extrapolation": measured(model, parts),
        "held out above": held_out_above(model, parts),
        "another element": wrong_element(model),
        "cost, µs per atom": costs(model),
    }
    if options.crack:
        found["crack"] = of_run(options.crack)
    path.with_suffix(".json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text(text(found, table(report)))
    print(path.with_suffix(".md").read_text())


if __name__ == "__main__":
    main()
