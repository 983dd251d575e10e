"""The compiled kernel of the density potential against automatic differentiation in double precision."""

import dataclasses
import logging

import numpy as np
import pytest
import torch
from ase.build import bulk

from nnp import evaluate as evaluation
from nnp.analytic.stillinger_weber import StillingerWeber
from nnp.committee import Committee
from nnp.crystal import make_crystal
from nnp.density.architecture import Architecture
from nnp.density.kernel.call import SOURCE
from nnp.density.model import DensityPotential
from nnp.evaluate import Sites, evaluate, hessian_vector
from nnp.families import load
from nnp.homogeneous import HomogeneousCrystal
from nnp.native import build
from nnp.native.build import BuildError, compiled
from nnp.neighbors import find_pairs
from nnp.potential import Graph
from nnp.state import State

ONE, TWO = (14,), (6, 14)
SMALL = {"cutoff": 4.0, "radial": 5, "channels": 5, "three_body": 4, "many_body": 3, "hidden": (9,)}
OPTIONS = [
    {},
    {"five_body": False},
    {"many_degree": 0},
    {"many_degree": 1, "degree": 1, "radial": 1},
    {"degree": 0, "many_degree": 0, "hidden": (3, 17, 6)},
    {"degree": 3, "repulsion": 0.0, "radial": 2},
    {"channels": 13, "three_body": 25, "many_body": 12, "hidden": (33, 5)},
]

pytestmark = pytest.mark.skipif(build.library(SOURCE) is None, reason="no compiler here")


def make_potential(numbers, **options):
    """Random weights, of the size that makes every part of the energy matter."""
    torch.manual_seed(3)
    potential = DensityPotential(Architecture(**{**SMALL, **options}), numbers).double().requires_grad_(False)
    for k in range(len(numbers)):
        descriptor, network = potential.element(k)
        descriptor.neighbours.fill_(9.0)
        network.mean.normal_()
        network.spread.uniform_(0.5, 2.0)
        network.linear.normal_()
        network.scale.fill_(0.7)
        network.offset.fill_(-1.3)
    return potential


def cluster(numbers, n=21, seed=0):
    """Atoms in a box with one period, some of them deep in each other's repulsion, one out of all reach."""
    rng = torch.Generator().manual_seed(seed)
    points = 6.5 * torch.rand(n, 3, dtype=torch.float64, generator=rng)
    points[0] = points[1] + torch.tensor([0.5, 0.4, -0.3])
    points[2] += 30.0
    species = torch.tensor(numbers)[torch.randint(len(numbers), (n,), generator=rng)]
    cell = torch.diag(torch.tensor([0.0, 0.0, 9.0], dtype=torch.float64))
    return State(points, species, cell, (False, False, True))


def crystal(numbers, seed=0):
    """A shaken crystal: as many sites as fill whole blocks, and a few more."""
    atoms = bulk("Si", "diamond", a=4.4, cubic=True) * (2, 2, 3)
    atoms.rattle(0.1, seed=seed)
    state = State.from_ase(atoms[:-5])
    rng = torch.Generator().manual_seed(seed)
    return dataclasses.replace(
        state, numbers=torch.tensor(numbers)[torch.randint(len(numbers), (len(state),), generator=rng)]
    )


def graph_of(state, cutoff):
    pairs = find_pairs(state, cutoff + 0.4)
    return Graph(pairs.i, pairs.j, pairs.vectors(state), state.numbers, state.numbers[pairs.j])


def by_autograd(potential, graph, weights, directions):
    r = graph.vectors.clone().requires_grad_(True)
    energies = potential.site_energies(dataclasses.replace(graph, vectors=r))
    (dr,) = torch.autograd.grad((weights * energies).sum(), r, create_graph=True)
    (h,) = torch.autograd.grad((dr * directions).sum(), r)
    return energies.detach(), dr.detach(), h


def assert_alike(found, expected, relative):
    assert float((found - expected).abs().max()) <= relative * float(expected.abs().max())


