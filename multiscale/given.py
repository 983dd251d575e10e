"""Atoms of a case that come from a file."""

from __future__ import annotations

from typing import Any

import ase.io
import numpy as np
import torch
from ase import Atoms

from coupling.given import Given, matched, nearest
from coupling.regions import Shape
from multiscale.config import Case, InputError
from multiscale.ending import on_first_rank
from multiscale.material import Material
from nnp.potential import UnknownSpeciesError, check_species

Array = np.ndarray

LEAST = 0.5
"""Share of the atoms in the core that must be on sites of the crystal: fewer, and the file's lattice is another."""


def given_atoms(case: Case, material: Material, comm: Any, region: Shape | None) -> Given | None:
    """The atoms of the case's file on the sites of its crystal, the same on every rank; region: the core, None: all
    atoms are of the file. None where the case names no file. Collective; InputError where they cannot be used."""
    if case.atoms is None:
        return None
    return on_first_rank(comm, lambda: _matched(case, material, region))


def _matched(case: Case, material: Material, region: Shape | None) -> Given:
    assert case.atoms is not None
    atoms = _read(case.atoms.file, case.atoms.frame)
    points = atoms.positions + np.asarray(case.atoms.shift)
    try:
        check_species(material.potential, torch.from_numpy(np.asarray(atoms.numbers, np.int64)))
    except UnknownSpeciesError as error:
        raise InputError("atoms.file", str(error)) from error
    crystal, period = material.crystal, _period(case, material, atoms)
    found = matched(points, np.asarray(atoms.numbers, np.int64), _held(atoms), crystal, period, region)
    inside = found.inside(found.points)
    if not inside.any():
        raise InputError(
            "atoms.file", f"has no atom in the core; its {len(atoms)} atoms are {_extent(points)}"
        )
    on = (found.sublattice >= 0) & inside
    if region is not None and on.sum() < LEAST * inside.sum():
        raise InputError(
            "atoms.file",
            f"only {on.sum()} of {inside.sum()} atoms in the core are near a site of the crystal (lattice constant "
            f"{crystal.a:.5g} Å, nearest neighbours {nearest(crystal):.4g} Å apart); the file needs the orientation "
            "and place of the case's crystal: `multiscale atoms CASE` writes that to start from",
        )
    return found


def _read(file: str, frame: int) -> Atoms:
    try:
        atoms = ase.io.read(file, index=frame, parallel=False)  # ASE would make it collective
    except Exception as error:  # whatever ASE's reader raises, it is the file that is wrong
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError("atoms.file", f"{file} cannot be read as atoms: {reason}") from error
    if not isinstance(atoms, Atoms) or len(atoms) == 0:
        raise InputError("atoms.file", f"{file} holds no atoms")
    if not np.isfinite(atoms.positions).all():
        raise InputError("atoms.file", f"{file} holds positions that are not numbers")
    return atoms


def _period(case: Case, material: Material, atoms: Atoms) -> float | None:
    """Of the slice along z, which the file must share."""
    if case.geometry.dim == 3 or not material.crystal.pbc[2]:
        if atoms.pbc.any():
            raise InputError(
                "atoms.file", "is periodic, balls and solid blocks are not: write it with pbc F F F"
            )
        return None
    period = material.crystal.period((0.0, 0.0, 1.0))
    if atoms.pbc[0] or atoms.pbc[1] or not atoms.pbc[2]:
        flags = " ".join("T" if p else "F" for p in atoms.pbc)
        raise InputError("atoms.file", f"must be periodic along z only (pbc F F T), got {flags}")
    x, y, z = atoms.cell[2]
    if abs(z - period) > 1e-3 * period or max(abs(x), abs(y)) > 1e-3 * period:
        raise InputError(
            "atoms.file",
            f"must be one repeat of the crystal along z, {period:.6g} Å, got a cell vector [{x:.6g}, {y:.6g}, {z:.6g}]",
        )
    return period


def _held(atoms: Atoms) -> Array:
    """Those that the file fixes (ASE's FixAtoms, selective dynamics, move_mask)."""
    held = np.zeros(len(atoms), bool)
    for constraint in atoms.constraints:
        if type(constraint).__name__ == "FixAtoms":
            held[constraint.get_indices()] = True
    return held


def _extent(points: Array) -> str:
    low, high = points.min(axis=0), points.max(axis=0)
    return f"between {np.round(low, 2).tolist()} and {np.round(high, 2).tolist()} Å"
