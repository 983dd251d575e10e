"""Atoms that have wandered are shared out anew: fewer copies, and the same energy and forces.

On one rank there is nothing to share; tests/test_on_ranks.py runs these on two and three.
"""

import numpy as np
import pytest

from multiscale import sharing
from multiscale.build import build
from multiscale.config import parse_case
from multiscale.sharing import Shared, shared_anew
from multiscale.stepping import Stepper
from tests.mpi import COMM, gathered
from tests.multiscale.test_division import CASE as CRACK
from tests.multiscale.test_tip import CASE as TIP
from tests.multiscale.test_tip import moved

BLOCK = """
crystal: {structure: fcc, symbol: Ar}
potential: {type: lennard-jones, parameters: {epsilon: 0.1, sigma: 2.4, cutoff: 5.0}}
geometry: {shape: disc, radius: 4 nm}
coupling: {scheme: atomistic}
load: {type: strain, gradient: [[0, 0, 0], [0, 0.01, 0], [0, 0, 0]]}
"""
SEVERAL = pytest.mark.skipif(COMM.size == 1, reason="there is nobody to share with")


def forces(sim, q) -> np.ndarray:
    """On all atoms, in an order that does not depend on the ranks, (n, 3) eV/Å. Collective."""
    atoms = sim.model.atoms
    sites, g = gathered(atoms.sites), gathered(sim.model.atomistic(sim.model.positions(q))[1])
    return g[np.lexsort(np.round(sites, 3).T)]


@SEVERAL
def test_a_tip_that_has_slid_far() -> None:
    """Half of its atoms have left the rank that owns them."""
    sim = build(parse_case(TIP), COMM)
    q = moved(sim, [17.0, 0.3, 0.3], 0.01)
    q.array[sim.model.fixed] = sim.model.unknowns(sim.load.field(0.0)).array_r[sim.model.fixed]
    alike(sim, q, *shared_anew(sim, q, 0.0))


@SEVERAL
def test_layers_that_have_slid_over_each_other() -> None:
    """A fully atomistic disc, every second layer of 6 Å by 2 nm: the copies have grown too much, and are fewer again
    afterwards; at rest nothing is shared out."""
    sim = build(parse_case(BLOCK), COMM)
    first, q = Shared.at_first(sim), sim.model.vector()
    assert first.at(q, 0.0) == (first, q)
    q.array[sim.model.layout.atoms] = slipped(sim.model.atoms.reference[sim.model.atoms.free]).ravel()
    q.array[sim.model.fixed] = 0.0
    now = sim.model.atomistic.copies(sim.model.positions(q))
    again, state = first.at(q, 0.0)
    assert now > (1.0 + sharing.GROWTH) * first.copies and again.copies < now
    alike(sim, q, again.simulation, state)


def slipped(x):
    return 20.0 * (np.floor(x[:, 1:2] / 6.0) % 2.0) * np.array([1.0, 0.0, 0.0])


def alike(sim, q, new, state) -> None:
    """The same energy and forces. Collective."""
    energies = [s.scheme.energy_gradient(x, s.model.vector()).total for s, x in ((sim, q), (new, state))]
    assert energies[1] == pytest.approx(energies[0], rel=1e-10)
    before, after = forces(sim, q), forces(new, state)
    assert np.abs(before).max() > 0.1
    np.testing.assert_allclose(after, before, atol=1e-10 * max(1.0, np.abs(before).max()))


def _always(self, q, value):
    new, state = shared_anew(self.simulation, q, value)
    return Shared(new, 1), state


@SEVERAL
def test_steps_go_on_as_if_nothing_were_shared_out(monkeypatch) -> None:
    """Before every step, with what has opened for good on the mesh carried along. What is left, 3e-11 eV of the
    interface, falls with the force tolerance."""
    text = CRACK.replace(
        "symbol: Si}", "symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}"
    )
    text += "interface: {law: uber, irreversible: true}\nsolver: {force_tolerance: 0.000001 meV/Å}\n"
    rows = {}
    for anew in (False, True):
        if anew:
            monkeypatch.setattr(Shared, "at", _always)
        first = build(parse_case(text), COMM)
        stepper, rows[anew] = Stepper.start(first), []
        while (step := stepper.step()) is not None:
            assert step.solution.converged
            rows[anew].append((step.solution.energy.total, step.solution.energy.interface, step.tip))
        assert (stepper.simulation is first) != anew
    np.testing.assert_allclose(rows[True], rows[False], rtol=1e-10, atol=1e-10)
