"""Masked site energies: the right energies from few evaluations, exact derivatives, in every scheme."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from crystals import MATERIALS
from patch import make_patch, whole_state

from coupling.assemble import atomistic_model
from coupling.bodies import Graded, by_surface_cell, sides, uniform
from coupling.cut import Cut
from coupling.hessian import reference_hessian
from coupling.masking import Masking, masked
from coupling.regions import Ball
from coupling.schemes import SCHEMES, Reference
from nnp.evaluate import Sites, evaluate
from nnp.neighbors import find_pairs
from tests.mpi import COMM, gathered, largest, total

GRADED = Graded(0.8, 0.1, (0.5,), 3.0, 6.0)
BODIES = ["triangular", "lennard-jones", "stillinger-weber", "nnp"]


def _height(crystal) -> float:
    """Half way between two atomic planes."""
    planes = np.sort(np.append(-crystal.planes(1), crystal.planes(1)))
    gaps = np.diff(planes)
    k = int(np.argmax(np.round(gaps, 6)))
    return float(planes[k] + 0.5 * gaps[k])


def masking_of(model, chi) -> Masking:
    points = model.atoms.reference
    return Masking(sides(points, _height(model.crystal)), chi(points))


@cache
def _disc(material: str):
    potential, crystal = MATERIALS[material]()
    model = atomistic_model(potential, crystal, Ball((0.0, 0.0), 9.0), 2, COMM, None)
    weights = model.atoms.weights * np.linspace(0.2, 1.0, len(model.atoms))
    return replace(model, atomistic=replace(model.atomistic, weights=weights))


def _opened(model, opening, size=0.05):
    """Positions with the upper body displaced, and all atoms off their sites."""
    rng = np.random.default_rng(0)
    y = model.atoms.reference + size * rng.normal(size=(len(model.atoms), 3))
    y[model.atoms.reference[:, 1] > _height(model.crystal)] += opening
    return y


@pytest.mark.parametrize("opening", [(0.0, 0.0, 0.0), (0.7, 0.6, 0.3)])
@pytest.mark.parametrize("material", MATERIALS)
def test_masked_energy_is_the_weighted_sum_of_two_full_evaluations(material, opening) -> None:
    """In every layer of a network too: each body alone, evaluated as a crystal of its own."""
    model = _disc(material)
    masking = masking_of(model, GRADED)
    energy = masked(model.atomistic, masking)
    y = _opened(model, np.array(opening))

    state, own = whole_state(model, y)
    weights, chi, label = (
        torch.from_numpy(gathered(v)) for v in (energy.weights, masking.chi, masking.bodies.label)
    )
    pairs = find_pairs(state, energy.potential.cutoff)
    everyone = torch.arange(len(state))
    whole = evaluate(energy.potential, state, pairs, Sites(everyone, chi * weights))
    alone = pairs.select(label[pairs.i] == label[pairs.j])
    rest = evaluate(energy.potential, state, alone, Sites(everyone, (1.0 - chi) * weights))

    found, gradient = energy(y)
    zero = float(energy.weights @ energy.zero_level)
    assert total(found) == pytest.approx(whole.energy + rest.energy - total(zero), abs=1e-9)
    np.testing.assert_allclose(gradient, -(whole.forces + rest.forces).numpy()[own], atol=1e-9)
    index, energies = energy.site_energies(y)
    np.testing.assert_allclose(energy.weights[index] @ energies, found, atol=1e-9)
    unmasked, _ = model.atomistic(y)
    assert abs(total(unmasked - found)) > 0.01


def test_nothing_changes_and_nothing_is_paid_where_chi_is_one() -> None:
    model = _disc("stillinger-weber")
    energy, y = masked(model.atomistic, masking_of(model, uniform(1.0))), _opened(model, np.zeros(3))
    before = energy.counter.sites
    found, plain = energy(y), model.atomistic(y)
    assert energy.counter.sites - before == 2 * energy.n_sites == 2 * model.atomistic.n_sites
    assert found[0] == plain[0]
    np.testing.assert_array_equal(found[1], plain[1])


def test_only_sites_next_to_the_interface_are_evaluated_twice() -> None:
    """χ = 0: as many site energies as without masking; 0 < χ < 1: one more for each site with a cross pair."""
    model = _disc("stillinger-weber")
    plain, sites = model.atomistic, int((model.atomistic.weights != 0.0).sum())
    y = model.atoms.reference
    near = np.abs(y[:, 1] - _height(model.crystal)) < plain.potential.cutoff + plain.skin
    for chi, extra in ((0.0, 0), (0.5, int((near & (plain.weights != 0.0)).sum()))):
        energy = masked(plain, masking_of(model, uniform(chi)))
        before = energy.counter.sites
        energy(y)
        assert sites <= energy.counter.sites - before == energy.n_sites <= sites + extra
    assert total(energy.n_sites - sites) > 0.5 * total(extra) > 0


def test_an_atom_keeps_its_body_after_sliding_by_periods() -> None:
    """χ = 0: bodies that slide over each other do not notice, at no distance."""
    model = _disc("stillinger-weber")
    energy = masked(model.atomistic, masking_of(model, uniform(0.0)))
    for slide in ([3.0, -0.3, 1.0], [25.0, 0.0, 30.0]):
        assert total(energy(_opened(model, np.array(slide), 0.0))[0]) == pytest.approx(0.0, abs=1e-9)
        assert abs(total(model.atomistic(_opened(model, np.array(slide), 0.0))[0])) > 0.1


@pytest.mark.parametrize("material", ["stillinger-weber", "equivariant"])
def test_hessian_products_are_the_derivative_of_the_masked_gradient(material) -> None:
    model = _disc(material)
    energy, y = masked(model.atomistic, masking_of(model, GRADED)), _opened(model, np.array([0.3, 0.4, 0.2]))
    v = np.random.default_rng(1).normal(size=y.shape)
    product, h = energy.curvature(y)(v), 1e-4
    numeric = (energy(y + h * v)[1] - energy(y - h * v)[1]) / (2 * h)
    np.testing.assert_allclose(product, numeric, atol=2e-6 * largest(numeric))


def test_preconditioner_of_masked_bodies_holds_no_bonds_between_them() -> None:
    """At χ = 0 sliding one body costs nothing; at ½ half of what it does unmasked, in a crystal of pairs exactly."""
    model = _disc("triangular")
    v = np.zeros((len(model.atoms), 3))
    v[model.atoms.reference[:, 1] > _height(model.crystal), 0] = 1.0
    cost = {}
    for chi in (0.0, 0.5, 1.0):
        energy = masked(model.atomistic, masking_of(model, uniform(chi)))
        slid, hessian = model.vector(), reference_hessian(energy, model.crystal)
        slid.array[:] = v.ravel()
        cost[chi] = slid.dot(hessian * slid)
    assert abs(cost[0.0]) < 1e-9 * cost[1.0] and cost[0.5] == pytest.approx(0.5 * cost[1.0])


def test_every_layer_has_the_same_mean_of_chi_by_surface_cells() -> None:
    """Of the atoms in whole repeat cells, layer by layer, to rounding: also for a step that falls between atoms."""
    _, crystal = MATERIALS["stillinger-weber"]()
    points = crystal.sites(np.array([-30.0, -7.0, 0.0]), np.array([30.0, 7.0, crystal.period((0, 0, 1))]))[0]
    chi = by_surface_cell(Graded(1.0, 0.2, (0.7,), 4.0, 11.0), crystal)(points)
    inner = np.abs(points[:, 0]) < 25.0  # beyond, χ is 0.2 whatever
    sums = [
        (chi[inner & (np.abs(points[:, 1] - y) < 1e-3)] - 0.2).sum() for y in np.unique(points[:, 1].round(4))
    ]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-12)


@pytest.fixture(scope="module", params=BODIES)
def patch(request):
    """A coupled model whose atoms carry a graded share of the adhesion across a plane through its core."""
    patch = make_patch(request.param, COMM)
    model = patch.model
    atomistic = masked(model.atomistic, masking_of(model, by_surface_cell(GRADED, patch.crystal)))
    model = replace(model, atomistic=atomistic)
    return replace(patch, model=model, hessian=reference_hessian(atomistic, patch.crystal))


@pytest.mark.parametrize("opening", [0.0, 0.8])
@pytest.mark.parametrize("name", [name for name in SCHEMES if name != "atomistic"])
def test_every_scheme_differentiates_the_masked_energy(patch, name, opening) -> None:
    """Gradient and tangent by finite differences, at rest and with the free upper atoms 0.8 Å up and 0.5 Å aside; a
    scheme without an energy has a tangent only."""
    scheme = patch.scheme(name)
    model = scheme.model
    assert model.atomistic.masking is not None
    rng = np.random.default_rng(0)
    q, v = model.vector(), model.vector()
    q.array[:] = 0.01 * rng.normal(size=q.getLocalSize())
    v.array[:] = rng.normal(size=v.getLocalSize())
    free = model.atoms.reference[model.atoms.free, 1] > _height(patch.crystal)
    blocks = q.array.reshape(-1, 3)
    blocks[: len(free)][free] += opening * np.array([0.6, 1.0, 0.0])
    h, energies, gradients = 1e-4, [], []
    for step in (-2, -1, 1, 2):
        moved, g = q.copy(), model.vector()
        moved.axpy(step * h, v)
        energies.append(scheme.energy_gradient(moved, g).total)
        gradients.append(g.array.copy())
    g, out, by = model.vector(), model.vector(), np.array([1.0, -8.0, 8.0, -1.0]) / (12 * h)
    scheme.energy_gradient(q, g)
    if scheme.has_energy:
        assert g.dot(v) == pytest.approx(by @ energies, rel=2e-6)
    if hasattr(scheme, "tangent"):
        change = by @ np.array(gradients)
        scheme.tangent(q)(v, out)
        np.testing.assert_allclose(out.array, change, atol=2e-6 * largest(change))


def test_masked_crystal_at_rest_is_balanced_by_bgfc(patch) -> None:
    """The free surfaces that masking makes inside the closed crystal pull (those of Stillinger–Weber do not); nothing
    of it is left at the reference."""
    at_rest = np.zeros((3, 3))
    stillinger_weber = len(patch.crystal.basis) == 2 and patch.model.atomistic.potential.cutoff < 4.0
    assert stillinger_weber or patch.residual(patch.scheme("bqce"), at_rest) > 1e-4 * patch.force_scale()
    assert patch.residual(patch.scheme("bgfc"), at_rest) < 1e-10 * patch.force_scale()
    energy = patch.scheme("bgfc").energy_gradient(patch.model.vector(), patch.model.vector())
    assert energy.total == pytest.approx(0.0, abs=1e-8)


def test_a_crack_in_masked_bodies_pulls_as_in_the_whole_crystal() -> None:
    """Where bonds are cut bgfc leaves the forces of the atomistic crystal, unmasked, with the same cut, blended."""
    patch = make_patch("lennard-jones", COMM)
    plain = patch.model.atomistic
    atomistic = masked(plain, masking_of(patch.model, by_surface_cell(GRADED, patch.crystal)))
    cut = Cut((0.5, _height(patch.crystal)))
    model = replace(patch.model, atomistic=atomistic)
    scheme = SCHEMES["bgfc"](model, Reference(cut=cut))
    keep = cut.filter
    scheme.model = replace(model, atomistic=replace(atomistic, keep=keep))
    found, true, w = model.vector(), model.vector(), model.atoms.weights
    scheme.residual(model.vector(), found)
    whole = replace(plain, weights=np.ones(len(w)), keep=keep)
    model.atoms_gradient(whole, model.vector(), true, w)
    assert model.block_norm(true) > 1e-2
    found.axpy(-1.0, true)
    assert model.block_norm(found) < 1e-10 * patch.force_scale()
