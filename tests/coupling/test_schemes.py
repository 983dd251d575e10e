"""Contract of every scheme on every potential: exact gradient, conserved force, no ghost force where it promises."""

from dataclasses import replace

import numpy as np
import pytest
from crystals import MATERIALS
from patch import make_patch

from coupling.atoms import thickness
from coupling.forces import true_energy
from coupling.remask import remasked
from coupling.schemes import SCHEMES, Reference
from coupling.solve import Settings, minimise
from nnp.homogeneous import HomogeneousCrystal
from tests.mpi import COMM, gathered, largest, run_ranks, total

BLENDED = [name for name in SCHEMES if name != "atomistic"]
WITH_ENERGY = [name for name in BLENDED if SCHEMES[name].has_energy]
WITHOUT = [name for name in BLENDED if not SCHEMES[name].has_energy]
SIMPLE = ["lennard-jones", "triangular"]
LARGE = np.array([[0.01, 0.004, 0.0], [0.0, -0.008, 0.0], [0.0, 0.0, 0.0]])
STRAIN = np.array([[0.01, 0.02, 0.0], [0.0, -0.005, 0.0], [0.004, 0.003, 0.0]])


@pytest.fixture(scope="module", params=MATERIALS)
def patch(request):
    return make_patch(request.param, COMM)


def _somewhere(model, size=0.03, seed=0):
    """A rough state: every unknown displaced at random."""
    q = model.vector()
    q.array[:] = size * np.random.default_rng(seed).normal(size=q.getLocalSize())
    return q


@pytest.mark.parametrize("scheme", WITH_ENERGY)
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


@pytest.mark.parametrize("scheme", WITH_ENERGY)
def test_forces_sum_to_zero(patch, scheme) -> None:
    """Nᵀ returns what it takes: no translation does work, also with prescribed nodes' reactions counted."""
    g = patch.model.vector()
    patch.scheme(scheme).energy_gradient(_somewhere(patch.model), g)
    blocks = g.array.reshape(-1, 3)
    assert np.abs(total(blocks.sum(axis=0))).max() < 1e-10 * total(np.abs(blocks).sum())


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
    assert g.dot(q) == pytest.approx(total(float((f * moved).sum())), rel=1e-12)


def test_bgfc_has_no_force_at_its_reference(patch) -> None:
    """At rest and about a homogeneously strained crystal."""
    limit = 1e-10 * patch.force_scale()
    assert patch.residual(patch.scheme("bgfc"), np.zeros((3, 3))) < limit
    assert patch.residual(patch.scheme("bgfc", STRAIN), STRAIN) < limit


@pytest.mark.parametrize("scheme", WITHOUT)
def test_true_forces_vanish_in_the_perfect_crystal(patch, scheme) -> None:
    """The halo holds, in every layer of a network, whatever an atom with a true force feels."""
    assert patch.residual(patch.scheme(scheme), np.zeros((3, 3))) < 1e-10 * patch.force_scale()


@pytest.mark.parametrize("scheme", BLENDED)
def test_residual_goes_with_the_energy(patch, scheme) -> None:
    """The two ways to ask for it agree, and the energy of every scheme is a number."""
    scheme, q = patch.scheme(scheme), _somewhere(patch.model)
    alone, along = patch.model.vector(), patch.model.vector()
    scheme.residual(q, alone)
    assert np.isfinite(scheme.energy_gradient(q, along).total)
    np.testing.assert_array_equal(alone.array, along.array)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("material", SIMPLE)
@pytest.mark.parametrize("scheme", WITHOUT)
def test_no_force_under_any_uniform_strain(material, scheme, degree) -> None:
    """The patch test at 5 % strain, which no scheme with an energy passes."""
    patch = make_patch(material, COMM, law="cauchy-born", degree=degree)
    for gradient in (5 * LARGE, -5 * LARGE, 5 * LARGE.T):
        assert patch.residual(patch.scheme(scheme), gradient) < 1e-12 * patch.force_scale()
    assert patch.residual(patch.scheme("bqce"), 5 * LARGE) > 1e-5 * patch.force_scale()


