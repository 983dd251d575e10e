"""The one state object that every potential reads."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from ase import Atoms

Tensor = torch.Tensor


@dataclass(frozen=True)
class State:
    """Positions and species of a set of atoms.

    positions: (n, 3) Å; numbers: (n,) atomic numbers; cell: (3, 3) rows are lattice vectors, Å (a row of
    zeros where there is no period); pbc: three flags.
    """

    positions: Tensor
    numbers: Tensor
    cell: Tensor
    pbc: tuple[bool, bool, bool] = (True, True, True)

    def __len__(self) -> int:
        return len(self.positions)

    def moved(self, positions: Tensor) -> State:
        """The same atoms at other positions."""
        return replace(self, positions=positions)

    @classmethod
    def from_ase(cls, atoms: Atoms, dtype: torch.dtype = torch.float64) -> State:
        return cls(
            positions=torch.as_tensor(atoms.get_positions(), dtype=dtype),
            numbers=torch.as_tensor(np.asarray(atoms.numbers), dtype=torch.long),
            cell=torch.as_tensor(np.asarray(atoms.cell), dtype=dtype),
            pbc=(bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2])),
        )

    def to_ase(self) -> Atoms:
        return Atoms(
            numbers=self.numbers.cpu().numpy(),
            positions=self.positions.detach().cpu().numpy(),
            cell=self.cell.cpu().numpy(),
            pbc=self.pbc,
        )
