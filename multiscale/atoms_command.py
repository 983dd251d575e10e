"""`multiscale atoms`: the atoms of a case at rest, to be edited and given back by `atoms: {file: ...}`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from multiscale.config import Case, InputError
from multiscale.ending import DONE
from nnp.access import why_unwritable


def add_atoms(commands: Any) -> Any:
    atoms = commands.add_parser(
        "atoms",
        help="write the atoms of a case, to be edited and given back",
        description="Writes the atoms of a case at rest as extended XYZ, with the mask and which of them move freely. "
        "Take some out, put some in, exchange elements, with any tool that keeps the positions of the others, and give "
        "the file back with `atoms: {file: FILE}`: in the core, or with scheme atomistic everywhere, its atoms stand "
        "for those of the crystal.",
    )
    atoms.add_argument("-o", "--output", type=Path, metavar="FILE", help="file (default: CASE.extxyz)")
    return atoms


def run_atoms(case: Case, args: argparse.Namespace, comm: Any) -> int:
    from multiscale.build import make_material
    from multiscale.extent import with_radius
    from multiscale.model import make_model
    from multiscale.writers.extxyz import ExtxyzWriter
    from multiscale.writers.snapshot import AtomSnapshot

    path = args.output or Path(args.case.with_suffix(".extxyz").name)
    if path.suffix != ".extxyz":
        raise InputError("--output", f"must end in .extxyz, got {path.name}", "command line")
    reason = why_unwritable(path)
    if reason is not None:
        raise InputError("--output", reason, "command line")
    material = make_material(case, comm)
    model = make_model(with_radius(case, material), material, comm)
    atoms = model.atoms
    data = {"mask": atoms.weights, "free": atoms.free.astype(np.int32)}
    snapshot = AtomSnapshot(atoms.reference, atoms.numbers, atoms.cell, atoms.pbc, data)
    ExtxyzWriter(comm, path.parent, path.stem).write(0, snapshot, sites=atoms.sites)
    total = atoms.ownership.total
    if comm.rank == 0:
        print(f"{path}: {total} atoms")
    return DONE