@pytest.mark.parametrize("scheme", WITHOUT)
def test_second_order_in_a_uniform_strain_of_a_crystal_with_a_basis(scheme) -> None:
    """The internal shift is linear in the strain: what is left falls fourfold when that is halved."""
    patch = make_patch("stillinger-weber", COMM, law="cauchy-born")
    left = [patch.residual(patch.scheme(scheme), s * LARGE) for s in (1.0, 0.5)]
    assert 3.6 < left[0] / left[1] < 4.4


@pytest.mark.parametrize("material", ["stillinger-weber", "nnp"])
@pytest.mark.parametrize("scheme", WITHOUT)
def test_no_force_under_any_uniform_strain_where_the_basis_relaxes(material, scheme) -> None:
    """With the shift that the law relaxes at the local strain the patch test holds at 5 % in diamond too."""
    patch = make_patch(material, COMM, law="cauchy-born", relaxed=True)
    for gradient in (5 * LARGE, -5 * LARGE, 5 * LARGE.T):
        assert patch.residual(patch.scheme(scheme), gradient) < 1e-11 * patch.force_scale()


@pytest.mark.parametrize("scheme", WITHOUT)
def test_sublattices_that_pull_against_each_other_leave_no_net_force(scheme) -> None:
    """Under a uniform strain the linear shift leaves f on one sublattice and −f on the other: no row may weigh one
    more than the other. A net force would displace the whole core."""
    patch = make_patch("stillinger-weber", COMM, law="cauchy-born")
    g = patch.model.vector()
    patch.scheme(scheme).residual(patch.model.unknowns(lambda x: x @ LARGE.T), g)
    g.array[patch.model.fixed] = 0.0
    forces = g.array.reshape(-1, 3)
    size = total(np.abs(forces).sum())
    assert size > 1e-3 and np.abs(total(forces.sum(axis=0))).max() < 1e-9 * size


@pytest.fixture(scope="module")
def bent():
    """Lennard-Jones under a prescribed bent rim, brought to equilibrium by a scheme of any model."""
    patch = make_patch("lennard-jones", COMM, law="cauchy-born")

    def solve(scheme):
        q = patch.model.unknowns(lambda x: 0.02 * x + 0.1 * np.sin(0.2 * x + 0.2))
        solution = minimise(scheme, q, patch.precondition(), Settings(force_tolerance=1e-10))
        assert solution.converged
        return patch.model.positions(q), solution

    return patch, solve


def test_schwarz_is_bqcf_under_a_jump_of_the_mask(bent) -> None:
    """Two solvers that know nothing of each other reach the state in which all true forces vanish."""
    patch, solve = bent
    sharp = remasked(patch.model, replace(patch.model.mask, step="sharp"))
    together, _ = solve(SCHEMES["bqcf"](sharp, Reference()))
    in_turn, solution = solve(patch.scheme("schwarz"))
    assert solution.iterations < 40
    np.testing.assert_allclose(in_turn, together, atol=1e-8)


def test_schwarz_and_bqcf_agree_far_better_than_the_sharp_energy(bent) -> None:
    patch, solve = bent
    blended = solve(patch.scheme("bqcf"))[0]
    apart = {name: largest(solve(patch.scheme(name))[0] - blended) for name in ("schwarz", "sharp")}
    assert apart["schwarz"] < 1e-3
    assert apart["sharp"] > 10 * apart["schwarz"]


def test_ghost_force_of_a_sharp_mask_stays() -> None:
    """A jump has the same ghost force for every size, here five times that of the blend or more."""
    ghost = {}
    for blend in (9.0, 18.0):
        patch = make_patch("lennard-jones", COMM, blend=blend)
        ghost[blend] = [patch.residual(patch.scheme(s), np.zeros((3, 3))) for s in ("sharp", "bqce")]
    assert ghost[18.0][0] > 0.7 * ghost[9.0][0]
    assert ghost[18.0][0] > 5 * ghost[18.0][1]


