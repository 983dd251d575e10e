"""What the commands share: exit codes, common arguments, reading and writing of atoms."""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import ase.io
from ase import Atoms

from nnp.access import why_unreadable, why_unwritable
from nnp.data import DataError, DataWarning, check_atoms
from nnp.device import DEVICES, DeviceError, chosen_device, placed
from nnp.one_line import one_line
from nnp.potential import Potential, UnknownSpeciesError, check_species
from nnp.registry import named_potential
from nnp.state import State
from nnp.storage import ModelFileError, shipped_models
from nnp.train.config import ConfigError


class UsageError(ValueError):
    """A wrong argument."""


WRONG_INPUT = (UsageError, ConfigError, DataError, ModelFileError, UnknownSpeciesError)
DONE, FAILED, WRONG, NOT_CONVERGED = 0, 1, 2, 3


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], about: str, example: str
) -> argparse.ArgumentParser:
    """A command with its help; `run(options)` returns its exit code."""
    parser = commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}. Defaults in brackets.",
        epilog=f"example: {example}",
    )
    parser.set_defaults(command=run)
    return parser


def add_model(p: argparse.ArgumentParser) -> None:
    shipped = ", ".join(shipped_models()) or "none"
    p.add_argument(
        "model",
        metavar="MODEL",
        help=f"a shipped model ({shipped}), a model file, a folder of n2p2, a setfl file (.alloy), an analytic "
        "potential by its name (stillinger-weber), or several of these with commas between: a committee",
    )


def add_output(p: argparse.ArgumentParser, default: str, what: str) -> None:
    p.add_argument(
        "-o", "--output", type=Path, default=Path(default), metavar="FILE", help=f"{what} (%(default)s)"
    )


def add_structure(p: argparse.ArgumentParser) -> None:
    p.add_argument("structure", type=Path, metavar="FILE", help="atoms in any format that ASE reads")


def add_device(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--device",
        choices=DEVICES,
        default="cpu",
        help="where the potential computes: the processor, a graphics card, or a card where there is one; cards are "
        "untried (%(default)s)",
    )


def read_model(text: str, device: str = "cpu") -> Potential:
    """The potential that the argument MODEL names, on the device that --device does."""
    try:
        potential = named_potential(text)
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from None
    try:
        return placed(potential, chosen_device(device))
    except DeviceError as error:
        raise UsageError(f"--device {error}") from None


@contextmanager
def data_warnings() -> Iterator[None]:
    """Warnings about the data go to standard error, a line each."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = lambda message, *_: print(f"nnp: warning: {message}", file=sys.stderr)
        yield


def require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(message)


def read_structure(path: Path, model: Potential) -> Atoms:
    """The (last) structure of a file, of elements that the model knows."""
    require_file(path)
    try:
        atoms = cast(Atoms, ase.io.read(path))
    except Exception as error:  # whatever ASE's reader raises, it is the file that is wrong
        raise UsageError(f"{path}: not readable as atoms ({one_line(error)})") from None
    check_atoms(atoms, str(path))
    check_species(model, State.from_ase(atoms).numbers)
    return atoms


def require_file(path: Path) -> None:
    """Refuse a file that is not there, or may not be read."""
    reason = why_unreadable(path)
    require(reason is None, f"no file '{path}'" if reason == "no such file" else f"{path}: {reason}")


def require_folder(path: Path) -> None:
    """Refuse, before anything is computed, a file that cannot be written."""
    reason = why_unwritable(path)
    require(reason is None, reason or "")


def finite(text: str) -> float:
    """A number on the command line."""
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a finite number, not {text}")
    return value
