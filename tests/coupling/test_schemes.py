"""Contract of every scheme on every potential: exact gradient, conserved force, no ghost force where it promises."""

import numpy as np
import pytest
from conftest import MATERIALS
from mpi4py import MPI
from patch import make_patch

from coupling.schemes import SCHEMES
from tests.mpi import run_ranks

BLENDED = [name for name in SCHEMES if name != "atomistic"]
STRAIN = np.array([[0.01, 0.02, 0.0], [0.0, -0.005, 0.0], [0.004, 0.003, 0.0]])


@pytest.fixture(scope="module", params=MATERIALS)
def patch(request):
    return make_patch(request.param, MPI.COMM_SELF)


def _somewhere(model, size=0.03, seed=0):
    """A rough state: every unknown displaced at random."""
    q = model.vector()
    q.array[:] = size * np.random.default_rng(seed).normal(size=q.getLocalSize())
    return q


@pytest.mark.parametrize("scheme", BLENDED)
def test_gradient_is_that_of_the_energy(patch, scheme) -> None:
    scheme, q = patch.scheme(scheme), _somewhere(patch.model)
    g, v = patch.model.vector(), _somewhere(patch.model, 1.0, seed=1)
    scheme.energy_gradient(q, g)
    h, energies = 1e-4, []
    for s in (-2, -1, 1, 2):
        moved = q.copy()
        moved.axpy(s * h, v)
        energies.append(scheme.energy_gradient(moved, patch.model.vector()).total)
    numeric = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * h)
    assert g.dot(v) == pytest.approx(numeric, rel=1e-6)


@pytest.mark.parametrize("scheme", BLENDED)
def test_forces_sum_to_zero(patch, scheme) -> None:
    """Nᵀ returns what it takes: no translation does work, also with prescribed nodes' reactions counted."""
    g = patch.model.vector()
    patch.scheme(scheme).energy_gradient(_somewhere(patch.model), g)
    blocks = g.array.reshape(-1, 3)
    assert np.abs(blocks.sum(axis=0)).max() < 1e-10 * np.abs(blocks).sum()


def test_transfer_keeps_power(patch) -> None:
    """f·(T q̇) = (Tᵀ f)·q̇, and a rigid translation of all unknowns translates every atom."""
    model, rng = patch.model, np.random.default_rng(2)
    shift = model.unknowns(lambda x: np.tile([0.1, -0.2, 0.3], (len(x), 1)))
    np.testing.assert_allclose(
        model.positions(shift) - model.atoms.reference, [[0.1, -0.2, 0.3]] * len(model.atoms)
    )
    f, q, g = rng.normal(size=(len(model.atoms), 3)), _somewhere(model), model.vector()
    model.pull_back(f, g)
    moved = model.positions(q) - model.atoms.reference
    assert g.dot(q) == pytest.approx(float((f * moved).sum()), rel=1e-12)


def test_bgfc_has_no_force_at_its_reference(patch) -> None:
    """BENCHMARKS A1, at rest and about a homogeneously strained crystal."""
    limit = 1e-10 * patch.force_scale()
    assert patch.residual(patch.scheme("bgfc"), np.zeros((3, 3))) < limit
    assert patch.residual(patch.scheme("bgfc", STRAIN), STRAIN) < limit


def test_uniform_strain_has_the_crystals_energy() -> None:
    """Atoms and cells fill the crystal exactly: E = W(F) · volume, which no quadrature of 1 − w achieves."""
    patch = make_patch("lennard-jones", MPI.COMM_SELF, law="cauchy-born")
    model = patch.model
    q = model.unknowns(lambda x: x @ STRAIN.T)
    energy = model.energy_gradient(q, model.vector()).total
    # the energy density from a cell far from the atoms, times the polygon's area and thickness
    bulk = model.bulk
    u = q.array[model.layout.mesh].copy()
    density = bulk.cell_fields(u)["energy_density"].max()
    corners = bulk.node_coordinates()[bulk.tagged_dofs("outer")][:, :2]
    corners = corners[np.argsort(np.arctan2(corners[:, 1], corners[:, 0]))]
    x, y = corners.T
    area = 0.5 * abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
    assert energy == pytest.approx(density * area * patch.crystal.period((0, 0, 1)), rel=1e-6)


def test_ghost_force_of_bqce_falls_with_the_blend() -> None:
    """About as width⁻²; bgfc removes it at every width. Lennard-Jones, whose second neighbours pull."""
    ghost = {}
    for blend in (9.0, 18.0):
        patch = make_patch("lennard-jones", MPI.COMM_SELF, blend=blend)
        ghost[blend] = patch.residual(patch.scheme("bqce"), np.zeros((3, 3)))
    order = np.log2(ghost[9.0] / ghost[18.0])
    assert ghost[9.0] > 1e-3
    assert 1.4 < order < 2.8


@pytest.mark.parametrize("ranks", [2, 3])
def test_same_answer_on_any_number_of_ranks(ranks) -> None:
    alone = run_ranks(1, "tests/coupling/ranks.py").splitlines()[-1]
    together = run_ranks(ranks, "tests/coupling/ranks.py").splitlines()[-1]
    np.testing.assert_allclose(
        np.fromstring(together, sep=" "), np.fromstring(alone, sep=" "), rtol=1e-10, atol=1e-13
    )
