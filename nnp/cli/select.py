"""`nnp select`: frames worth labelling."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import torch
from ase import Atoms

from nnp.cli.common import (
    DONE,
    UsageError,
    add_command,
    add_model,
    add_output,
    finite,
    read_model,
    require,
    require_file,
    require_folder,
)
from nnp.committee import Committee
from nnp.data import check_atoms
from nnp.neural import NeuralPotential
from nnp.one_line import one_line
from nnp.potential import check_species
from nnp.selection import select
from nnp.state import State
from nnp.statistics import extrapolation


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "select",
        _select,
        "pick the frames of a trajectory that a model knows least, each unlike those picked before",
        "nnp select si results/crack/atoms.extxyz -n 10 -o to_label.extxyz",
    )
    add_model(p)
    p.add_argument("trajectory", type=Path, metavar="FILE", help="frames in any format that ASE reads")
    add_output(p, "selected.extxyz", "the frames picked, with the extrapolation of each atom")
    p.add_argument("-n", "--count", type=int, default=20, metavar="N", help="at most so many (%(default)s)")
    p.add_argument(
        "--least",
        type=finite,
        default=0.5,
        metavar="G",
        help="end where no atom extrapolates by more than this (%(default)s)",
    )


def _select(options: argparse.Namespace) -> int:
    require(options.count >= 1, "--count must be at least 1")
    require_folder(options.output)
    model = read_model(options.model)
    if not isinstance(model, NeuralPotential | Committee):
        raise UsageError(f"{options.model}: cannot measure extrapolation, a trained model can")
    frames = _frames(options.trajectory)
    for k, atoms in enumerate(frames):
        check_atoms(atoms, f"{options.trajectory}, frame {k}")
    states = [State.from_ase(atoms) for atoms in frames]
    for state in states:
        check_species(model, state.numbers)
    try:
        chosen = select(model, states, options.count, options.least, [_counted(a) for a in frames])
    except ValueError as error:
        raise UsageError(f"{options.model}: {error}") from None
    for c in chosen:
        frames[c.frame].arrays["extrapolation"] = extrapolation(model, states[c.frame]).double().numpy()
        frames[c.frame].info |= {"frame": c.frame, "farthest_atom": c.atom, "novelty": c.novelty}
        print(f"frame {c.frame:6d}  atom {c.atom:6d}  novelty {c.novelty:.3g}")
    ase.io.write(options.output, [frames[c.frame] for c in chosen], format="extxyz")
    print(f"{len(chosen)} of {len(frames)} frames: {options.output}")
    if len(chosen) < min(options.count, len(frames)):
        print(
            f"in the others no atom is farther than {options.least:g} from what is known or picked (--least)"
        )
    return DONE


def _frames(path: Path) -> list[Atoms]:
    require_file(path)
    try:
        return list(ase.io.iread(path, index=":"))
    except Exception as error:  # whatever ASE's reader raises, it is the file that is wrong
        raise UsageError(f"{path}: not readable as atoms ({one_line(error)})") from None


def _counted(atoms: Atoms) -> torch.Tensor | None:
    """The atoms with a weight, in the results of a coupled run: the others lack neighbours."""
    mask = atoms.arrays.get("mask")
    return None if mask is None else torch.as_tensor(np.asarray(mask) > 0.0)
