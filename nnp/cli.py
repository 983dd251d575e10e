"""The command `nnp`: train and evaluate a neural potential, relax and move atoms with it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import ase.io
from ase import Atoms

from nnp.data import DataError, Keys, read_frames
from nnp.families import load
from nnp.potential import Potential, UnknownSpeciesError, check_species
from nnp.state import State
from nnp.storage import ModelFileError, shipped_models
from nnp.train.config import ConfigError, load_training
from nnp.train.errors import errors_of_frames
from nnp.train.job import run_job
from nnp.train.report import table


class UsageError(ValueError):
    """A wrong argument."""


WRONG_INPUT = (UsageError, ConfigError, DataError, ModelFileError, UnknownSpeciesError)
DONE, FAILED, WRONG, NOT_CONVERGED = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except WRONG_INPUT as error:
        print(f"nnp: {error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print("nnp: stopped", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nnp",
        description="Train a neural potential, measure its errors, relax and move atoms with it.",
        epilog="Exit codes: 0 done; 2 the input is wrong; 3 not converged; 1 anything else.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_train(commands)
    _add_evaluate(commands)
    _add_relax(commands)
    _add_md(commands)
    return parser


def _command(commands, name: str, run, about: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}. Defaults in brackets.",
        epilog=f"example: {example}",
    )
    parser.set_defaults(command=run)
    return parser


def _add_train(commands) -> None:
    p = _command(
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


def _add_evaluate(commands) -> None:
    p = _command(
        commands,
        "evaluate",
        _evaluate,
        "print a model's errors on labelled frames, by configuration type",
        "nnp evaluate si Si.xyz --json",
    )
    _add_model(p)
    p.add_argument("data", type=Path, metavar="DATA.xyz", help="labelled frames, extended XYZ")
    p.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for name, default in (("energy", Keys.energy), ("forces", Keys.forces), ("stress", Keys.stress)):
        p.add_argument(
            f"--{name}-key",
            default=default,
            metavar="KEY",
            help=f"where a frame keeps its {name} (%(default)s)",
        )


def _add_relax(commands) -> None:
    p = _command(
        commands,
        "relax",
        _relax,
        "relax atoms, and their cell if wanted",
        "nnp relax slab.xyz si -o relaxed.xyz --fmax 0.001",
    )
    _add_structure(p)
    _add_model(p)
    _add_output(p, "relaxed.extxyz", "relaxed atoms")
    p.add_argument(
        "--fmax", type=float, default=1e-3, metavar="F", help="largest force left, eV/Å (%(default)s)"
    )
    p.add_argument(
        "--steps", type=int, default=500, metavar="N", help="give up after so many steps (%(default)s)"
    )
    p.add_argument("--cell", action="store_true", help="relax the cell too")


def _add_md(commands) -> None:
    p = _command(
        commands,
        "md",
        _md,
        "molecular dynamics at constant temperature or energy",
        "nnp md slab.xyz si --temperature 300 --steps 2000 -o run.extxyz",
    )
    _add_structure(p)
    _add_model(p)
    _add_output(p, "md.extxyz", "trajectory")
    p.add_argument(
        "--temperature", type=float, default=300.0, metavar="K", help="temperature, K (%(default)s)"
    )
    p.add_argument("--steps", type=int, default=1000, metavar="N", help="number of steps (%(default)s)")
    p.add_argument("--timestep", type=float, default=1.0, metavar="FS", help="time step, fs (%(default)s)")
    p.add_argument(
        "--ensemble",
        choices=("langevin", "nve"),
        default="langevin",
        help="constant temperature or energy (%(default)s)",
    )
    p.add_argument(
        "--every",
        type=int,
        default=10,
        metavar="N",
        help="steps between frames of the trajectory (%(default)s)",
    )
    p.add_argument("--seed", type=int, default=0, help="seed of velocities and noise (%(default)s)")


def _add_model(p: argparse.ArgumentParser) -> None:
    shipped = ", ".join(shipped_models()) or "none"
    p.add_argument("model", metavar="MODEL", help=f"a model file, or the name of a shipped model ({shipped})")


def _add_output(p: argparse.ArgumentParser, default: str, what: str) -> None:
    p.add_argument(
        "-o", "--output", type=Path, default=Path(default), metavar="FILE", help=f"{what} (%(default)s)"
    )


def _add_structure(p: argparse.ArgumentParser) -> None:
    p.add_argument("structure", type=Path, metavar="FILE", help="atoms in any format that ASE reads")


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


def _evaluate(options: argparse.Namespace) -> int:
    model = load(options.model)
    keys = Keys(energy=options.energy_key, forces=options.forces_key, stress=options.stress_key)
    errors = errors_of_frames(model, read_frames(options.data, keys))
    print(json.dumps(errors, indent=1) if options.json else table(errors))
    return DONE


def _relax(options: argparse.Namespace) -> int:
    from nnp.relaxation import relax

    _require(options.fmax > 0.0, "--fmax must be positive")
    _require(options.steps >= 0, "--steps must not be negative")
    model = load(options.model)
    atoms = _structure(options.structure, model)
    _require(not options.cell or all(atoms.pbc), "--cell needs atoms that are periodic in three directions")
    done = relax(atoms, model, fmax=options.fmax, cell=options.cell, steps=options.steps)
    _write(options.output, done.atoms)
    energy = done.atoms.get_potential_energy()
    print(f"energy {energy:.6f} eV, largest force {done.fmax:.2e} eV/Å, {done.steps} steps")
    if not done.converged:
        print(
            f"nnp: not converged to {options.fmax} eV/Å; {options.output} holds the last step",
            file=sys.stderr,
        )
        return NOT_CONVERGED
    return DONE


def _md(options: argparse.Namespace) -> int:
    from nnp.dynamics import run_md

    _require(options.temperature >= 0.0, "--temperature must not be negative")
    _require(options.timestep > 0.0, "--timestep must be positive")
    _require(options.steps >= 0 and options.every >= 1, "--steps must be at least 0, --every at least 1")
    model = load(options.model)
    atoms = _structure(options.structure, model)
    frames: list[Atoms] = []
    rows = run_md(
        atoms,
        model,
        temperature=options.temperature,
        steps=options.steps,
        timestep_fs=options.timestep,
        ensemble=options.ensemble,
        seed=options.seed,
        every=options.every,
        observe=lambda moving: frames.append(_snapshot(moving)),
    )
    _write(options.output, frames)
    print("  time fs  temperature K  potential eV      total eV")
    for r in rows:
        print(
            f"{r['time_fs']:9.1f} {r['temperature_K']:14.1f} {r['potential_eV']:13.5f} {r['total_eV']:13.5f}"
        )
    return DONE


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(message)


def _snapshot(atoms: Atoms) -> Atoms:
    frame = atoms.copy()
    frame.info["energy"] = float(atoms.get_potential_energy())
    return frame


def _structure(path: Path, model: Potential) -> Atoms:
    """The (last) structure of a file, of elements that the model knows."""
    _require(path.is_file(), f"no file '{path}'")
    try:
        atoms = cast(Atoms, ase.io.read(path))
    except Exception as error:  # whatever ASE's reader raises, it is the file that is wrong
        raise UsageError(f"{path}: not readable as atoms ({error})") from None
    check_species(model, State.from_ase(atoms).numbers)
    return atoms


def _write(path: Path, atoms: Atoms | list[Atoms]) -> None:
    _require(path.absolute().parent.is_dir(), f"no folder '{path.parent}' to write into")
    ase.io.write(path, atoms, format="extxyz")