def test_vacancy_feels_its_true_forces() -> None:
    """At the crystal's positions bgfc leaves the forces around an empty site as full atomistics has them, and
    none elsewhere."""
    for material in SIMPLE:
        patch = make_patch(material, COMM, remove=lambda x: np.linalg.norm(x, axis=1) < 1e-6)
        model = patch.model
        assert total(len(model.atoms.vacant.points)) == 1
        found, true = model.vector(), model.vector()
        patch.scheme("bgfc").residual(model.vector(), found)
        full = true_energy(model.atomistic, model.atoms.weights > 0.0)
        model.atoms_gradient(full, model.vector(), true)
        near = np.linalg.norm(model.atoms.reference[model.atoms.free], axis=1) < 6.0
        forces = true.array.reshape(-1, 3)[: len(near)][near]
        assert largest(forces) > 1e-2
        np.testing.assert_allclose(found.array.reshape(-1, 3)[: len(near)][near], forces, atol=1e-12)
        assert patch.model.block_norm(found) == pytest.approx(largest(np.linalg.norm(forces, axis=1)))


@pytest.mark.parametrize("material", SIMPLE)
def test_uniform_strain_has_the_crystals_energy(material) -> None:
    """Atoms and cells fill the crystal exactly: E = W(F) · volume, which no quadrature of 1 − w achieves."""
    patch = make_patch(material, COMM, law="cauchy-born")
    model = patch.model
    q = model.unknowns(lambda x: x @ STRAIN.T)
    energy = model.energy_gradient(q, model.vector()).total
    # the energy density from a cell far from the atoms, times the polygon's area and thickness
    bulk = model.bulk
    u = q.array[model.layout.mesh].copy()
    density = largest(bulk.cell_fields(u)["energy_density"])
    corners = gathered(bulk.node_coordinates()[bulk.tagged_dofs("outer")][:, :2])
    corners = corners[np.argsort(np.arctan2(corners[:, 1], corners[:, 0]))]
    x, y = corners.T
    area = 0.5 * abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
    assert energy == pytest.approx(density * area * thickness(patch.crystal, 2), rel=1e-6)


def test_ghost_force_of_bqce_falls_with_the_blend() -> None:
    """About as width⁻²; bgfc removes it at every width. Lennard-Jones, whose second neighbours pull."""
    ghost = {}
    for blend in (9.0, 18.0):
        patch = make_patch("lennard-jones", COMM, blend=blend)
        ghost[blend] = patch.residual(patch.scheme("bqce"), np.zeros((3, 3)))
    order = np.log2(ghost[9.0] / ghost[18.0])
    assert ghost[9.0] > 1e-3
    assert 1.4 < order < 2.8


@pytest.fixture(scope="module")
def alone() -> str:
    return run_ranks(1, "tests/coupling/ranks.py").splitlines()[-1]


@pytest.mark.parametrize("ranks", [2, 3])
def test_same_answer_on_any_number_of_ranks(alone, ranks) -> None:
    together = run_ranks(ranks, "tests/coupling/ranks.py").splitlines()[-1]
    np.testing.assert_allclose(
        np.fromstring(together, sep=" "), np.fromstring(alone, sep=" "), rtol=1e-10, atol=1e-13
    )


def test_slaved_atoms_sit_where_the_relaxed_crystal_has_them() -> None:
    """The internal shift of T: under a small strain every atom of the blend follows the relaxed basis."""
    model, crystal = (patch := make_patch("stillinger-weber", COMM)).model, patch.crystal
    small = 1e-3 * STRAIN
    F = np.eye(3) + small
    relaxed = HomogeneousCrystal(model.atomistic.potential, crystal).evaluate(F[None]).shifts[0]
    wanted = model.atoms.reference @ F.T + relaxed[model.atoms.sublattice]
    off = np.abs(model.positions(model.unknowns(lambda x: x @ small.T)) - wanted)
    assert total((~model.atoms.free).sum()) > 0 and largest(off) < 1e-3 * np.abs(relaxed).max()
