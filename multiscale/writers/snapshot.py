"""What writers and pictures are given: arrays of one moment, owned by this rank."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray
Fields = dict[str, Array]

VERTEX = 1
_CELL_TYPES = {1: 1, 2: 3, 3: 5, 4: 10, 6: 22, 10: 24}
"""VTK cell type by number of points: vertex, line, triangle, tetrahedron, and the quadratic last two."""


@dataclass(frozen=True)
class MeshSnapshot:
    """points: (n, 3) Å; cells: (m, k) indices into the points, simplices; point_data, cell_data: arrays with
    n and m rows, of any further shape."""

    points: Array
    cells: Array
    point_data: Fields = field(default_factory=dict)
    cell_data: Fields = field(default_factory=dict)

    @property
    def cell_type(self) -> int:
        """VTK's number of the cells' kind."""
        return _CELL_TYPES[self.cells.shape[1]]


@dataclass(frozen=True)
class AtomSnapshot:
    """positions: (n, 3) current, Å; numbers: (n,) atomic numbers; cell: (3, 3) rows, Å, zero where there is
    no period; pbc: three flags; data: arrays with n rows."""

    positions: Array
    numbers: Array
    cell: Array
    pbc: tuple[bool, bool, bool]
    data: Fields = field(default_factory=dict)

    def as_mesh(self) -> MeshSnapshot:
        """One vertex cell per atom."""
        cells = np.arange(len(self.positions)).reshape(-1, 1)
        return MeshSnapshot(self.positions, cells, {"number": self.numbers, **self.data})
