"""When a run has stopped being physics: checks made while it goes."""

from __future__ import annotations

import numpy as np
import torch
from ase import Atoms

from nnp.calculator import NNPCalculator
from nnp.data import TOO_CLOSE
from nnp.state import State

_HEATED = 10.0
_MARGIN = 5000.0  # K: 0.65 eV per atom of potential energy set free
_SWOLLEN = 2.0


class DynamicsError(RuntimeError):
    """The run cannot go on; the message says at which step, and why."""


class Watch:
    """Compares the atoms with what they were at the start.

    temperature: K, what the run is meant to have. lost: whether atoms may leave the others behind.
    """

    def __init__(self, atoms: Atoms, calculator: NNPCalculator, temperature: float, lost: bool):
        self.calculator = calculator
        self.hottest = _HEATED * max(temperature, float(atoms.get_temperature())) + _MARGIN
        self.volume = _volume(atoms)
        self.company = np.ones(len(atoms), bool) if lost else self._alone(atoms)

    def each_step(self, atoms: Atoms, temperature: float) -> None:
        """What costs nothing. DynamicsError."""
        if not temperature <= self.hottest:
            raise DynamicsError(f"the atoms heat up without end ({temperature:.0f} K)")
        if self.volume and not 1.0 / _SWOLLEN < _volume(atoms) / self.volume < _SWOLLEN:
            raise DynamicsError(f"the volume went from {self.volume:.0f} to {_volume(atoms):.0f} Å³")

    def now_and_then(self, atoms: Atoms) -> None:
        """What looks at every pair. DynamicsError."""
        i, j, r = self._pairs(atoms)
        if len(r) and r.min() < TOO_CLOSE:
            k = int(r.argmin())
            raise DynamicsError(f"atoms {i[k]} and {j[k]} are {r[k]:.2f} Å apart")
        gone = np.flatnonzero(self._alone(atoms) & ~self.company)
        if len(gone):
            raise DynamicsError(f"atom {gone[0]} has left all others behind ({len(gone)} in all)")

    def _alone(self, atoms: Atoms) -> np.ndarray:
        i, _, r = self._pairs(atoms)
        return np.bincount(i[r < self.calculator.potential.cutoff], minlength=len(atoms)) == 0

    def _pairs(self, atoms: Atoms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        state = State.from_ase(atoms, self.calculator.dtype)
        pairs = self.calculator.neighbors(state)
        return pairs.i.numpy(), pairs.j.numpy(), torch.linalg.norm(pairs.vectors(state), dim=1).numpy()


def _volume(atoms: Atoms) -> float:
    return float(atoms.get_volume()) if all(atoms.pbc) else 0.0
