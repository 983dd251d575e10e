"""Relaxation of atoms, and of their cell, by ASE's optimisers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE, LBFGSLineSearch

from nnp.calculator import calculator_of
from nnp.potential import Potential


@dataclass(frozen=True)
class Relaxation:
    """atoms: the relaxed copy, with its calculator. steps: optimiser steps taken. fmax: largest force left,
    eV/Å (the cell's, with `cell`, included). converged: whether that is below what was asked."""

    atoms: Atoms
    steps: int
    fmax: float
    converged: bool


def relax(
    atoms: Atoms,
    potential: Potential,
    fmax: float = 1e-3,
    cell: bool = False,
    steps: int = 500,
    log: Any = None,
) -> Relaxation:
    """Minimise the energy over the positions, and over the cell where `cell`, until the largest force is
    below `fmax` (eV/Å). Constraints of `atoms` hold. log: a file or its name for the optimiser's lines.

    ValueError when a cell is to be relaxed that is not periodic in three directions.
    """
    if cell and not all(atoms.pbc):
        raise ValueError("only a cell that is periodic in three directions can be relaxed")
    moved = atoms.copy()
    moved.calc = calculator_of(potential)
    target = FrechetCellFilter(moved) if cell else moved
    optimizer: Any = LBFGSLineSearch(target, logfile=log)
    try:
        converged = bool(optimizer.run(fmax=fmax, steps=steps))
    except RuntimeError:  # the line search found no lower energy, as where bonds rearrange; dynamics does
        taken = optimizer.nsteps
        optimizer = FIRE(target, logfile=log)
        converged = bool(optimizer.run(fmax=fmax, steps=steps - taken))
        optimizer.nsteps += taken
    left = float(np.linalg.norm(target.get_forces(), axis=1).max()) if len(moved) else 0.0
    return Relaxation(moved, optimizer.nsteps, left, converged)
