"""`nnp md`: molecular dynamics."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from ase import Atoms
from ase.units import GPa

from nnp.cli.common import (
    DONE,
    FAILED,
    NOT_CONVERGED,
    UsageError,
    add_command,
    add_device,
    add_model,
    add_output,
    add_structure,
    finite,
    read_model,
    read_structure,
    require,
    require_folder,
)
from nnp.committee import driving
from nnp.dynamics.averages import Mean, Row, Thermodynamics, thermodynamics
from nnp.dynamics.doubt import Doubt, Extrapolated
from nnp.dynamics.ensembles import ENSEMBLES
from nnp.dynamics.run import run_md
from nnp.dynamics.timestep import highest_frequency, suggested_timestep, too_long
from nnp.dynamics.trajectory import TrajectoryWriter, last_frame
from nnp.dynamics.watch import DynamicsError
from nnp.potential import Potential
from nnp.statistics import extrapolating

_CONSTANT_VOLUME_AND_TEMPERATURE = ("langevin", "nose-hoover")
_LARGE = 5000
"""Atoms above which the highest frequency, some twenty Hessian–vector products, is found on request only."""


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "md",
        _md,
        "molecular dynamics at constant energy, temperature or pressure",
        "nnp md slab.xyz si --temperature 300 --steps 2000 -o run.extxyz",
    )
    add_structure(p)
    add_model(p)
    add_device(p)
    add_output(p, "md.extxyz", "trajectory with momenta, written as the run goes")
    _number(p, "--temperature", 300.0, "K", "temperature, K")
    _number(p, "--pressure", 0.0, "GPA", "pressure of the npt ensembles, GPa")
    p.add_argument("--steps", type=int, default=1000, metavar="N", help="number of steps (%(default)s)")
    p.add_argument(
        "--timestep",
        default="1",
        metavar="FS",
        help="time step, fs, or 'auto': from the highest frequency (1)",
    )
    p.add_argument(
        "--ensemble",
        choices=tuple(ENSEMBLES),
        default="langevin",
        help="constant energy (nve), temperature (langevin, nose-hoover) or pressure (npt: the volume breathes; "
        "npt-cell: the shape changes too) (%(default)s). Averages of a cold crystal: langevin, since a Nosé–Hoover "
        "chain mixes its nearly independent vibrations slowly",
    )
    _number(p, "--thermostat", 100.0, "FS", "time on which the temperature is corrected, fs")
    _number(p, "--barostat", 1000.0, "FS", "time on which the pressure is corrected, fs")
    p.add_argument(
        "--every", type=int, default=10, metavar="N", help="steps between frames and lines (%(default)s)"
    )
    p.add_argument("--seed", type=int, default=0, help="seed of velocities and noise (%(default)s)")
    p.add_argument(
        "--precision", choices=("float32", "float64"), default="float64", help="of the forces (%(default)s)"
    )
    p.add_argument("--restart", action="store_true", help="go on from the last frame of the trajectory")
    p.add_argument(
        "--committee",
        choices=("spread", "mean", "off"),
        help="what moves the atoms where MODEL is a committee: its first member, with the spread of the others "
        "in every frame; the mean of all; its first member alone (spread)",
    )
    _number(p, "--warn-extrapolation", 1.2, "G", "say where a frame extrapolates more than this; 0: never")
    _number(p, "--stop-extrapolation", 0.0, "G", "end the run there, with exit code 3; 0: never")
    p.add_argument("--allow-lost", action="store_true", help="let atoms leave all others behind")


def _number(p: argparse.ArgumentParser, name: str, default: float, unit: str, about: str) -> None:
    p.add_argument(name, type=finite, default=default, metavar=unit, help=f"{about} (%(default)s)")


def _md(options: argparse.Namespace) -> int:
    require(options.temperature >= 0.0, "--temperature must not be negative")
    require(min(options.thermostat, options.barostat) > 0.0, "--thermostat and --barostat must be positive")
    require(options.steps >= 0 and options.every >= 1, "--steps must be at least 0, --every at least 1")
    given_step = _step_in_fs(options.timestep)
    require_folder(options.output)
    model, committee = driving(read_model(options.model, options.device), options.committee)
    doubt = Doubt(
        extrapolating(model), committee, model.cutoff, options.warn_extrapolation, options.stop_extrapolation
    )
    require(
        options.stop_extrapolation == 0.0 or doubt.measure is not None,
        "--stop-extrapolation: the model holds no statistics of its training set (`nnp stats` adds them)",
    )
    atoms = read_structure(options.structure, model)
    first_step = 0
    if options.restart:
        atoms, first_step = _go_on(options.output, atoms, options.steps)
    timestep = _timestep(given_step, atoms, model)
    try:
        rows = _run(options, atoms, model, timestep, first_step, doubt)
    except Extrapolated as error:
        print(f"nnp: {error}. {options.output} holds the frames so far.", file=sys.stderr)
        return NOT_CONVERGED
    except DynamicsError as error:
        print(f"nnp: {error} {options.output} holds the frames so far.", file=sys.stderr)
        return FAILED
    except ValueError as error:
        raise UsageError(str(error)) from None
    fixed = options.temperature if options.ensemble in _CONSTANT_VOLUME_AND_TEMPERATURE else None
    _print_averages(thermodynamics(rows, len(atoms), fixed))
    print(f"written: {options.output}")
    return DONE


def _run(
    options: argparse.Namespace,
    atoms: Atoms,
    model: Potential,
    timestep: float,
    first_step: int,
    doubt: Doubt,
) -> list[Row]:
    write, heading = TrajectoryWriter(options.output, append=options.restart), _Lines()

    def observe(moving: Atoms, row: Row) -> None:
        doubt.measured(moving)
        write(moving, {"step": row["step"], "time_fs": row["time_fs"]})
        heading(row)
        doubt.judge(moving, int(row["step"]))
        while doubt.warnings:
            print(f"nnp: warning: {doubt.warnings.pop()}", file=sys.stderr)

    return run_md(
        atoms,
        model,
        temperature=options.temperature,
        steps=options.steps,
        timestep_fs=timestep,
        ensemble=options.ensemble,
        pressure=options.pressure * GPa,
        thermostat_fs=options.thermostat,
        barostat_fs=options.barostat,
        seed=options.seed,
        every=options.every,
        observe=observe,
        first_step=first_step,
        dtype=getattr(torch, options.precision),
        lost=options.allow_lost,
    )


def _step_in_fs(text: str) -> float | None:
    """The argument --timestep; None for 'auto'."""
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"--timestep is '{text}', must be a number of fs or 'auto'") from None
    require(0.0 < value < float("inf"), "--timestep must be positive")
    return value


def _timestep(given: float | None, atoms: Atoms, model: Potential) -> float:
    """The step to take, fs, and a line about the one that the highest frequency suggests."""
    if given is not None and len(atoms) > _LARGE:
        return given
    frequency = highest_frequency(model, atoms)
    suggested = suggested_timestep(frequency)
    if not frequency > 0.0:
        require(given is not None, "nothing pulls these atoms back: give --timestep in fs")
    else:
        print(f"highest frequency {frequency:.2f} THz, suggested time step {suggested:.2g} fs", flush=True)
    if given is not None and too_long(given, frequency):
        print(
            f"nnp: warning: a time step of {given:g} fs is too long for {frequency:.1f} THz", file=sys.stderr
        )
    return given if given is not None else float(f"{suggested:.2g}")


def _go_on(path: Path, start: Atoms, steps: int) -> tuple[Atoms, int]:
    """The last frame of a trajectory and the number of its step."""
    require(path.is_file(), f"nothing to go on from: no file '{path}'")
    try:
        atoms = last_frame(path)
    except ValueError as error:
        raise UsageError(str(error)) from None
    require("step" in atoms.info, f"{path}: its frames have no step number; not a trajectory of 'nnp md'")
    require(list(atoms.numbers) == list(start.numbers), f"{path}: holds other atoms than the given file")
    first = int(atoms.info["step"])
    require(first < steps, f"{path}: is at step {first} already, --steps is {steps}")
    return atoms, first


class _Lines:
    """Prints rows as they come, below one heading."""

    def __init__(self) -> None:
        self.begun = False

    def __call__(self, row: Row) -> None:
        names = {"time_fs": "time fs", "temperature_K": "temperature K", "pressure_GPa": "pressure GPa"}
        names |= {"potential_eV": "potential eV", "total_eV": "total eV", "conserved_eV": "conserved eV"}
        shown = [k for k in names if k in row]
        if not self.begun:
            print("  ".join(f"{names[k]:>14}" for k in shown))
            self.begun = True
        digits = {"time_fs": 1, "temperature_K": 1, "pressure_GPa": 3}
        print("  ".join(f"{row[k]:14.{digits.get(k, 5)}f}" for k in shown), flush=True)


def _print_averages(t: Thermodynamics) -> None:
    if t.frames < 2:
        return
    print(f"\nmeans and standard errors of the last {t.frames} lines (a first part left out)")
    table: dict[str, tuple[Mean | None, str]] = {
        "temperature": (t.temperature, "K"),
        "potential energy": (t.potential, "eV"),
        "pressure": (t.pressure, "GPa"),
        "volume": (t.volume, "Å^3"),
        "heat capacity": (t.heat_capacity, "k_B per atom, constant volume"),
    }
    for name, (mean, unit) in table.items():
        if mean is not None and not mean[1] < 1e-9 * abs(mean[0]):  # what did not move is no mean
            print(f"  {name:<17}{mean[0]:14.4f} ± {mean[1]:<10.2g} {unit}")
