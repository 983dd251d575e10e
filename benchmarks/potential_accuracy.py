"""Accuracy of the density network on public data of silicon, germanium, molybdenum and lithium, frames held out.

    python benchmarks/potential_accuracy.py DATA_FOLDER [--elements Si Ge Mo Li] [--folds 10] [--run 0 1] [--members 4]
        [--committees 0] [--output FOLDER] [--report] [--quick]

DATA_FOLDER holds Si.xyz, Ge.xyz, Mo.xyz and Li.xyz: the training frames of Zuo et al., J. Phys. Chem. A 124, 731
(2020), doi:10.1021/acs.jpca.9b08723, as extended XYZ (examples/training/convert_mlearn.py). Every configuration type is
dealt out evenly over the folds, always in the same way. For each fold a model is trained on the others, with the
settings of benchmarks/accuracy/ELEMENT.yaml, and judged on it; in the folds of --committees so many --members, which
differ by their seed. Errors are pooled over the frames of the folds; a committee's are those of its mean.

A finished training is kept in the output folder and an interrupted one goes on, so that the run can be spread over
many calls; --report trains nothing and shows what is there. Writes benchmarks/results/potential_accuracy.json and .md.
--quick takes a minute: two epochs on silicon, files named potential_accuracy_quick.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from potential_accuracy_tables import report

from nnp.committee import Committee
from nnp.data import Frame, read_frames
from nnp.families import load, save
from nnp.potential import Potential
from nnp.train.batch import prepare
from nnp.train.checkpoint import NAME as CHECKPOINT
from nnp.train.config import as_plain, load_training
from nnp.train.errors import differences, summary
from nnp.train.loop import train
from nnp.train.settings import Training

HERE = Path(__file__).parent
ELEMENTS = ("Si", "Ge", "Mo", "Li")


def folds_of(frames: Sequence[Frame], count: int) -> dict[int, int]:
    """{index of a frame: its fold}. Types one after another in the order of their names, the frames of each shuffled
    (always alike) and dealt out in turn, so that folds and their shares of each type differ by one frame at most."""
    rng = np.random.default_rng(0)
    order = [
        int(index)
        for group in sorted({f.group for f in frames})
        for index in rng.permutation([f.index for f in frames if f.group == group])
    ]
    return {index: place % count for place, index in enumerate(order)}


def trained(config: Training, frames: Sequence[Frame], folder: Path) -> dict[str, float]:
    """Train on the frames and leave model.safetensors and done.json in the folder, or find them there."""
    done = folder / "done.json"
    settings = json.loads(json.dumps(as_plain(config)))
    if done.is_file():
        found = json.loads(done.read_text())
        if found["settings"] != settings:
            raise SystemExit(f"{folder} was trained with other settings; choose another --output")
        return found
    folder.mkdir(parents=True, exist_ok=True)
    start, clock = time.process_time(), time.perf_counter()
    resume = (folder / CHECKPOINT).is_file()
    run = train(config, frames, [], folder, resume, _progress(folder, config))
    save(run.average, folder / "model.safetensors", {"config": settings})
    found = {
        "settings": settings,
        "frames": len(frames),
        "weights": sum(p.numel() for p in run.model.parameters()),
        "cpu_seconds": None if resume else round(time.process_time() - start, 1),
        "wall_seconds": None if resume else round(time.perf_counter() - clock, 1),
    }
    done.write_text(json.dumps(found, indent=1))
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return found


def _progress(folder: Path, config: Training) -> Any:
    def show(row: dict[str, float]) -> None:
        if row["epoch"] % 10 == 0:
            print(
                f"{folder}: epoch {row['epoch']}/{config.optimiser.epochs}, loss {row['loss']:.3e}",
                flush=True,
            )

    return show


def held_out(potential: Potential, frames: Sequence[Frame]) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Configuration type and errors of each frame, computed in float64."""
    rows = []
    for frame in frames:
        batch = prepare(frame, potential.cutoff, torch.float64)
        rows.append((frame.group, differences(potential, [batch])[0]))
    return rows


