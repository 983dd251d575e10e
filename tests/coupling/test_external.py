"""An ASE calculator in place of a potential: its constants, its forces, the same states by schwarz and atomistic."""

import numpy as np
import pytest
from crystals import lennard_jones, stillinger_weber
from patch import make_patch

from coupling.assemble import atomistic_model
from coupling.hessian import reference_hessian
from coupling.preconditioner import Preconditioner, stiffness
from coupling.regions import Ball
from coupling.schemes import SCHEMES, Reference
from coupling.solve import Settings, minimise
from nnp.calculator import NNPCalculator
from nnp.equilibrium import lattice_constant
from nnp.external import CalculatorError, External, external
from nnp.homogeneous import elastic_tensor, internal_shift
from nnp.surfaces import surface_energy
from tests.mpi import COMM


def wrapped(potential):
    return External(lambda: NNPCalculator(potential), potential.cutoff)


@pytest.mark.parametrize("material", [stillinger_weber, lennard_jones])
def test_constants_from_energies_and_forces_are_those_of_the_potential(material) -> None:
    potential, crystal = material()
    outside, symbol = wrapped(potential), {14: "Si", 18: "Ar"}[int(crystal.numbers[0])]
    assert lattice_constant(outside, crystal.structure, symbol) == pytest.approx(crystal.a, rel=1e-9)
    exact = elastic_tensor(potential, crystal)
    np.testing.assert_allclose(elastic_tensor(outside, crystal), exact, atol=1e-6 * exact.max())
    shift = internal_shift(potential, crystal)
    np.testing.assert_allclose(internal_shift(outside, crystal), shift, atol=1e-6)


def test_surface_energy_is_that_of_the_potential() -> None:
    potential, crystal = stillinger_weber()
    assert surface_energy(wrapped(potential), crystal) == pytest.approx(
        surface_energy(potential, crystal), rel=1e-9
    )


def test_schwarz_reaches_the_same_state() -> None:
    """Linear law, prescribed bent rim."""
    found = []
    for make in (None, wrapped):
        patch = make_patch("stillinger-weber", COMM, core=8.0, blend=8.0, outside=make)
        q = patch.model.unknowns(lambda x: 0.01 * x + 0.1 * np.sin(0.2 * x + 0.2))
        solution = minimise(patch.scheme("schwarz"), q, patch.precondition(), Settings(force_tolerance=1e-8))
        assert solution.converged and solution.iterations < 40
        found.append(patch.model.positions(q))
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)


def test_fully_atomistic_reaches_the_same_state() -> None:
    found = []
    potential, crystal = stillinger_weber()
    for used in (potential, wrapped(potential)):
        model = atomistic_model(used, crystal, Ball((0.0, 0.0), 9.0), 2, COMM, None)
        scheme = SCHEMES["atomistic"](model, Reference())
        precondition = Preconditioner(stiffness(model, reference_hessian(model.atomistic, crystal)))
        q = model.unknowns(lambda x: 0.01 * x + 0.1 * np.sin(0.4 * x))
        solution = minimise(scheme, q, precondition, Settings(force_tolerance=1e-8))
        assert solution.converged and solution.iterations < 60
        found.append(model.positions(q))
    np.testing.assert_allclose(found[1], found[0], atol=1e-7)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("EMT", "must name a class"),
        ("ase.calculators.emt.EMT()", "must name a class"),
        ("ase.calculators.none.EMT", "cannot import"),
        ("ase.calculators.emt.EMTT", "no ASE calculator named EMTT"),
        ("os.path.join", "no ASE calculator named join"),
    ],
)
def test_a_calculator_that_is_none(path, message) -> None:
    with pytest.raises(CalculatorError, match=message):
        external(path, 5.0)
