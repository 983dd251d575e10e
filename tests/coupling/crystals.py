"""Crystals and potentials that the coupling tests run on."""

from __future__ import annotations

from functools import cache

from nnp.committee import driving
from nnp.crystal import Crystal, make_crystal
from nnp.homogeneous import lattice_constant
from nnp.potential import Potential
from nnp.registry import make_potential
from tests.nnp.small_models import bound_silicon

SILICON = {"x": (1, 1, -2), "y": (1, 1, 1), "z": (1, -1, 0)}
LJ = {"epsilon": 0.1, "sigma": 2.4, "cutoff": 5.0, "symbol": "Ar"}


@cache
def stillinger_weber() -> tuple[Potential, Crystal]:
    potential = make_potential("stillinger-weber")
    a = lattice_constant(potential, "diamond", "Si")
    return potential, make_crystal("diamond", "Si", a, SILICON).cleavage_centred()


@cache
def lennard_jones() -> tuple[Potential, Crystal]:
    potential = make_potential("lennard-jones", **LJ)
    a = lattice_constant(potential, "fcc", "Ar")
    return potential, make_crystal("fcc", "Ar", a)


@cache
def network() -> tuple[Potential, Crystal]:
    potential = driving(make_potential("nnp", model="si"))[0]  # as in a coupled run
    a = lattice_constant(potential, "diamond", "Si")
    return potential, make_crystal("diamond", "Si", a, SILICON).cleavage_centred()


@cache
def triangular() -> tuple[Potential, Crystal]:
    return make_potential("triangular"), make_crystal("triangular", "X", 0.98)


@cache
def equivariant() -> tuple[Potential, Crystal]:
    """A tiny network with messages: its receptive field is twice its cutoff."""
    potential = make_potential("nnp", model=str(bound_silicon("equivariant")))
    a = lattice_constant(potential, "diamond", "Si")
    return potential, make_crystal("diamond", "Si", a, SILICON).cleavage_centred()


MATERIALS = {
    "stillinger-weber": stillinger_weber,
    "lennard-jones": lennard_jones,
    "triangular": triangular,
    "nnp": network,
    "equivariant": equivariant,
}
