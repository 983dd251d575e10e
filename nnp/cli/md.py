"""`nnp md`: molecular dynamics."""

from __future__ import annotations

import argparse
from typing import Any

import ase.io
from ase import Atoms

from nnp.cli.common import (
    DONE,
    add_command,
    add_model,
    add_output,
    add_structure,
    read_model,
    read_structure,
    require,
    require_folder,
)


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "md",
        _md,
        "molecular dynamics at constant temperature or energy",
        "nnp md slab.xyz si --temperature 300 --steps 2000 -o run.extxyz",
    )
    add_structure(p)
    add_model(p)
    add_output(p, "md.extxyz", "trajectory")
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


def _md(options: argparse.Namespace) -> int:
    from nnp.dynamics import run_md

    require(options.temperature >= 0.0, "--temperature must not be negative")
    require(options.timestep > 0.0, "--timestep must be positive")
    require(options.steps >= 0 and options.every >= 1, "--steps must be at least 0, --every at least 1")
    require_folder(options.output)
    model = read_model(options.model)
    atoms = read_structure(options.structure, model)
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
    ase.io.write(options.output, frames, format="extxyz")
    print("  time fs  temperature K  potential eV      total eV")
    for r in rows:
        print(
            f"{r['time_fs']:9.1f} {r['temperature_K']:14.1f} {r['potential_eV']:13.5f} {r['total_eV']:13.5f}"
        )
    return DONE


def _snapshot(atoms: Atoms) -> Atoms:
    frame = atoms.copy()
    frame.info["energy"] = float(atoms.get_potential_energy())
    return frame
