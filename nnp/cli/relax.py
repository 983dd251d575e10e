"""`nnp relax`: relax atoms, and their cell if wanted."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import ase.io

from nnp.cli.common import (
    DONE,
    NOT_CONVERGED,
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


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "relax",
        _relax,
        "relax atoms, and their cell if wanted",
        "nnp relax slab.xyz si -o relaxed.xyz --fmax 0.001",
    )
    add_structure(p)
    add_model(p)
    add_device(p)
    add_output(p, "relaxed.extxyz", "relaxed atoms")
    p.add_argument(
        "--fmax", type=finite, default=1e-3, metavar="F", help="largest force left, eV/Å (%(default)s)"
    )
    p.add_argument(
        "--steps", type=int, default=500, metavar="N", help="give up after so many steps (%(default)s)"
    )
    p.add_argument("--cell", action="store_true", help="relax the cell too")


def _relax(options: argparse.Namespace) -> int:
    from nnp.relaxation import relax

    require(options.fmax > 0.0, "--fmax must be positive")
    require(options.steps >= 0, "--steps must not be negative")
    require_folder(options.output)
    model = read_model(options.model, options.device)
    atoms = read_structure(options.structure, model)
    require(not options.cell or all(atoms.pbc), "--cell needs atoms that are periodic in three directions")
    done = relax(atoms, model, fmax=options.fmax, cell=options.cell, steps=options.steps)
    ase.io.write(options.output, done.atoms, format="extxyz")
    energy = done.atoms.get_potential_energy()
    print(f"energy {energy:.6f} eV, largest force {done.fmax:.2e} eV/Å, {done.steps} steps")
    if options.cell:
        lengths = ", ".join(f"{v:.4f}" for v in done.atoms.cell.lengths())
        print(f"cell {lengths} Å, {done.atoms.get_volume():.3f} Å^3")
    if done.converged:
        print(f"written: {options.output}")
    if not done.converged:
        print(
            f"nnp: not converged to {options.fmax} eV/Å; {options.output} holds the last step",
            file=sys.stderr,
        )
        return NOT_CONVERGED
    return DONE
