"""`nnp train`: fit a model to labelled frames."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from nnp.cli.common import DONE, add_command
from nnp.train.config import load_training
from nnp.train.job import run_job
from nnp.train.report import table


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
    p.add_argument("--data", type=Path, required=True, metavar="FILE", help="labelled frames, extended XYZ")
    p.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder of the results (name of TRAIN.yaml)"
    )
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="change one setting; repeatable"
    )
    p.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the folder")


def _train(options: argparse.Namespace) -> int:
    from nnp.train.progress import progress_on

    config = load_training(options.settings, options.set)
    folder = options.output or Path(options.settings.stem)
    with progress_on(sys.stdout, config.optimiser.epochs) as progress:
        outcome = run_job(config, options.data, folder, options.resume, progress)
    for part, errors in outcome.errors.items():
        print(f"\n{table(errors, part)}")
    print(f"\nmodel: {outcome.model}")
    return DONE
