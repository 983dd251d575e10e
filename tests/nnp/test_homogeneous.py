"""The homogeneously deformed crystal: literature, exact derivatives, and the crystal itself as oracle."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from ase.units import GPa

from nnp.crystal import Crystal, make_crystal
from nnp.evaluate import evaluate
from nnp.homogeneous import (
    HomogeneousCrystal,
    cohesive_energy,
    elastic_tensor,
    internal_shift,
    lattice_constant,
)
from nnp.neighbors import find_pairs
from nnp.registry import make_potential
from nnp.state import State

torch.set_num_threads(1)
SW, LJ, FLAT = (make_potential(k) for k in ("stillinger-weber", "lennard-jones", "triangular"))
TILTED = {"y": [1, 1, 1], "z": [1, -1, 0]}


def crystal_of(potential, orientation=None):
    structure, symbol = {SW: ("diamond", "Si"), LJ: ("fcc", "Ar"), FLAT: ("triangular", "X")}[potential]
    return make_crystal(structure, symbol, lattice_constant(potential, structure, symbol), orientation)


def gradients(n, size, seed=0, flat=False):
    noise = np.random.default_rng(seed).normal(size=(n, 3, 3))
    if flat:
        noise[:, 2] = noise[:, :, 2] = 0.0
    return np.eye(3) + size * noise


each = pytest.mark.parametrize("potential", [SW, LJ, FLAT], ids=["diamond", "fcc", "triangular"])


def direct(potential, crystal: Crystal, F, shifts):
    """Energy of one cell and the forces on its basis, from an explicit periodic crystal."""
    state = crystal.bulk_state()
    y = crystal.basis @ F.T + shifts
    deformed = State(torch.as_tensor(y), state.numbers, torch.as_tensor(crystal.cell @ F.T), crystal.pbc)
    found = evaluate(potential, deformed, find_pairs(deformed, potential.cutoff))
    return found.energy, found.forces.numpy()


@each
@pytest.mark.parametrize("size", [0.05, 0.15])
def test_energy_and_shifts_are_those_of_the_explicit_crystal(potential, size):
    crystal = crystal_of(potential, TILTED if potential is SW else None)
    F = gradients(12, size, flat=potential is FLAT)
    response = HomogeneousCrystal(potential, crystal).evaluate(F)
    rest = direct(potential, crystal, np.eye(3), 0.0)[0]
    assert np.abs(response.shifts.sum(1)).max() < 1e-12
    for f, w, s in zip(F, response.energy, response.shifts):
        energy, forces = direct(potential, crystal, f, s)
        assert w * crystal.volume == pytest.approx(energy - rest, abs=1e-10)
        assert np.abs(forces).max() < 1e-9


@each
def test_stress_and_tangent_are_exact_derivatives(potential):
    homogeneous = HomogeneousCrystal(potential, crystal_of(potential))
    F, h = gradients(20, 0.04, flat=potential is FLAT), 1e-5
    dF = gradients(20, 1.0, seed=1, flat=potential is FLAT) - np.eye(3)
    here = homogeneous.evaluate(F)
    A = homogeneous.tangent(F, here.shifts)
    up, down = (homogeneous.evaluate(F + s * h * dF, here.shifts) for s in (1, -1))
    slope = np.einsum("nij,nij->n", here.stress, dF)
    assert np.allclose((up.energy - down.energy) / (2 * h), slope, rtol=0, atol=1e-7 * np.abs(A).max())
    change = np.einsum("nab,nb->na", A, dF.reshape(-1, 9)).reshape(-1, 3, 3)
    assert np.allclose((up.stress - down.stress) / (2 * h), change, rtol=0, atol=1e-6 * np.abs(A).max())
    assert np.allclose(A, A.transpose(0, 2, 1), atol=1e-10 * np.abs(A).max())


def test_rotation_of_the_deformed_crystal_rotates_stress_and_shifts():
    homogeneous = HomogeneousCrystal(SW, crystal_of(SW))
    F = gradients(10, 0.05)
    Q = np.linalg.qr(gradients(1, 1.0, seed=4)[0])[0]
    Q *= np.linalg.det(Q)
    a, b = homogeneous.evaluate(F), homogeneous.evaluate(Q @ F)
    assert np.allclose(b.energy, a.energy, atol=1e-13)
    assert np.allclose(b.stress, Q @ a.stress, atol=1e-10)
    assert np.allclose(b.shifts, a.shifts @ Q.T, atol=1e-9)


def test_rotation_of_the_crystal_rotates_its_tensors():
    flat, tilted = crystal_of(SW), crystal_of(SW, TILTED)
    R = tilted.frame
    C = np.einsum("ai,bj,ck,dl,ijkl->abcd", R, R, R, R, elastic_tensor(SW, flat))
    assert np.allclose(elastic_tensor(SW, tilted), C, atol=1e-10)
    shift = np.einsum("ai,bj,ck,pijk->pabc", R, R, R, internal_shift(SW, flat))
    assert np.allclose(internal_shift(SW, tilted), shift, atol=1e-9)


def test_silicon_constants_are_the_published_ones():
    crystal = crystal_of(SW)
    relaxed, clamped = (elastic_tensor(SW, crystal, relaxed=r) / GPa for r in (True, False))
    published = [(relaxed[0, 0, 0, 0], 151.4), (relaxed[0, 0, 1, 1], 76.4), (relaxed[1, 2, 1, 2], 56.4)]
    for found, number in [*published, (clamped[1, 2, 1, 2], 109.8)]:
        assert found == pytest.approx(number, abs=0.06)
    shift = internal_shift(SW, crystal)
    assert (shift[0] - shift[1])[0, 1, 2] == pytest.approx(0.629 * crystal.a / 4, rel=2e-3)  # Kleinman's ζ


def test_linear_shift_is_the_first_order_of_the_relaxed_one():
    crystal = crystal_of(SW, TILTED)
    strain = np.random.default_rng(7).normal(size=(3, 3))
    strain = 1e-4 * (strain + strain.T)
    s = HomogeneousCrystal(SW, crystal).evaluate((np.eye(3) + strain)[None]).shifts[0]
    linear = np.einsum("pikl,kl->pi", internal_shift(SW, crystal), strain)
    assert np.abs(s - linear).max() < 20 * crystal.a * np.abs(strain).max() ** 2


def test_lennard_jones_lattice_sums():
    # A12 = 12.13188, A6 = 14.45392 of fcc: nearest neighbours at (2 A12/A6)^(1/6) σ, energy −ε A6²/(2 A12)
    lj = make_potential("lennard-jones", epsilon=1.0, sigma=1.0, cutoff=8.0, symbol="Ne")
    a = lattice_constant(lj, "fcc", "Ne")
    assert a == pytest.approx(2**0.5 * (2 * 12.13188 / 14.45392) ** (1 / 6), rel=1e-3)
    energy = cohesive_energy(lj, make_crystal("fcc", "Ne", a))
    assert energy == pytest.approx(-(14.45392**2) / (2 * 12.13188), rel=4e-3)


@each
def test_lattice_constant_has_no_stress(potential):
    at_rest = HomogeneousCrystal(potential, crystal_of(potential)).evaluate(np.eye(3)[None])
    assert np.abs(at_rest.stress).max() < 1e-10
    assert abs(at_rest.energy[0]) < 1e-13
    with pytest.raises(ValueError, match="no minimum"):
        lattice_constant(LJ, "fcc", "Ar", guess=9.0)


@each
def test_strong_compression_loses_no_neighbour(potential):
    crystal = crystal_of(potential)
    F = np.eye(3)[None] * np.array([0.9, 0.75, 0.55])[:, None, None]
    rest = direct(potential, crystal, np.eye(3), 0.0)[0]
    response = HomogeneousCrystal(potential, crystal).evaluate(F)
    expected = [direct(potential, crystal, f, 0.0)[0] - rest for f in F]
    assert np.allclose(response.energy * crystal.volume, expected, rtol=1e-10)


def test_collapse_and_tearing_are_reported_without_error():
    homogeneous = HomogeneousCrystal(SW, crystal_of(SW))
    F = np.stack([0.3 * np.eye(3), np.diag([1.0, 1.0, 0.0]), 2.5 * np.eye(3), np.eye(3)])
    response, A = homogeneous.evaluate(F), homogeneous.tangent(F)
    assert np.array_equal(np.isinf(response.energy), [True, True, False, False])
    assert np.isnan(response.stress[:2]).all() and np.isnan(A[:2]).all()
    assert np.abs(response.stress[2]).max() == 0.0 and np.isfinite(A[2:]).all()
    assert response.energy[2] * homogeneous.crystal.volume == pytest.approx(2 * 4.3366, abs=1e-4)


def test_a_larger_basis_gives_the_same_law():
    primitive = crystal_of(SW)
    eight = replace(
        primitive,
        cell=primitive.a * np.eye(3),
        basis=primitive.sites(np.zeros(3), np.full(3, primitive.a))[0],
        numbers=np.full(8, 14),
    )
    F = gradients(6, 0.03)
    a, b = (HomogeneousCrystal(SW, c) for c in (primitive, eight))
    ra, rb = a.evaluate(F), b.evaluate(F)
    assert np.allclose(ra.energy, rb.energy, atol=1e-12)
    assert np.allclose(ra.stress, rb.stress, atol=1e-10)
    assert np.allclose(a.tangent(F), b.tangent(F), atol=1e-8)


class Counting:
    """A potential that counts the sites it was asked for."""

    def __init__(self, potential):
        self.potential, self.sites = potential, 0
        self.cutoff, self.receptive_field = potential.cutoff, potential.receptive_field
        self.numbers = potential.numbers

    def site_energies(self, graph):
        self.sites += graph.n_sites
        return self.potential.site_energies(graph)


def test_few_evaluations_of_the_potential():
    counting = Counting(SW)
    homogeneous = HomogeneousCrystal(counting, crystal_of(SW))
    F = gradients(500, 0.02)
    counting.sites = 0
    cold = homogeneous.evaluate(F)
    per_point = counting.sites / (2 * len(F))
    counting.sites = 0
    again = homogeneous.evaluate(F, cold.shifts)
    assert counting.sites == 2 * len(F)
    assert np.allclose(again.stress, cold.stress, atol=1e-12)
    assert per_point < 7.0
    assert cold.residual.max() <= 1e-10


def test_chunks_do_not_matter():
    crystal, F = crystal_of(SW), gradients(40, 0.05)
    whole, parts = (HomogeneousCrystal(SW, crystal, chunk=c).evaluate(F) for c in (4096, 16))
    assert np.allclose(whole.stress, parts.stress, atol=1e-10)
    assert np.allclose(whole.energy, parts.energy, atol=1e-13)
