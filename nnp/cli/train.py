"""`nnp train`: fit a model to labelled frames."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nnp.cli.common import DONE, add_command, data_warnings, require
from nnp.train.config import load_training
from nnp.train.job import run_job
from nnp.train.report import members_table, shifts_text, table


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "train",
        _train,
        "fit a model to energies, forces and stresses in extended XYZ",
        "nnp train silicon.yaml --data Si.xyz -o si --set optimiser.epochs=20",
    )
    p.add_argument(
        "settings", type=Path, metavar="TRAIN.yaml", help="settings of the model and of the training"
    )
    p.add_argument(
        "--data",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="labelled frames, extended XYZ; repeatable; in place of data.files in TRAIN.yaml",
    )
    p.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder of the results (name of TRAIN.yaml)"
    )
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="change one setting; repeatable"
    )
    p.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the folder")
    p.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="members of a committee at a time (%(default)s)"
    )


def _train(options: argparse.Namespace) -> int:
    from nnp.train.progress import progress_shown

    require(options.jobs >= 1, "--jobs must be at least 1")
    config = load_training(options.settings, options.set)
    folder = options.output or Path(options.settings.stem)
    jobs = min(options.jobs, config.members)
    with data_warnings(), progress_shown(config.optimiser.epochs, config.members, jobs) as progress:
        outcome = run_job(config, options.data, folder, options.resume, progress, jobs)
    for part, errors in outcome.errors.items():
        print(f"\n{table(errors, part)}")
    if outcome.members:
        print(f"\n{members_table(outcome.members, outcome.errors)}")
    print(shifts_text(outcome.shifts))
    print(f"model: {outcome.model}")
    return DONE
