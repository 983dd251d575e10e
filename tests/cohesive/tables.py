"""Tables that several tests use, each derived once."""

from functools import cache

import numpy as np

from coupling.cohesive import CohesiveLaw, Grid, Halves, Table, derive_table
from coupling.cohesive.table import slidings
from nnp.equilibrium import lattice_constant
from nnp.registry import make_potential
from nnp.surfaces import oriented

SW = make_potential("stillinger-weber")
A = lattice_constant(SW, "diamond", "Si")


@cache
def silicon(plane: tuple[int, int, int] = (1, 1, 1)) -> tuple[Table, Halves]:
    """Stillinger–Weber silicon."""
    return derive_table(SW, oriented("diamond", "Si", A, plane), Grid())


def table_of(law: CohesiveLaw, cell: np.ndarray, end: float) -> Table:
    """What a table of a given law looks like."""
    depths = Grid().depths(2.0, end)
    t = slidings(cell, 12, 12)
    t -= np.round(t @ np.linalg.inv(cell)) @ cell
    δ = np.column_stack([np.repeat(depths, 144), np.tile(t, (len(depths), 1))])
    found, shape = law(δ), (len(depths), 12, 12)
    return Table(depths, cell, found.energy.reshape(shape), found.traction.reshape(*shape, 3), np.zeros(3))
