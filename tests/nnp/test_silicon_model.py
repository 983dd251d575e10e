"""The shipped silicon model (the mean of its members) is sound where a crack needs it: crystal, surfaces,
decohesion, heat, closeness.

References: first-principles (PBE) lattice and elastic constants of the model's own data, C44 and the relaxed
(110) surface of Bartók et al., Phys. Rev. X 8, 041048 (2018), doi:10.1103/PhysRevX.8.041048; separation from this
project's own PBE frames (examples/training/data); cohesive energy in PBE, 4.55 eV.
"""

import numpy as np
import pytest
import torch
from ase import Atoms, units
from ase.build import bulk

from nnp.crystal import make_crystal
from nnp.dynamics import run_md
from nnp.equilibrium import cohesive_energy, lattice_constant
from nnp.evaluate import evaluate
from nnp.families import load
from nnp.homogeneous import elastic_tensor
from nnp.neighbors import find_pairs
from nnp.state import State
from nnp.surfaces import oriented, surface_energy

PLANES = {
    "111": {"y": (1, 1, 1), "z": (1, -1, 0)},
    "110": {"y": (1, 1, 0), "z": (1, -1, 0)},
    "100": {"y": (1, 0, 0), "z": (0, 1, 0)},
}
# Rigid separation: half its energy at 4 Å, J/m², and its largest traction, GPa.
CUT = {"111": (1.52, 20.4), "110": (1.73, 23.1), "100": (2.13, 29.9)}
RELAXED_110 = 1.52
J_PER_M2 = units.J / units.m**2


@pytest.fixture(scope="module")
def si():
    return load("si")


@pytest.fixture(scope="module")
def a0(si):
    return lattice_constant(si, "diamond", "Si")


def energy_of(potential, atoms):
    state = State.from_ase(atoms)
    return evaluate(potential, state, find_pairs(state, potential.cutoff)).energy


def separation(potential, a, plane, openings):
    """Energy per area (J/m²) of two rigid half crystals pulled apart by each opening (Å), from zero."""
    crystal = make_crystal("diamond", "Si", a, PLANES[plane]).cleavage_centred(1)
    box = np.array([crystal.period(e) for e in np.eye(3)])
    half = np.ceil(12.0 / box[1]) * box[1]
    points = crystal.sites([0.0, -half, 0.0], [box[0], half, box[2]])[0]
    energies = []
    for opening in [0.0, *openings]:
        moved = points + opening * np.outer(points[:, 1] > 0.0, [0.0, 1.0, 0.0])
        atoms = Atoms("Si" * len(points), moved, cell=[box[0], 4 * half, box[2]], pbc=(True, False, True))
        energies.append(energy_of(potential, atoms))
    return (np.array(energies[1:]) - energies[0]) / (box[0] * box[2]) / J_PER_M2


def test_lattice_constant(a0):
    assert a0 == pytest.approx(5.469, rel=0.005)


def test_elastic_constants(si, a0):
    c = elastic_tensor(si, make_crystal("diamond", "Si", a0)) / units.GPa
    assert c[0, 0, 0, 0] == pytest.approx(152.8, rel=0.05)
    assert c[0, 0, 1, 1] == pytest.approx(56.6, rel=0.08)
    assert c[1, 2, 1, 2] == pytest.approx(75.0, rel=0.05)


@pytest.mark.parametrize("plane", PLANES)
def test_rigid_decohesion_rises_smoothly_to_the_surface_energy(si, a0, plane):
    openings = np.arange(0.0, 6.01, 0.1)
    energy = separation(si, a0, plane, openings)
    cut, strength = CUT[plane]
    assert energy[-1] / 2 == pytest.approx(cut, rel=0.05)
    assert energy.max() < 1.05 * energy[-1]
    traction = 10.0 * np.diff(energy) / 0.1  # J/m²/Å = 10 GPa
    peak = int(np.argmax(traction))
    assert 0.4 < openings[peak] < 1.0 and traction[peak] == pytest.approx(strength, rel=0.06)
    assert traction.min() > -1.0  # no second minimum to fall into, GPa
    assert np.abs(traction[openings[:-1] > 5.0]).max() < 1e-6  # nothing acts beyond the cutoff


def test_relaxed_surface_energy(si, a0):
    crystal = oriented("diamond", "Si", a0, (1, 1, 0))
    gamma = surface_energy(si, crystal, relaxed=True, fmax=1e-3) / J_PER_M2
    assert gamma == pytest.approx(RELAXED_110, rel=0.1)


def test_cohesive_energy(si, a0):
    assert abs(cohesive_energy(si, make_crystal("diamond", "Si", a0))) == pytest.approx(4.55, abs=0.05)


@pytest.mark.parametrize("temperature", [300, 1200])
def test_hot_crystal_stays_a_crystal_and_conserves_energy(si, a0, temperature):
    atoms = bulk("Si", "diamond", a0, cubic=True) * (2, 2, 2)
    start = atoms.positions.copy()
    rows = run_md(atoms, si, temperature=2 * temperature, steps=400, timestep_fs=1.5, every=20)
    total = np.array([r["total_eV"] for r in rows])
    assert np.ptp(total) < 0.003 * 1.5 * units.kB * 2 * temperature * len(atoms)  # of the kinetic energy
    warm = np.mean([r["temperature_K"] for r in rows[5:]])
    assert warm == pytest.approx(temperature, rel=0.25)  # half of the kinetic energy has become potential
    moved = np.linalg.norm(atoms.positions - start, axis=1)
    assert moved.max() < 0.5 * a0 * 3**0.5 / 4


def test_close_atoms_repel(si, a0):
    r = np.arange(0.5, 1.81, 0.1)
    pair = [energy_of(si, Atoms("Si2", [[0, 0, 0], [d, 0, 0]])) for d in r]
    assert np.all(np.diff(pair) < 0.0) and pair[0] - pair[-1] > 100.0
    squeezed = [energy_of(si, bulk("Si", "diamond", s * a0)) for s in np.arange(0.5, 1.01, 0.05)]
    assert np.all(np.diff(squeezed) < 0.0)


def test_single_precision_agrees_with_double(si, a0):
    atoms = bulk("Si", "diamond", a0, cubic=True)
    atoms.rattle(0.1, seed=0)
    double, single = (State.from_ase(atoms, t) for t in (torch.float64, torch.float32))
    forces = [evaluate(si, s, find_pairs(s, si.cutoff)).forces.double() for s in (double, single)]
    assert (forces[0] - forces[1]).abs().max() < 2e-4
