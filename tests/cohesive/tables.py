"""Tables that several tests use, each derived once."""

from functools import cache

from coupling.cohesive import Grid, Halves, Table, derive_table
from nnp.equilibrium import lattice_constant
from nnp.registry import make_potential
from nnp.surfaces import oriented

SW = make_potential("stillinger-weber")
A = lattice_constant(SW, "diamond", "Si")


@cache
def silicon(plane: tuple[int, int, int] = (1, 1, 1)) -> tuple[Table, Halves]:
    """Stillinger–Weber silicon."""
    return derive_table(SW, oriented("diamond", "Si", A, plane), Grid())
