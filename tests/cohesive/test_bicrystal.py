"""Two bodies: a twin against its own energy, and bodies whose periods differ."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from coupling.cohesive import Derived, Grid, bicrystal_halves, derive_table
from coupling.cohesive.bicrystal import common_period
from coupling.cohesive.halves import energies
from nnp.calculator import NNPCalculator
from nnp.crystal import make_crystal
from nnp.equilibrium import lattice_constant
from nnp.registry import make_potential
from nnp.surfaces import bulk_energy, surface_energy
from tests.cohesive.tables import SW, A

LJ = make_potential("lennard-jones", cutoff=7.0)
FCC = lattice_constant(LJ, "fcc", "Ar")
OCTAHEDRAL = {"y": (1, 1, 1), "z": (1, -1, 0)}
TURNED = {"y": (1, 1, 1), "z": (-1, 1, 0)}


def twin_energy() -> float:
    """γ of a coherent twin of fcc, eV/Å², from a periodic stack …ABCABCBACBAC… with two of them, as it stands."""
    b, d = FCC / 2**0.5, FCC / 3**0.5
    places, up = [], 18
    place, sense = 0, 1
    for layer in range(2 * up):
        places.append(place % 3)
        if layer in (up - 1, 2 * up - 1):
            sense = -sense
        place += sense
    hollow = np.array([0.5 * b, 0.0, 0.5 * b / 3**0.5])
    points = [p * hollow + [0.0, k * d, 0.0] for k, p in enumerate(places)]
    cell = [[b, 0, 0], [0, 2 * up * d, 0], [0.5 * b, 0, b * 3**0.5 / 2]]
    atoms = Atoms(f"Ar{2 * up}", points, cell=cell, pbc=True, calculator=NNPCalculator(LJ))
    excess = atoms.get_potential_energy() - len(atoms) * bulk_energy(LJ, make_crystal("fcc", "Ar", FCC))
    return float(excess / (2 * b**2 * 3**0.5 / 2))


def test_adhesion_of_a_twin_is_that_of_the_surfaces_less_the_twin():
    lower, upper = (make_crystal("fcc", "Ar", FCC, o) for o in (OCTAHEDRAL, TURNED))
    bodies = bicrystal_halves(LJ, lower, upper)
    assert bodies.strain < 1e-9 and bodies.area == pytest.approx(FCC**2 * 3**0.5 / 4, rel=1e-9)
    table, _ = derive_table(LJ, bodies, Grid(openings=12, sliding=0.8))
    gamma, twin = surface_energy(LJ, lower), twin_energy()
    assert abs(twin) > 5e-6  # of this short reach it is negative
    as_cut = np.array(
        [[FCC / 3**0.5 - bodies.gap, 0.0, 0.0], [LJ.cutoff, 0.0, 0.0]]
    )  # the spacing of the bulk
    energy = energies(LJ, bodies, as_cut)[0]
    assert 2.0 * gamma - (energy[1] - energy[0]) == pytest.approx(twin, rel=1e-4)
    assert table.work > energy[1] - energy[0]
    assert np.abs(table.removed).max() < 1e-6 * table.peak
    rest = Derived(table)(np.zeros((1, 3)))
    assert np.linalg.eigvalsh(rest.stiffness[0]).min() > 0.0


def test_a_body_beside_itself_is_the_perfect_crystal():
    crystal = make_crystal("diamond", "Si", A, OCTAHEDRAL)
    bodies = bicrystal_halves(SW, crystal, crystal)
    whole, _ = derive_table(SW, crystal, Grid(openings=10, sliding=1.5))
    table, _ = derive_table(SW, bodies, Grid(openings=10, sliding=1.5))
    assert table.work == pytest.approx(whole.work, rel=1e-9)


def test_bodies_of_other_periods_are_strained_as_said():
    crystal = make_crystal("fcc", "Ar", FCC, OCTAHEDRAL)
    larger = replace(crystal, cell=1.01 * crystal.cell, basis=1.01 * crystal.basis, a=1.01 * crystal.a)
    bodies = bicrystal_halves(LJ, crystal, larger, max_strain=0.02)
    assert bodies.strain == pytest.approx(1.0 - 1.0 / 1.01, rel=1e-6)
    with pytest.raises(ValueError, match=r"no common period within a strain of 0\.1 %"):
        bicrystal_halves(LJ, crystal, larger, max_strain=0.001)


def test_coincidence_of_two_square_lattices():
    """Turned by 36.87° they share every fifth point (Σ5)."""
    c, s = 0.8, 0.6
    found = common_period(3.0 * np.eye(2), 3.0 * np.array([[c, s], [-s, c]]), 1e-3)
    assert abs(np.linalg.det(found.lower)) == pytest.approx(5 * 9.0, rel=1e-9)
    assert np.allclose(found.lower, found.upper) and found.strain < 1e-9