@pytest.mark.parametrize("numbers", [ONE, TWO])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("make", [cluster, crystal])
def test_it_is_automatic_differentiation(make, options, numbers):
    potential, state = make_potential(numbers, **options), make(numbers)
    graph = graph_of(state, potential.cutoff)
    torch.manual_seed(0)
    weights, directions = torch.rand(len(state), dtype=torch.float64), torch.randn_like(graph.vectors)
    energies, dr, h = by_autograd(potential, graph, weights, directions)
    found = potential.gradients(graph, weights)
    assert_alike(found[0], energies, 1e-12)
    assert_alike(found[1], dr, 1e-12)
    assert_alike(potential.curvature(graph, weights, directions), h, 1e-11)


def test_the_shipped_model_in_single_and_double_precision():
    state = State.from_ase(bulk("Si", "diamond", a=5.469, cubic=True) * (2, 2, 2))
    state = state.moved(state.positions + 0.1 * torch.randn(state.positions.shape, dtype=torch.float64))
    for dtype, tolerance in ((torch.float64, 1e-11), (torch.float32, 1e-4)):
        potential = load("si", dtype)
        graph = graph_of(
            dataclasses.replace(state, positions=state.positions.to(dtype), cell=state.cell.to(dtype)), 5.0
        )
        weights, directions = torch.ones(len(state), dtype=dtype), torch.randn_like(graph.vectors)
        expected = by_autograd(potential, graph, weights, directions)
        found = (*potential.gradients(graph, None), potential.curvature(graph, None, directions))
        for a, b in zip(found, expected):
            assert a.dtype == dtype
            assert_alike(a, b, tolerance)


def test_a_site_energy_depends_on_nothing_but_its_neighbourhood():
    potential, state = make_potential(TWO), cluster(TWO, n=40)
    graph = graph_of(state, potential.cutoff)
    before = potential.gradients(graph, None)[0]
    order = torch.randperm(len(state), generator=torch.Generator().manual_seed(5))
    rows = [torch.nonzero(graph.centre == s)[:, 0] for s in order.tolist()]
    pick = torch.cat(rows)
    centre = torch.repeat_interleave(torch.arange(len(order)), torch.tensor([len(r) for r in rows]))
    mixed = Graph(centre, centre, graph.vectors[pick], state.numbers[order], graph.neighbour_numbers[pick])
    assert torch.equal(potential.gradients(mixed, None)[0], before[order])
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert torch.equal(potential.gradients(graph, None)[0], before)
    finally:
        torch.set_num_threads(threads)


def test_a_committee_has_the_mean_of_its_members_derivatives():
    members = [make_potential(ONE), make_potential(ONE, five_body=False)]
    committee, state = Committee(members), crystal(ONE)
    pairs, v = find_pairs(state, 4.0), torch.randn(len(state), 3, dtype=torch.float64)
    graph = graph_of(state, 4.0)
    expected = by_autograd(committee, graph, torch.ones(len(state)), torch.ones_like(graph.vectors))
    found = (
        *committee.gradients(graph, None),
        committee.curvature(graph, None, torch.ones_like(graph.vectors)),
    )
    for a, b in zip(found, expected):
        assert_alike(a, b, 1e-11)
    each = [hessian_vector(p, state, pairs, v) for p in members]
    torch.testing.assert_close(hessian_vector(committee, state, pairs, v), 0.5 * (each[0] + each[1]))
    assert Committee([members[0], StillingerWeber()]).gradients(graph, None) is None


def test_changed_weights_are_noticed():
    potential, state = make_potential(ONE, repulsion=0.0), crystal(ONE)
    pairs = find_pairs(state, potential.cutoff)
    before = evaluate(potential, state, pairs)
    potential.element(0)[1].scale.mul_(2.0)
    after = evaluate(potential, state, pairs)
    torch.testing.assert_close(after.forces, 2.0 * before.forces, rtol=1e-13, atol=0)


def test_a_position_that_is_no_number_gives_no_number():
    potential, state = make_potential(TWO), crystal(TWO)
    graph = graph_of(state, potential.cutoff)
    graph.vectors[3] = torch.nan
    energies, dr = potential.gradients(graph, None)
    lost = torch.arange(len(state)) == graph.centre[3]
    assert torch.equal(torch.isnan(energies), lost)
    assert torch.isnan(dr[graph.centre == graph.centre[3]]).any()
    assert torch.isnan(potential.site_energies(graph)[lost]).all()  # and so without the kernel


