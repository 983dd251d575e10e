"""The analytic potentials against literature and other codes."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.eam import EAM as AseEAM
from ase.calculators.lj import LennardJones as AseLennardJones
from ase.calculators.morse import MorsePotential as AseMorse
from ase.cluster import Icosahedron
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import StillingerWeber as form
from matscipy.calculators.manybody.explicit_forms import stillinger_weber as published
from scipy.optimize import minimize

from nnp.crystal import make_crystal
from nnp.equilibrium import cohesive_energy, lattice_constant
from nnp.evaluate import evaluate
from nnp.neighbors import find_pairs
from nnp.registry import make_potential, named_potential
from nnp.state import State
from tests.nnp.setfl_files import density, embedding, made_up_alloy, pair, write_setfl

torch.set_num_threads(1)


def of(potential, atoms):
    state = State.from_ase(atoms)
    return evaluate(potential, state, find_pairs(state, potential.cutoff + 0.5))


def test_stillinger_weber_equals_another_code_on_a_disordered_cell():
    atoms = bulk("Si", cubic=True) * (2, 2, 2)
    atoms.rattle(0.25, seed=1)
    skew = np.eye(3) + 0.05 * np.random.default_rng(0).normal(size=(3, 3))
    atoms.set_cell(atoms.cell @ skew, scale_atoms=True)
    atoms.calc = Manybody(**form(published.Stillinger_Weber_PRB_31_5262_Si))
    found = of(make_potential("stillinger-weber"), atoms)
    assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
    assert np.allclose(found.forces, atoms.get_forces(), atol=1e-8)
    stress = found.virial.numpy() / atoms.get_volume()
    assert np.allclose(stress, atoms.get_stress(voigt=False), atol=1e-8)


def test_stillinger_weber_takes_another_parametrisation():
    other = published.Holland_Marder_PRL_80_746_Si  # a doubled angular term
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.2, seed=2)
    atoms.calc = Manybody(**form(other))
    found = of(make_potential("stillinger-weber", strength=other["lambda1"]), atoms)
    assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-8)


def test_lennard_jones_is_untouched_below_the_switch():
    atoms = Icosahedron("Ar", 2, latticeconstant=5.3)
    atoms.rattle(0.1, seed=0)
    assert atoms.get_all_distances().max() < 0.8 * 14.0
    atoms.calc = AseLennardJones(sigma=3.4, epsilon=0.0104, rc=1e4)
    found = of(make_potential("lennard-jones", cutoff=14.0), atoms)
    assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-12)
    assert np.allclose(found.forces, atoms.get_forces(), atol=1e-12)


def test_morse_equals_another_code_on_a_disordered_cell():
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    atoms.rattle(0.15, seed=1)
    atoms.calc = AseMorse(epsilon=0.3429, r0=2.866, rho0=1.3588 * 2.866, rcut1=0.7 * 2.7, rcut2=2.7)
    found = of(make_potential("morse"), atoms)
    assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert np.allclose(found.forces, atoms.get_forces(), atol=1e-9)
    assert np.allclose(found.virial.numpy() / atoms.get_volume(), atoms.get_stress(voigt=False), atol=1e-9)


def test_morse_copper_has_the_lattice_it_was_fitted_to():
    copper = make_potential("morse", cutoff=14.0, switch_start=0.9)
    a = lattice_constant(copper, "fcc", "Cu")
    assert a == pytest.approx(
        3.603, rel=2e-3
    )  # copper at 0 K, with its sublimation energy the authors' input
    assert cohesive_energy(copper, make_crystal("fcc", "Cu", a)) == pytest.approx(-3.52, abs=0.03)


def alloy():
    atoms = bulk("Al", cubic=True, a=3.9) * (2, 2, 2)
    atoms.symbols[np.random.default_rng(0).permutation(32)[:13]] = "Cu"
    atoms.rattle(0.15, seed=1)
    return atoms


def test_embedded_atoms_equal_another_code_on_a_disordered_alloy():
    atoms, path = alloy(), str(made_up_alloy())
    atoms.calc = AseEAM(potential=path)
    found = of(make_potential("eam", file=path, switch_width=0.0), atoms)
    assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-7)
    assert np.allclose(found.forces, atoms.get_forces(), atol=1e-6)
    smoothed = of(named_potential(path), atoms)
    assert smoothed.energy == pytest.approx(found.energy, abs=1e-5)


def test_tables_return_the_functions_they_were_made_of():
    potential = make_potential("eam", file=str(made_up_alloy()))
    r = 2.9137
    atoms = Atoms("AlCu", [[0, 0, 0], [r, 0, 0]])
    bond = pair("Al", "Cu", r)
    exact = [embedding("Al", density("Cu", r)) + 0.5 * bond, embedding("Cu", density("Al", r)) + 0.5 * bond]
    assert of(potential, atoms).site_energies.numpy() == pytest.approx(exact, abs=1e-9)


def test_files_that_are_no_tables_are_named(tmp_path):
    path = write_setfl(tmp_path / "short.alloy", n=50)
    with pytest.raises(ValueError, match=r"none\.alloy: cannot be read"):
        named_potential(str(tmp_path / "none.alloy"))
    path.write_text(path.read_text()[:2000])
    with pytest.raises(ValueError, match=r"short\.alloy: ends before its tables do"):
        named_potential(str(path))
    path.write_text("1\n2\n3\n2 Al Qq\n")
    with pytest.raises(ValueError, match="its elements are Al, Qq"):
        named_potential(str(path))


def triangular_vacancy(layers: int) -> float:
    """Relaxation energy of one vacancy in a hexagon of the flat crystal under F0, clamped outside."""
    potential = make_potential("triangular")
    F0 = 0.98380467 * np.array([[1.0, 0.02, 0.0], [0.0, 1.03, 0.0], [0.0, 0.0, 1.0]])
    n = np.arange(-layers - 2, layers + 3)
    i, j = (v.ravel() for v in np.meshgrid(n, n))
    ring = np.maximum(np.maximum(abs(i), abs(j)), abs(i + j))
    keep = (ring > 0) & (ring <= layers + 2)
    i, j, ring = i[keep], j[keep], ring[keep]
    y0 = np.stack([i + 0.5 * j, np.sqrt(0.75) * j, 0.0 * i], 1) @ F0.T
    state = State(
        torch.as_tensor(y0), torch.zeros(len(y0), dtype=torch.long), torch.zeros(3, 3).double(), (False,) * 3
    )
    pairs, free = find_pairs(state, 2.0), ring <= layers
    at_rest = evaluate(potential, state, pairs).energy

    def objective(u):
        y = y0.copy()
        y[free, :2] += u.reshape(-1, 2)
        found = evaluate(potential, state.moved(torch.as_tensor(y)), pairs)
        return found.energy - at_rest, -found.forces.numpy()[free, :2].ravel()

    options = {"maxiter": 1000, "gtol": 1e-7, "ftol": 0.0, "maxcor": 30}
    return float(
        minimize(objective, np.zeros(2 * free.sum()), jac=True, method="L-BFGS-B", options=options).fun
    )


def test_triangular_crystal_relaxes_a_vacancy_by_the_published_energy():
    # the clamped rim costs energy as 1/layers², so two sizes give the infinite crystal: −0.0278820
    small, large = triangular_vacancy(15), triangular_vacancy(30)
    assert (4.0 * large - small) / 3.0 == pytest.approx(-0.0278820, rel=3e-4)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"type": "stilinger-weber"}, "did you mean 'stillinger-weber'.*lennard-jones, morse, n2p2, nnp"),
        ({"type": "lennard-jones", "sigmaa": 1.0}, "no parameter 'sigmaa'.*did you mean 'sigma'"),
        ({"type": "nnp"}, "needs model"),
        ({"type": "lennard-jones", "sigma": -1.0}, "must be positive"),
        ({"type": "lennard-jones", "symbol": "Xy"}, "unknown element 'Xy'"),
        ({"type": "morse", "switch_start": 1.5}, "a fraction of the cutoff"),
        ({"type": "morse", "cutoff": 1.0}, "longer than r0"),
        ({"type": "eam", "file": "none.alloy"}, "none.alloy: cannot be read"),
        ({"type": "eam", "file": str(made_up_alloy()), "switch_width": -1.0}, "switch_width must be"),
        ({"type": "lennard-jones", "cutoff": 1.0}, "longer than sigma"),
        ({"type": "triangular", "cutoff": 1.0}, "switch_start"),
    ],
)
def test_wrong_parameters_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_potential(**wrong)
