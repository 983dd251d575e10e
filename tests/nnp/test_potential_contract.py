"""What every registered potential must satisfy; the sweep takes in whatever the registry holds."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.data import chemical_symbols, reference_states
from hypothesis import given, settings
from hypothesis import strategies as st

import nnp.models
from nnp.crystal import make_crystal
from nnp.equilibrium import lattice_constant
from nnp.evaluate import Sites, evaluate, hessian_vector
from nnp.neighbors import find_pairs
from nnp.potential import Potential, UnknownSpeciesError, check_species
from nnp.registry import POTENTIALS, make_potential
from nnp.state import State
from tests.nnp import small_models
from tests.nnp.n2p2_files import SCRATCH, bound_silicon
from tests.nnp.setfl_files import made_up_alloy

torch.set_num_threads(1)
SHIPPED = sorted(p.stem for p in Path(nnp.models.__path__[0]).glob("*.safetensors"))
GIVEN = {  # parameters of those that stand for nothing without
    "eam": {"file": str(made_up_alloy())},
    "n2p2": {"folder": str(bound_silicon(SCRATCH / "one"))},
    "committee": {
        "models": f"{bound_silicon(SCRATCH / 'one')}, {bound_silicon(SCRATCH / 'two', depth=0.12)}"
    },
}
CASES = [
    (name, GIVEN.get(name, {})) for name in sorted(POTENTIALS) if name not in ("nnp", "ase")
]  # an ASE calculator has no site energies
CASES += [("nnp", {"model": model}) for model in SHIPPED]
CASES += [("nnp", {"model": str(small_models.bound_silicon(name))}) for name in small_models.SMALL]
every = pytest.mark.parametrize("case", CASES, ids=lambda c: Path(c[1].get("model", c[0])).stem)
SKIN = 0.6


@cache
def _built(name: str, items: tuple) -> tuple[Potential, State]:
    potential = make_potential(name, **dict(items))
    symbol = chemical_symbols[potential.numbers[0]]
    structure = (reference_states[potential.numbers[0]] or {"symmetry": "triangular"})["symmetry"]
    crystal = make_crystal(structure, symbol, lattice_constant(potential, structure, symbol))
    rng = np.random.default_rng(3)
    bulk = crystal.bulk_state((2, 2, 1) if structure == "triangular" else (2, 2, 2))
    noise = torch.as_tensor(0.04 * potential.cutoff * (rng.random(bulk.positions.shape) - 0.5))
    strain = torch.as_tensor(np.eye(3) + 0.02 * rng.normal(size=(3, 3)))
    return potential, State(bulk.positions @ strain + noise, bulk.numbers, bulk.cell @ strain, bulk.pbc)


def build(case) -> tuple[Potential, State]:
    """The potential and a strained, rattled piece of its crystal."""
    return _built(case[0], tuple(case[1].items()))


def cluster(case, seed: int = 0, n: int = 9) -> tuple[Potential, State, np.random.Generator]:
    """The potential and a few atoms of its crystal, free in space, away from their sites."""
    potential, bulk = build(case)
    rng = np.random.default_rng(seed)
    block = bulk.to_ase() * (2, 2, 1)
    y = block.positions - block.positions.mean(0)
    near = np.argsort(np.linalg.norm(y, axis=1))[:n]
    y = torch.as_tensor(y[near] + 0.02 * potential.cutoff * (rng.random((n, 3)) - 0.5))
    numbers = torch.as_tensor(block.numbers[near], dtype=torch.long)
    return potential, State(y, numbers, torch.zeros((3, 3), dtype=y.dtype), (False,) * 3), rng


def energy(potential, state):
    return evaluate(potential, state, find_pairs(state, potential.cutoff)).energy


@every
def test_forces_and_virial_are_the_derivatives_of_the_energy(case):
    potential, state = build(case)
    pairs = find_pairs(state, potential.cutoff + SKIN)
    found, h = evaluate(potential, state, pairs), 3e-5
    d = torch.as_tensor(np.random.default_rng(0).normal(size=(len(state), 3)))
    up, down = (evaluate(potential, state.moved(state.positions + s * h * d), pairs).energy for s in (1, -1))
    assert (up - down) / (2 * h) == pytest.approx(-float((found.forces * d).sum()), rel=2e-6, abs=1e-8)

    e = torch.as_tensor(np.random.default_rng(1).normal(size=(3, 3)))

    def strained(s):
        F = torch.eye(3, dtype=torch.float64) + s * h * e
        return evaluate(
            potential, State(state.positions @ F, state.numbers, state.cell @ F, state.pbc), pairs
        )

    slope = (strained(1).energy - strained(-1).energy) / (2 * h)
    assert slope == pytest.approx(float((found.virial * e).sum()), abs=1e-6 * float(found.virial.abs().max()))


@every
def test_hessian_vector_is_the_derivative_of_the_forces(case):
    potential, state = build(case)
    pairs, h = find_pairs(state, potential.cutoff + SKIN), 1e-5
    v = torch.as_tensor(np.random.default_rng(2).normal(size=(len(state), 3)))
    product = hessian_vector(potential, state, pairs, v)
    up, down = (evaluate(potential, state.moved(state.positions + s * h * v), pairs).forces for s in (1, -1))
    assert torch.allclose(product, (down - up) / (2 * h), atol=1e-6 * float(product.abs().max()), rtol=0)


@every
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_symmetries(case, seed):
    potential, state, rng = cluster(case, seed)
    reference = evaluate(potential, state, find_pairs(state, potential.cutoff))
    Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]  # rotations and reflections alike
    Q = torch.as_tensor(Q)
    order = torch.as_tensor(rng.permutation(len(state)))
    shift = torch.as_tensor(10.0 * rng.normal(size=3))
    moved = State((state.positions @ Q + shift)[order], state.numbers[order], state.cell, state.pbc)
    found = evaluate(potential, moved, find_pairs(moved, potential.cutoff))
    scale = float(reference.forces.abs().max())
    assert torch.allclose(found.site_energies, reference.site_energies[order], rtol=1e-10, atol=1e-10)
    assert torch.allclose(found.forces, (reference.forces @ Q)[order], rtol=0, atol=1e-9 * max(1.0, scale))


@every
def test_sites_add_up_to_the_whole(case):
    potential, state = build(case)
    pairs = find_pairs(state, potential.cutoff)
    whole = evaluate(potential, state, pairs)
    forces, energies = torch.zeros_like(whole.forces), []
    for i in range(len(state)):
        one = evaluate(potential, state, pairs, Sites(torch.tensor([i]), torch.ones(1, dtype=torch.float64)))
        energies.append(one.energy)
        forces += one.forces
    assert np.allclose(energies, whole.site_energies.numpy(), rtol=1e-11, atol=1e-11)
    assert torch.allclose(forces, whole.forces, atol=1e-9)


@every
def test_weights_enter_linearly(case):
    potential, state = build(case)
    pairs = find_pairs(state, potential.cutoff)
    w = torch.as_tensor(np.random.default_rng(5).random(len(state)))
    found = evaluate(potential, state, pairs, Sites.weighted(w))
    h, d = 1e-4, torch.as_tensor(np.random.default_rng(6).normal(size=(len(state), 3)))
    up, down = (
        evaluate(potential, state.moved(state.positions + s * h * d), pairs).site_energies for s in (1, -1)
    )
    assert found.energy == pytest.approx(float((w * found.site_energies).sum()))
    slope = float((w * (up - down)).sum()) / (2 * h)
    assert slope == pytest.approx(-float((found.forces * d).sum()), rel=5e-6, abs=1e-8)


@every
def test_pairs_beyond_the_cutoff_do_nothing(case):
    potential, state = build(case)
    v = torch.ones_like(state.positions) * torch.arange(3.0, dtype=torch.float64)
    v = v * torch.arange(len(state), dtype=torch.float64)[:, None]
    short, long = find_pairs(state, potential.cutoff), find_pairs(state, 1.5 * potential.cutoff)
    a, b = evaluate(potential, state, short), evaluate(potential, state, long)
    assert len(long) > len(short)
    assert torch.allclose(a.site_energies, b.site_energies, atol=1e-12, rtol=1e-12)
    assert torch.allclose(a.forces, b.forces, atol=1e-10)
    ha, hb = hessian_vector(potential, state, short, v), hessian_vector(potential, state, long, v)
    assert torch.allclose(ha, hb, atol=1e-9 * float(ha.abs().max()), rtol=0)


@every
def test_energy_force_and_stiffness_reach_the_cutoff_smoothly(case):
    potential, _ = build(case)
    axis = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)

    def dimer(r):
        state = State(
            r * axis, torch.full((2,), potential.numbers[0]), 0.0 * torch.eye(3).double(), (False,) * 3
        )
        pairs = find_pairs(state, 1.5 * potential.cutoff)
        found = evaluate(potential, state, pairs)
        stiffness = hessian_vector(potential, state, pairs, axis)
        return np.array([found.energy, float(found.forces[1, 0]), float(stiffness[1, 0])])

    rc = potential.cutoff
    apart = dimer(1.2 * rc)
    well = np.array([dimer(r) - apart for r in np.linspace(0.4 * rc, rc, 40)])
    gap = dimer(rc * (1 - 1e-5)) - apart
    assert np.all(np.isfinite(well))
    assert np.all(np.abs(gap) <= 1e-3 * np.abs(well).max(0))
    assert np.all(np.abs(dimer(rc) - apart) <= 1e-3 * np.abs(well).max(0))


@every
def test_single_precision(case):
    potential, state = build(case)
    pairs = find_pairs(state, potential.cutoff)
    single = State(state.positions.float(), state.numbers, state.cell.float(), state.pbc)
    a, b = evaluate(potential, state, pairs), evaluate(potential, single, pairs)
    assert b.forces.dtype == torch.float32
    assert float((a.forces - b.forces).abs().max()) < 2e-4 * max(1.0, float(a.forces.abs().max()))


@every
def test_an_isolated_atom_feels_nothing(case):
    potential, _ = build(case)
    one = State(
        torch.zeros((1, 3), dtype=torch.float64),
        torch.tensor([potential.numbers[0]]),
        torch.zeros((3, 3), dtype=torch.float64),
        (False,) * 3,
    )
    pairs = find_pairs(one, potential.cutoff)
    found = evaluate(potential, one, pairs)
    assert np.isfinite(found.energy)
    assert torch.equal(found.forces.abs(), torch.zeros((1, 3), dtype=torch.float64))
    assert torch.equal(
        hessian_vector(potential, one, pairs, torch.ones_like(one.positions)).abs(), 0 * found.forces
    )


@every
def test_other_elements_are_named(case):
    potential, _ = build(case)
    with pytest.raises(UnknownSpeciesError, match="not Og"):
        check_species(potential, torch.tensor([potential.numbers[0], 118]))