def test_an_unknown_species_is_left_to_the_slow_path():
    potential, state = make_potential(TWO), crystal(TWO)
    graph = graph_of(state, potential.cutoff)
    graph.numbers[0] = 8
    assert potential.gradients(graph, None) is None


@pytest.fixture
def uncompiled(monkeypatch):
    """As if started afresh: what the environment says decides again."""
    build.reset()
    yield monkeypatch
    monkeypatch.undo()
    build.reset()


def test_without_a_compiler_the_answer_is_the_same_and_a_warning_says_so_once(uncompiled, caplog):
    potential, state = load("si"), crystal(ONE)
    pairs, v = find_pairs(state, 5.0), torch.randn(len(crystal(ONE)), 3, dtype=torch.float64)
    sites = Sites.weighted(torch.linspace(0.0, 1.0, len(state), dtype=torch.float64))
    fast = evaluate(potential, state, pairs, sites), hessian_vector(potential, state, pairs, v, sites)
    build.reset()
    uncompiled.setenv("CXX", "no-such-compiler")
    with caplog.at_level(logging.WARNING):
        slow = [
            (evaluate(potential, state, pairs, sites), hessian_vector(potential, state, pairs, v, sites))
            for _ in range(2)
        ][1]
    assert [r.message.count("compiler") for r in caplog.records] == [1]
    assert fast[0].energy == pytest.approx(slow[0].energy, rel=1e-13)
    torch.testing.assert_close(fast[0].forces, slow[0].forces, rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(fast[0].virial, slow[0].virial, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(fast[1], slow[1], rtol=1e-11, atol=1e-11)


def test_it_can_be_switched_off(uncompiled):
    uncompiled.setenv(build.SWITCH, "off")
    assert build.library(SOURCE) is None
    assert load("si").gradients(graph_of(crystal(ONE), 5.0), None) is None


def test_a_compiler_that_fails_is_named_with_its_message(tmp_path, monkeypatch):
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho 'x.cpp:1: error: something is wrong' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    with pytest.raises(BuildError, match="something is wrong"):
        compiled(SOURCE, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("switch", ["on", "off"])
def test_in_parts_it_is_the_same(switch, uncompiled):
    uncompiled.setenv(build.SWITCH, switch)
    potential, state = make_potential(TWO), crystal(TWO)
    pairs = find_pairs(state, potential.cutoff)
    v = torch.randn(len(state), 3, dtype=torch.float64)
    sites = Sites.weighted((torch.arange(len(state)) % 3).double())
    whole = evaluate(potential, state, pairs, sites), hessian_vector(potential, state, pairs, v, sites)
    uncompiled.setattr(evaluation, "PAIRS_AT_ONCE", len(pairs) // 7)
    parts = evaluate(potential, state, pairs, sites), hessian_vector(potential, state, pairs, v, sites)
    torch.testing.assert_close(parts[0].site_energies, whole[0].site_energies, rtol=1e-14, atol=0)
    for a, b in (
        (parts[0].forces, whole[0].forces),
        (parts[0].virial, whole[0].virial),
        (parts[1], whole[1]),
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12 * float(b.abs().max()))
    assert parts[0].energy == pytest.approx(whole[0].energy, rel=1e-13)


def test_the_deformed_crystal_is_the_same_by_the_kernel(uncompiled):
    F = np.eye(3) + 0.03 * np.random.default_rng(0).normal(size=(5, 3, 3))
    found = []
    for switch in ("on", "off"):
        build.reset()
        uncompiled.setenv(build.SWITCH, switch)
        homogeneous = HomogeneousCrystal(load("si"), make_crystal("diamond", "Si", 5.469))
        at = homogeneous.evaluate(F)
        found.append((at.energy, at.stress, homogeneous.tangent(F, at.shifts)))
    for fast, slow in zip(*found):
        np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-10 * np.abs(slow).max())
