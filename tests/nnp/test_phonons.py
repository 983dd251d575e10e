"""Lattice vibrations against another code, the elastic solid, and their symmetries."""

import numpy as np
import pytest
from ase import units
from ase.data import atomic_masses
from ase.phonons import Phonons

from nnp.calculator import NNPCalculator
from nnp.crystal import make_crystal
from nnp.equilibrium import lattice_constant
from nnp.homogeneous import elastic_tensor
from nnp.phonons import THZ, acoustic_velocities, force_constants, sound_velocities, wave_vectors
from nnp.registry import make_potential
from tests.nnp.setfl_files import made_up_alloy

CASES = {
    "stillinger-weber": ({}, "diamond", "Si"),
    "morse": ({}, "fcc", "Cu"),
    "eam": ({"file": str(made_up_alloy())}, "fcc", "Al"),
}
HBAR = 6.582119569e-16 * units.s  # eV s
TILTED = {"x": (1, 1, -2), "y": (1, 1, 1)}


def built(name, orientation=None):
    given, structure, symbol = CASES[name]
    potential = make_potential(name, **given)
    crystal = make_crystal(structure, symbol, lattice_constant(potential, structure, symbol), orientation)
    return potential, crystal


@pytest.mark.parametrize("name", CASES)
def test_long_waves_travel_as_in_the_elastic_solid(name):
    potential, crystal = built(name, TILTED)
    constants, C = force_constants(potential, crystal), elastic_tensor(potential, crystal)
    density = atomic_masses[crystal.numbers].sum() / crystal.volume
    for direction in ([1, 0, 0], [1, 2, -0.5]):
        found = sound_velocities(constants, direction)
        assert found == pytest.approx(acoustic_velocities(C, density, direction), rel=2e-5)
    assert np.abs(constants.frequencies(np.zeros(3))[0, :3]).max() < 1e-4


def test_frequencies_equal_another_code(tmp_path):
    """ASE's finite displacements in a supercell that holds the whole range of the force constants."""
    potential, crystal = built("stillinger-weber")
    other = Phonons(
        crystal.bulk_state().to_ase(),
        NNPCalculator(potential),
        (5, 5, 5),
        name=str(tmp_path / "phonon"),
        delta=1e-3,
    )
    other.run()
    other.read(acoustic=False)
    fractions = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.5], [0.13, 0.27, 0.41]])
    expected = np.sort(other.band_structure(fractions, verbose=False)) / HBAR * THZ
    k = 2.0 * np.pi * fractions @ np.linalg.inv(crystal.cell).T
    found = force_constants(potential, crystal).frequencies(k)
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_crystal_that_is_not_stable_has_imaginary_frequencies():
    """Simple cubic argon falls over into fcc, which is stable."""
    lj = make_potential("lennard-jones")
    lowest = {}
    for structure in ("sc", "fcc"):
        crystal = make_crystal(structure, "Ar", lattice_constant(lj, structure, "Ar"))
        lowest[structure] = force_constants(lj, crystal).frequencies(wave_vectors(crystal)).min()
    assert lowest["sc"] < -0.5 and lowest["fcc"] > 0.0


def test_the_two_optical_modes_of_a_diatomic_crystal_split_with_the_masses():
    """At k = 0 the optical frequency is √(Φ (1/m + 1/M)) of one force constant."""
    potential, crystal = built("stillinger-weber")
    constants = force_constants(potential, crystal)
    optical = constants.frequencies(np.zeros(3))[0, 3:]
    assert np.ptp(optical) < 1e-6
    onsite = constants.values[(constants.first == 0) & (constants.second == 0)].sum(0)[0, 0]
    assert optical[0] == pytest.approx(THZ * np.sqrt(2.0 * onsite / constants.masses[0]), rel=1e-6)
