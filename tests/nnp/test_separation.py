"""Rigid half crystals: separation, sliding, and the vacancy, against published figures and exact relations."""

import numpy as np
import pytest
from ase.units import GPa
from scipy.interpolate import CubicSpline

from nnp.crystal import make_crystal
from nnp.equilibrium import bulk_modulus_derivative, lattice_constant
from nnp.homogeneous import bulk_modulus, elastic_tensor
from nnp.observables import J_PER_M2
from nnp.registry import make_potential
from nnp.separation import halves, separation, sliding
from nnp.surfaces import oriented, surface_energy, vacancy_energy

SW = make_potential("stillinger-weber")
A = lattice_constant(SW, "diamond", "Si")
OCTAHEDRAL = oriented("diamond", "Si", A, (1, 1, 1))
PARTIAL, WHOLE = np.array([A / 6**0.5, 0.0, 0.0]), np.array([0.0, 0.0, A / 2**0.5])


@pytest.mark.parametrize(
    "plane, peak, opening", [((1, 1, 1), 36.1, 0.6), ((1, 1, 0), 38.9, 0.7)]
)  # published for this potential, GPa and Å
def test_rigid_separation(plane, peak, opening):
    crystal = oriented("diamond", "Si", A, plane)
    found = separation(SW, crystal)
    assert found.peak[0] / GPa == pytest.approx(peak, rel=0.01)
    assert found.peak[1] == pytest.approx(opening, abs=0.05)
    assert found.work == pytest.approx(2.0 * surface_energy(SW, crystal), rel=1e-9)
    assert abs(found.traction[0]) < 1e-9 and found.traction[-1] == 0.0
    fine = separation(SW, crystal, step=0.04)
    area = CubicSpline(fine.opening, fine.traction).integrate(0.0, fine.opening[-1])
    assert area == pytest.approx(found.work, rel=1e-4)


def test_no_site_sees_both_the_cut_and_the_outer_face():
    lj = make_potential("lennard-jones")
    crystal = oriented("fcc", "Ar", lattice_constant(lj, "fcc", "Ar"), (1, 0, 0))
    assert separation(lj, crystal, step=2.0).work == pytest.approx(
        2.0 * surface_energy(lj, crystal), rel=1e-9
    )


def test_glide_and_shuffle_set_of_silicon():
    """Stillinger–Weber reaches too few neighbours to know of stacking faults, and its barriers on the glide
    set are published: 3.09 J/m² relaxed along the normal (Justo et al. 1998, doi:10.1103/PhysRevB.58.2539)."""
    glide, shuffle = sliding(SW, OCTAHEDRAL, PARTIAL, narrow=True), sliding(SW, OCTAHEDRAL, WHOLE)
    assert abs(glide.fault) < 1e-9 and abs(shuffle.fault) < 1e-9
    assert shuffle.unstable[1] == pytest.approx(A / 8**0.5, rel=1e-3)
    assert 0.0 < shuffle.unstable[0] < glide.unstable[0]
    relaxed = sliding(SW, OCTAHEDRAL, PARTIAL, narrow=True, points=7, relaxed=True)
    assert relaxed.unstable[0] / J_PER_M2 == pytest.approx(3.09, rel=0.02)
    assert relaxed.unstable[0] < glide.unstable[0]


def test_the_cut_is_where_it_should_be():
    """The glide set breaks three bonds for each one of the shuffle set."""
    wide, narrow = halves(OCTAHEDRAL, 8.0), halves(OCTAHEDRAL, 8.0, narrow=True)
    for cut, gap in ((wide, A * 3**0.5 / 4), (narrow, A * 3**0.5 / 12)):
        y = cut.atoms.positions[:, 1]
        assert y[cut.upper].min() - y[~cut.upper].max() == pytest.approx(gap)


def test_fcc_pairs_within_nearest_neighbours_have_no_stacking_fault():
    """Up to second neighbours fcc and hcp have the same distances."""
    short = make_potential("morse", cutoff=4.0, switch_start=0.7)
    a = lattice_constant(short, "fcc", "Cu")
    crystal = oriented("fcc", "Cu", a, (1, 1, 1))
    ways = [np.array([s * a / 6**0.5, 0.0, 0.0]) for s in (1, -1)]
    lines = [sliding(short, crystal, way, points=7) for way in ways]
    soft, hard = sorted(lines, key=lambda line: line.fault)
    assert abs(soft.fault) < 1e-12 < 0.01 * J_PER_M2 < soft.unstable[0] < hard.fault


def test_the_neighbours_of_a_vacancy_pair_up():
    """Published for this potential with energies in units of 4.63/4.3366 of ours: 2.82 eV (Balamane et al. 1992,
    doi:10.1103/PhysRevB.46.2250); the block of 216 sites holds it a little higher."""
    found = vacancy_energy(SW, make_crystal("diamond", "Si", A), 3)
    assert found == pytest.approx(2.82 * 4.3366 / 4.63, rel=0.03)


def test_bulk_modulus_and_its_derivative():
    """B from the elastic tensor; dB/dp from that tensor's own change between two lattice constants."""

    def of(a):
        crystal = make_crystal("diamond", "Si", a)
        C, pressure = elastic_tensor(SW, crystal), bulk_modulus_derivative(SW, crystal)
        return bulk_modulus(C), pressure[0]

    B, slope = bulk_modulus_derivative(SW, make_crystal("diamond", "Si", A))
    assert pytest.approx(bulk_modulus(elastic_tensor(SW, make_crystal("diamond", "Si", A))), rel=1e-6) == B
    step = 1e-3
    difference = (of(A * (1 - step))[1] - of(A * (1 + step))[1]) / (2 * step) / 3.0  # dB/d(−ln V)
    assert slope == pytest.approx(difference / B, rel=1e-3)
