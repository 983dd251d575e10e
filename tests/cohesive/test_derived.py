"""The law made from a potential: what it must share with the potential itself."""

from dataclasses import replace

import numpy as np
import pytest
from ase.units import GPa

from coupling.cohesive import Derived, Grid, derive_table, halves
from coupling.cohesive.halves import energies
from nnp.equilibrium import lattice_constant
from nnp.observables import J_PER_M2
from nnp.registry import make_potential
from nnp.separation import separation
from nnp.surfaces import oriented, surface_energy
from tests.cohesive.tables import SW, A, silicon


@pytest.mark.parametrize("plane, area", [((1, 1, 1), 3**0.5 / 4), ((1, 1, 0), 0.5**0.5), ((1, 0, 0), 0.5)])
def test_the_plane_is_covered_by_its_primitive_cell(plane, area):
    crystal = oriented("diamond", "Si", A, plane)
    bodies = halves(crystal, 12.0)
    assert bodies.area == pytest.approx(area * A**2, rel=1e-9)
    density = len(bodies.points) * crystal.site_volume / bodies.area
    assert density == pytest.approx(24.0, abs=6.0)  # all sites of the slab, each once


@pytest.mark.parametrize("plane", [(1, 1, 1), (1, 1, 0)])
def test_separation_is_that_of_the_conventional_cell(plane):
    crystal = oriented("diamond", "Si", A, plane)
    law, found = Derived(silicon(plane)[0]), separation(SW, crystal, 0.05)
    δ = np.column_stack([found.opening, np.zeros((len(found.opening), 2))])
    pulled = law(δ)
    assert np.abs(pulled.energy - found.energy).max() < 1e-4 * found.work
    assert np.abs(pulled.traction[:, 0] - found.traction).max() < 1e-3 * found.peak[0]
    assert law.work == pytest.approx(2.0 * surface_energy(SW, crystal), rel=1e-9)


def test_energy_and_traction_are_the_potential_s_own_where_it_was_asked_and_near_between():
    table, bodies = silicon()
    law = Derived(table)
    δ, energy, traction = table.points()
    met = law(δ)
    assert np.abs(met.energy - energy).max() / J_PER_M2 < 1e-9
    assert np.abs(met.traction - traction).max() < 1e-9 * GPa
    rng = np.random.default_rng(5)
    between = np.column_stack([rng.uniform(0, law.reach, 200), rng.uniform(-9, 9, (200, 2))])
    true = energies(SW, bodies, np.concatenate([np.zeros((1, 3)), between]))
    found = law(between)
    assert np.sqrt(np.mean((found.traction - true[1][1:]) ** 2)) < 1e-3 * table.peak
    assert np.abs(found.energy - (true[0][1:] - true[0][0])).max() / J_PER_M2 < 1e-3


def test_bodies_pushed_into_each_other_are_pushed_back_at_any_sliding():
    """Also where the table ends in an attraction, here made up: its sliding part taken four times."""
    table = silicon()[0]
    odd = replace(
        table,
        energy=4 * table.energy - 3 * table.energy[:, :1, :1],
        traction=4 * table.traction - 3 * table.traction[:, :1, :1],
    )
    t = np.random.default_rng(2).uniform(-4.0, 4.0, (200, 2))
    for law in (Derived(table), Derived(odd)):
        end = law.table.openings[0]
        deep, deeper = (law(np.column_stack([np.full(200, end - u), t])) for u in (1.5, 4.0))
        assert deep.traction[:, 0].max() < 0.0 and deeper.traction[:, 0].max() < deep.traction[:, 0].max()
        assert deep.stiffness[:, 0, 0].min() > 0.0


def test_sliding_by_a_period_changes_nothing():
    law = Derived(silicon()[0])
    δ = np.array([[0.3, 0.4, 1.1], [-0.2, 2.0, -0.7], [-5.0, 0.1, 0.2]])
    here = law(δ)
    cell = law.table.cell
    for way in (cell[0], -2 * cell[1], 3 * cell[0] + cell[1]):
        there = law(δ + np.append(0.0, way))
        assert np.allclose(there.energy, here.energy, rtol=1e-12)
        assert np.allclose(there.stiffness, here.stiffness, rtol=1e-9, atol=1e-9)


def test_stress_of_a_crystal_off_its_lattice_constant_is_taken_out_and_said():
    """A crystal stretched by 0.5 % pulls across its planes; so much is removed at rest, and nothing far away."""
    crystal = oriented("diamond", "Si", 1.005 * A, (1, 1, 1))
    table, bodies = derive_table(SW, crystal, Grid(openings=12, sliding=1.0))
    rest = Derived(table)(np.zeros((1, 3)))
    assert np.abs(rest.traction).max() < 1e-12 and abs(rest.energy[0]) < 1e-13
    bulk_modulus = 101.4 * GPa  # published for this potential
    assert table.removed[0] == pytest.approx(3 * 0.005 * bulk_modulus, rel=0.05)
    assert np.abs(table.removed[1:]).max() < 1e-9
    δ = np.array([[0.0, 0, 0], [1.2, 0.3, 0.4]])
    plain = energies(SW, bodies, δ)
    assert Derived(table)(δ[1:]).energy[0] == pytest.approx(plain[0][1] - plain[0][0], rel=1e-2)


def test_close_packed_argon_slides_into_a_stacking_fault():
    """Along [11-2] of fcc (111) rigid planes reach a fault of nearly no energy: third neighbours only."""
    lj = make_potential("lennard-jones")
    a = lattice_constant(lj, "fcc", "Ar")
    crystal = oriented("fcc", "Ar", a, (1, 1, 1))
    law = Derived(derive_table(lj, crystal, Grid(openings=10, sliding=0.7))[0])
    fault = [law(np.array([[0.0, s * a / 6**0.5, 0.0]])).energy[0] for s in (1, -1)]
    assert min(fault) < 0.02 * law.work and max(fault) > law.work
