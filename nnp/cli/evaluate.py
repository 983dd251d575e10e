"""`nnp evaluate`: errors of a model on labelled frames."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from nnp.cli.common import DONE, add_command, add_device, add_model, data_warnings, read_model
from nnp.data import Keys, read_frames
from nnp.potential import check_species
from nnp.train.errors import errors_of_frames
from nnp.train.report import shifts_text, table
from nnp.train.sources import fit_shifts

ZEROS = 100.0
"""meV/atom: a mean error of the energy above it, alike in all frames, is no error of a model."""


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "evaluate",
        _evaluate,
        "print a model's errors on labelled frames, by configuration type",
        "nnp evaluate si Si.xyz --json",
    )
    add_model(p)
    add_device(p)
    p.add_argument("data", type=Path, nargs="+", metavar="DATA.xyz", help="labelled frames, extended XYZ")
    p.add_argument(
        "--fit-offsets",
        action="store_true",
        help="take a constant per element and source out of the energies first: labels of another code",
    )
    p.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for name, default in (("energy", Keys.energy), ("forces", Keys.forces), ("stress", Keys.stress)):
        p.add_argument(
            f"--{name}-key",
            default=default,
            metavar="KEY",
            help=f"where a frame keeps its {name} (%(default)s)",
        )


def _evaluate(options: argparse.Namespace) -> int:
    model = read_model(options.model, options.device)
    keys = Keys(energy=options.energy_key, forces=options.forces_key, stress=options.stress_key)
    with data_warnings():
        frames = [frame for path in options.data for frame in read_frames(path, keys)]
    for frame in frames:
        check_species(model, frame.state.numbers)
    shifts = fit_shifts(model, frames) if options.fit_offsets else {}
    errors = errors_of_frames(model, frames, shifts=shifts)
    if options.json:
        print(json.dumps(errors | ({"source_shifts": shifts} if shifts else {}), indent=1))
    else:
        print(table(errors) + shifts_text(shifts))
        print("root mean square, mean absolute in brackets")
        _say_offset(errors, options.fit_offsets)
    return DONE


def _say_offset(errors: dict[str, Any], fitted: bool) -> None:
    """Where nearly all of the error of the energy is one and the same for all frames: two codes, two zeros."""
    energy = errors.get("all", {}).get("energy")
    if not fitted and energy and energy["mae"] > ZEROS and energy["rmse"] < 1.05 * energy["mae"]:
        print(
            "the energies differ by nearly a constant, as those of two codes do: --fit-offsets takes it out"
        )
