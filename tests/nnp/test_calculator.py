"""The ASE calculator and relaxation."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress

from nnp.calculator import NNPCalculator
from nnp.potential import UnknownSpeciesError
from nnp.registry import make_potential
from nnp.relaxation import relax

SW = make_potential("stillinger-weber")


def silicon(rattle=0.1):
    atoms = bulk("Si", cubic=True, a=5.5)
    atoms.rattle(rattle, seed=0)
    return atoms


def test_forces_and_stress_by_ases_own_differences():
    atoms = silicon()
    atoms.calc = NNPCalculator(SW)
    assert np.allclose(atoms.get_forces(), calculate_numerical_forces(atoms, 1e-4), atol=1e-6)
    assert np.allclose(atoms.get_stress(), calculate_numerical_stress(atoms, 1e-5), atol=1e-7)
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy())


def test_one_neighbour_list_serves_many_steps_and_follows_the_periods():
    atoms = silicon()
    atoms.calc = NNPCalculator(SW, skin=1.0)
    for _ in range(5):
        atoms.positions += 0.01
        atoms.get_forces()
    assert atoms.calc.neighbors.builds == 1
    atoms.pbc = False
    fresh = atoms.copy()
    fresh.calc = NNPCalculator(SW)
    assert atoms.get_potential_energy() == pytest.approx(fresh.get_potential_energy(), abs=1e-10)
    assert "stress" not in atoms.calc.results


@pytest.mark.parametrize("seed", range(6))
def test_a_list_serves_a_cell_that_breathes_and_misses_nothing(seed):
    rng, atoms = np.random.default_rng(seed), silicon() * (2, 1, 1)
    atoms.calc, builds = NNPCalculator(SW, skin=0.6), []
    for size in (0.0, 0.003, 0.03, 0.1):
        atoms.set_cell(atoms.cell @ (np.eye(3) + size * rng.normal(size=(3, 3))), scale_atoms=True)
        atoms.positions += 0.05 * rng.uniform(-1, 1, size=(16, 3))
        fresh = atoms.copy()
        fresh.calc = NNPCalculator(SW)
        assert atoms.get_potential_energy() == pytest.approx(fresh.get_potential_energy(), abs=1e-9)
        builds.append(atoms.calc.neighbors.builds)
    assert builds[1] == 1 < builds[3]


def test_what_cannot_be_computed_is_said():
    water = molecule("H2O")
    water.calc = NNPCalculator(SW)
    with pytest.raises(UnknownSpeciesError, match="knows Si, not H, O"):
        water.get_potential_energy()
    pair = Atoms("Si2", [[0, 0, 0], [0, 0, 0]])
    pair.calc = NNPCalculator(SW)
    with pytest.raises(FloatingPointError, match="not finite"):
        pair.get_forces()


def test_relaxation_of_atoms_and_cell_finds_the_crystal():
    start = silicon()
    found = relax(start, SW, fmax=1e-4, cell=True)
    assert found.converged and found.fmax < 1e-4
    assert found.atoms.get_potential_energy() / 8 == pytest.approx(-4.3366, abs=1e-6)
    assert found.atoms.cell.lengths() == pytest.approx(5.431, abs=1e-3)
    assert np.array_equal(start.positions, silicon().positions)
    assert not relax(silicon(), SW, fmax=1e-8, steps=2).converged
    with pytest.raises(ValueError, match="periodic"):
        relax(Atoms("Si"), SW, cell=True)


def test_relaxation_goes_on_where_the_line_search_gives_up(monkeypatch):
    def gives_up(self, **_):
        raise RuntimeError("LineSearch failed!")

    monkeypatch.setattr("nnp.relaxation.LBFGSLineSearch.run", gives_up)
    found = relax(silicon(0.02), SW, fmax=1e-3)
    assert found.converged and found.fmax < 1e-3 and found.steps > 0
