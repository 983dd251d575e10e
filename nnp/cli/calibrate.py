"""`nnp calibrate`: make a committee's spread tell its errors."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from nnp.calibration import Reliability, calibrate
from nnp.cli.common import DONE, UsageError, add_command, require_folder
from nnp.cli.stats import add_model_file, read_model_file
from nnp.committee import Committee
from nnp.data import Keys, read_frames
from nnp.families import save
from nnp.reliability_plot import plot_reliability
from nnp.train.sources import shifted

ABOUT = {
    "energy": "energy per atom, mean",
    "forces": "force components, mean",
    "first_energy": "energy per atom, first member",
    "first_forces": "force components, first member",
}


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "calibrate",
        _calibrate,
        "scale a committee's spread on labelled frames that were held out of its training, and store the factors",
        "nnp calibrate si.safetensors held_out.xyz --check other.xyz",
    )
    add_model_file(p)
    p.add_argument("data", type=Path, metavar="DATA.xyz", help="labelled frames, extended XYZ")
    p.add_argument(
        "--check",
        type=Path,
        metavar="FILE",
        help="other frames, on which the coverage is reported (those of DATA.xyz)",
    )
    p.add_argument(
        "--picture",
        type=Path,
        default=Path("reliability.png"),
        metavar="FILE",
        help="observed against wanted coverage (%(default)s)",
    )
    p.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for name, default in (("energy", Keys.energy), ("forces", Keys.forces)):
        p.add_argument(
            f"--{name}-key",
            default=default,
            metavar="KEY",
            help=f"where a frame keeps its {name} (%(default)s)",
        )


def _calibrate(options: argparse.Namespace) -> int:
    require_folder(options.picture)
    model, target = read_model_file(options)
    if not isinstance(model, Committee):
        raise UsageError(f"{options.model}: a single model has no spread to calibrate, a committee has")
    keys = Keys(energy=options.energy_key, forces=options.forces_key)
    shifts = model.header.get("training", {}).get("source_shifts", {})
    check = shifted(read_frames(options.check, keys), shifts) if options.check else None
    model.calibration, report = calibrate(model, shifted(read_frames(options.data, keys), shifts), check)
    save(model, target)
    plot_reliability(report, options.picture)
    if options.json:
        print(json.dumps({name: r.summary() for name, r in report.items()}, indent=1))
    else:
        print(table(report))
        print(f"\nfactors stored in {target}, picture in {options.picture}")
    return DONE


def table(report: dict[str, Reliability]) -> str:
    """Coverage before and after as text."""
    head = f"{'':32}{'rmse':>10}{'factor':>8}{'68.3 %':>9}{'after':>8}{'95 %':>9}{'after':>8}{'area':>8}{'after':>8}"
    lines = [head]
    for name, r in report.items():
        s = r.summary()
        before, after = s["before"], s["after"]
        lines.append(
            f"{ABOUT[name]:32}{s['rmse']:10.4f}{s['factor']:8.2f}"
            + "".join(f"{100 * before[k]:9.1f}{100 * after[k]:8.1f}" for k in ("68 %", "95 %"))
            + f"{before['area']:8.3f}{after['area']:8.3f}"
        )
    return "\n".join([*lines, "rmse in eV/atom and eV/Å; coverage in %, of the spread as it is and after"])
