"""`nnp export`: a model for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nnp.cli.common import DONE, UsageError, add_command, add_model, read_model, require, require_folder

PRECISIONS = ("float64", "float32")


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "export",
        _export,
        "write a network for LAMMPS, i-PI and other programs that take metatomic models",
        "nnp export si si.pt; then in LAMMPS: pair_style metatomic si.pt, pair_coeff * * 14",
    )
    add_model(p)
    p.add_argument("output", type=Path, metavar="FILE.pt", help="the file to write")
    p.add_argument("--format", choices=("metatomic",), default="metatomic", help="kind of file (%(default)s)")
    p.add_argument(
        "--committee",
        choices=("mean", "first"),
        default="mean",
        help="of a committee all members, with their spread, or the first one alone, as much faster (%(default)s)",
    )
    p.add_argument("--precision", choices=PRECISIONS, default="float64", help="of its numbers (%(default)s)")


def _export(options: argparse.Namespace) -> int:
    import torch

    from nnp.committee import Committee
    from nnp.script import ExportError

    require_folder(options.output)
    require(options.output.suffix == ".pt", f"the file must end in .pt, got {options.output.name}")
    model = read_model(options.model)
    if isinstance(model, Committee) and options.committee == "first":
        model = model.members[0]
    try:
        from nnp.metatomic_model import export
    except (ImportError, OSError) as error:
        raise UsageError(f"needs metatomic: pip install metatomic-torch ({error})") from None
    try:
        export(model, options.output, Path(options.model).stem, getattr(torch, options.precision))
    except ExportError as error:
        raise UsageError(f"{options.model}: {error}") from None
    print(f"{options.output}: load it with any engine of metatomic, lengths in Å, energies in eV")
    return DONE