def pooled(rows: Sequence[tuple[str, dict[str, np.ndarray]]]) -> dict[str, Any]:
    """Errors by configuration type and of all frames."""
    groups = {group: [d for g, d in rows if g == group] for group in sorted({g for g, _ in rows})}
    return (
        {group: summary(each) for group, each in {**groups, "all": [d for _, d in rows]}.items()}
        if rows
        else {}
    )


def members_of(fold: int, options: argparse.Namespace) -> range:
    return range(options.members if fold in options.committees else 1)


def train_element(
    element: str, config: Training, frames: Sequence[Frame], options: argparse.Namespace
) -> None:
    place = folds_of(frames, options.folds)
    for fold in options.run:
        rest = [f for f in frames if place[f.index] != fold]
        for k in members_of(fold, options):
            trained(replace(config, seed=config.seed + k), rest, folder_of(options, element, fold, k))


def folder_of(options: argparse.Namespace, element: str, fold: int, member: int) -> Path:
    return options.output / element / f"fold_{fold}_of_{options.folds}" / f"member_{member}"


def measure(element: str, frames: Sequence[Frame], options: argparse.Namespace) -> dict[str, Any]:
    """What the finished trainings of an element say: single models (the first member of each fold), committees,
    and single models on the folds that have a committee."""
    place = folds_of(frames, options.folds)
    rows: dict[str, list[Any]] = {"single": [], "committee": [], "single_where_committee": []}
    runs, committees = {}, []
    for fold in range(options.folds):
        test = [f for f in frames if place[f.index] == fold]
        folders = [folder_of(options, element, fold, k) for k in range(options.members)]
        ready = [f for f in folders if (f / "done.json").is_file()]
        for folder in ready:
            runs[f"fold {fold} {folder.name}"] = json.loads((folder / "done.json").read_text())
        models = [load(f / "model.safetensors") for f in ready]
        if not models or folders[0] not in ready:
            continue
        rows["single"] += held_out(models[0], test)
        if len(models) == options.members > 1:
            committees.append(fold)
            rows["committee"] += held_out(Committee(models), test)
            rows["single_where_committee"] += held_out(models[0], test)
    settings = [run.pop("settings") for run in runs.values()]
    return {
        "folds": options.folds,
        "folds_trained": sorted({int(name.split()[1]) for name in runs}),
        "folds_with_committee": committees,
        "members": options.members,
        "errors": {name: pooled(each) for name, each in rows.items()},
        "runs": runs,
        "settings": settings[0] if settings else None,
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--elements", nargs="+", choices=ELEMENTS, default=list(ELEMENTS))
    parser.add_argument("--folds", type=int, default=10, help="into how many the frames are dealt out")
    parser.add_argument("--run", type=int, nargs="+", help="folds to train (default: all)")
    parser.add_argument("--members", type=int, default=4, help="models of a committee")
    parser.add_argument("--committees", type=int, nargs="*", default=[0], help="folds with a committee")
    parser.add_argument(
        "--output", type=Path, default=Path("results/potential_accuracy"), help="of the trainings"
    )
    parser.add_argument("--report", action="store_true", help="train nothing")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.elements, options.run, options.members = ["Si"], [0], 2
        options.output = options.output.with_name(options.output.name + "_quick")
    options.run = options.run if options.run is not None else list(range(options.folds))
    if not all(0 <= fold < options.folds for fold in options.run):
        parser.error(f"folds are counted from 0 to {options.folds - 1}")
    return options


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    changes = ["optimiser.epochs=2"] if options.quick else []
    found = {}
    for element in options.elements:
        config = load_training(HERE / "accuracy" / f"{element}.yaml", changes)
        frames = read_frames(options.data / f"{element}.xyz", config.data.keys)
        if not options.report:
            train_element(element, config, frames, options)
        found[element] = measure(element, frames, options)
    text = report(found)
    print(text)
    path = HERE / "results" / ("potential_accuracy_quick" if options.quick else "potential_accuracy")
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    path.with_suffix(".md").write_text(text + "\n")


if __name__ == "__main__":
    main()
