"""The families with message passing and the trainable Behler–Parrinello form: what each must satisfy."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
import yaml
from scipy.stats import ortho_group

from nnp.committee import Committee
from nnp.crystal import make_crystal
from nnp.evaluate import Sites, evaluate, hessian_vector
from nnp.families import load, save
from nnp.field import shells
from nnp.homogeneous import HomogeneousCrystal
from nnp.neighbors import find_pairs
from nnp.state import State
from nnp.statistics import extrapolation
from nnp.train.job import run_job
from tests.nnp.small_models import MESSAGES, SMALL, bound_silicon, small
from tests.nnp.training_data import crystals, settings, write

torch.set_num_threads(1)
every = pytest.mark.parametrize("name", SMALL)
passing = pytest.mark.parametrize("name", MESSAGES)
FREE = (False,) * 3


def cluster(n=12, seed=0, numbers=(6, 14), size=6.0):
    """Atoms in free space, no two closer than 1.7 Å."""
    rng = np.random.default_rng(seed)
    points = np.empty((0, 3))
    while len(points) < n:
        p = rng.uniform(0.0, size, 3)
        if len(points) == 0 or np.linalg.norm(points - p, axis=1).min() > 1.7:
            points = np.vstack([points, p])
    return line(points, rng.choice(numbers, n))


def line(points, numbers):
    """Atoms at given points in free space."""
    y = torch.as_tensor(np.asarray(points, float))
    return State(y, torch.as_tensor(numbers), torch.zeros((3, 3), dtype=y.dtype), FREE)


def run(potential, state, sites=None, skin=0.0):
    return evaluate(potential, state, find_pairs(state, potential.cutoff + skin), sites)


@every
@pytest.mark.parametrize("sign", [1, -1], ids=["rotated", "reflected"])
def test_energy_is_invariant_and_forces_turn_with_the_atoms(name, sign):
    potential, atoms, q = small(name), cluster(), ortho_group.rvs(3, random_state=0)
    q = torch.as_tensor(q * sign * np.linalg.det(q))
    order = torch.randperm(len(atoms), generator=torch.Generator().manual_seed(0))
    moved = State((atoms.positions @ q.T + 1.3)[order], atoms.numbers[order], atoms.cell, atoms.pbc)
    a, b = run(potential, atoms), run(potential, moved)
    size = float(a.forces.abs().max())
    assert size > 1e-2
    torch.testing.assert_close(a.site_energies[order], b.site_energies, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close((a.forces @ q.T)[order], b.forces, rtol=0, atol=1e-11 * size)


@every
def test_energies_of_parts_far_apart_add_up(name):
    potential, a, b = small(name), cluster(seed=2), cluster(seed=3)
    both = line(torch.cat([a.positions, b.positions + 40.0]), torch.cat([a.numbers, b.numbers]))
    apart = torch.cat([run(potential, s).site_energies for s in (a, b)])
    torch.testing.assert_close(run(potential, both).site_energies, apart, rtol=1e-12, atol=1e-12)


@every
def test_derivatives_with_two_elements_and_some_of_the_sites(name):
    """Forces and Hessian–vector products of Σ w_i ε_i, where only a third of the atoms has weight."""
    potential, atoms, h = small(name), cluster(18, size=8.0), 1e-5
    w = torch.zeros(len(atoms), dtype=torch.float64)
    w[::3] = torch.linspace(0.2, 1.0, 6, dtype=torch.float64)
    pairs, sites = find_pairs(atoms, potential.cutoff + 0.5), Sites.weighted(w)
    d, v = torch.randn(2, len(atoms), 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    here = evaluate(potential, atoms, pairs, sites)
    up, down = (evaluate(potential, atoms.moved(atoms.positions + s * h * d), pairs) for s in (1, -1))
    whole = [float((w * e.site_energies).sum()) for e in (up, down)]
    assert here.energy == pytest.approx(float((w * evaluate(potential, atoms, pairs).site_energies).sum()))
    assert len(here.site_energies) == 6
    assert (whole[0] - whole[1]) / (2 * h) == pytest.approx(-float((here.forces * d).sum()), abs=1e-7)
    hv = hessian_vector(potential, atoms, pairs, v, sites)
    up, down = (evaluate(potential, atoms.moved(atoms.positions + s * h * v), pairs, sites) for s in (1, -1))
    torch.testing.assert_close(hv, (down.forces - up.forces) / (2 * h), atol=1e-6, rtol=0)


@every
def test_receptive_field(name):
    """In a chain, an atom is felt as far as layers × cutoff reach, and not beyond."""
    potential = small(name)
    step = 0.95 * potential.cutoff
    chain = line([[k * step, 0.1 * (k % 2), 0] for k in range(6)], [14] * 6)

    def felt(k):
        moved = chain.positions.clone()
        moved[k, 1] += 0.3
        a, b = (run(potential, chain.moved(y)).site_energies[0] for y in (chain.positions, moved))
        return abs(float(a - b))

    reached = round(potential.receptive_field / potential.cutoff)
    assert shells(potential) == reached - 1 == (1 if name in MESSAGES else 0)
    assert all(felt(k) > 1e-12 for k in range(1, reached + 1))
    assert all(felt(k) == 0.0 for k in range(reached + 1, 6))


@every
def test_an_atom_enters_the_cutoff_with_two_continuous_derivatives(name):
    """The energy of the far atom's entry goes with the third power of its depth, in every layer."""
    potential = small(name, (14,))

    def step(
        h,
    ):  # how the energy changes when the last atom of a chain is h inside the cutoff of the middle one
        points = [[0, 0, 0], [2.1, 0, 0], [2.1, potential.cutoff - h, 0]]
        inside, outside = (
            run(potential, line(p, [14] * 3)).site_energies for p in (points, _lifted(points, h))
        )
        return (inside - outside).abs()

    depth = potential.cutoff / 4000
    ratio = step(depth) / step(depth / 2)
    far = step(depth)
    for site in range(3) if name in MESSAGES else (1, 2):
        assert float(far[site]) > 1e-13 and 7.5 < float(ratio[site]) < 8.5


def _lifted(points, h):
    return [*points[:-1], [points[-1][0], points[-1][1] + 2 * h, 0]]


@every
def test_close_atoms_repel(name):
    potential = small(name)
    energies = [
        run(potential, line([[0, 0, 0], [r, 0, 0]], [6, 14])).energy for r in np.linspace(0.9, 0.2, 15)
    ]
    assert all(b > a + 1.0 for a, b in itertools.pairwise(energies))


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_file_holds_the_model(name, dtype, tmp_path):
    potential, atoms = small(name).to(dtype), cluster()
    save(potential, tmp_path / "m.safetensors", {"data": "none"})
    again = load(tmp_path / "m.safetensors")
    assert again.header["training"] == {"data": "none"} and again.architecture == potential.architecture
    assert again.receptive_field == potential.receptive_field
    a, b = run(potential, atoms), run(again, atoms)
    assert b.forces.dtype == torch.float64
    torch.testing.assert_close(a.forces, b.forces, rtol=1e-12, atol=1e-12)


@every
def test_single_precision_weights_are_symmetric_in_double(name, tmp_path):
    """No constant of the network's is rounded with its weights."""
    save(small(name).float(), tmp_path / "m.safetensors")
    potential, atoms = load(tmp_path / "m.safetensors"), cluster()
    q = torch.as_tensor(ortho_group.rvs(3, random_state=0))
    a, b = run(potential, atoms), run(potential, atoms.moved(atoms.positions @ q.T))
    torch.testing.assert_close(a.site_energies, b.site_energies, rtol=1e-12, atol=1e-12)


@passing
def test_crystal_under_strain_is_that_of_an_explicit_one(name):
    """Messages come from the copies of the cell: energy, stress and relaxed basis."""
    potential = load(bound_silicon(name))
    crystal = make_crystal("diamond", "Si", 5.43, {"y": [1, 1, 1], "z": [1, -1, 0]})
    F = np.eye(3) + 0.04 * np.random.default_rng(0).normal(size=(3, 3))
    homogeneous, h = HomogeneousCrystal(potential, crystal), 2e-5
    response = homogeneous.evaluate(F[None])

    def block(F, shifts, repeat):
        state = crystal.bulk_state(repeat)
        y = state.positions.numpy() @ F.T + np.tile(shifts, (len(state) // len(shifts), 1))
        return run(potential, State(torch.as_tensor(y), state.numbers, state.cell @ torch.as_tensor(F.T)))

    rest = block(np.eye(3), homogeneous.evaluate(np.eye(3)[None]).shifts[0], (2, 1, 3))
    found = block(F, response.shifts[0], (2, 1, 3))
    assert response.energy[0] * 6 * crystal.volume == pytest.approx(found.energy - rest.energy, abs=1e-9)
    assert np.abs(found.forces.numpy()).max() < 1e-8
    dF = np.random.default_rng(1).normal(size=(3, 3))
    up, down = (block(F + s * h * dF, response.shifts[0], (1, 1, 1)).energy for s in (1, -1))
    work = (response.stress[0] * dF).sum() * crystal.volume
    assert (up - down) / (2 * h) == pytest.approx(work, rel=1e-5, abs=1e-7)


def test_a_committee_of_different_reach():
    """Members with and without messages: the sites that one needs do not disturb the other."""
    members = [small("equivariant"), small("behler"), small("schnet", layers=3)]
    committee, atoms = Committee(members), cluster(18, size=8.0)
    assert shells(committee) == 2
    pairs = find_pairs(atoms, committee.cutoff)
    sites = Sites(torch.tensor([2, 9]), torch.tensor([1.0, 0.5], dtype=torch.float64))
    whole = sum(run(m, atoms).site_energies for m in members) / 3
    found = evaluate(committee, atoms, pairs, sites)
    torch.testing.assert_close(found.site_energies, whole[sites.index], rtol=1e-12, atol=1e-12)


@passing
def test_removed_pairs_carry_no_message_in_any_layer(name):
    """Two bodies with all pairs between them removed are two bodies alone."""
    potential, atoms = small(name), cluster(16)
    pairs, upper = find_pairs(atoms, potential.cutoff), atoms.positions[:, 1] > 3.0
    kept = pairs.select(upper[pairs.i] == upper[pairs.j])
    assert len(kept) < len(pairs)
    found = evaluate(potential, atoms, kept).site_energies
    for side in (upper, ~upper):
        alone = dataclasses.replace(atoms, positions=atoms.positions[side], numbers=atoms.numbers[side])
        torch.testing.assert_close(run(potential, alone).site_energies, found[side], rtol=1e-12, atol=1e-12)


@every
def test_nothing_is_random(name):
    potential, atoms = small(name), cluster(18, size=8.0)
    assert torch.equal(run(potential, atoms).forces, run(potential, atoms).forces)


@every
def test_two_elements_are_learned(name, tmp_path):
    """Every second atom is called carbon, and is 1 eV lower than silicon: forces and reference energies follow."""
    frames = crystals(12)
    for atoms in frames:
        atoms.numbers[::2] = 6
        atoms.info["REF_energy"] -= 0.5 * len(atoms)
    tree = {
        "model": {
            "type": name,
            **{k: list(v) if isinstance(v, tuple) else v for k, v in SMALL[name].items()},
        },
        "data": {"validation": 0.25},
        "optimiser": {"epochs": 24 if name == "schnet" else 8, "batch": 2, "warm_up": 4, "average": 0.9},
        "checkpoint_every": 12,
    }
    config = settings(tmp_path, yaml.safe_dump(tree))
    assert config.model.type == name and config.model.cutoff == SMALL[name]["cutoff"]
    outcome = run_job(config, write(tmp_path / "sic.xyz", frames), tmp_path / "run")
    labels = np.concatenate([atoms.arrays["REF_forces"].ravel() for atoms in frames])
    found = outcome.errors["validation"]["all"]
    assert found["forces"]["rmse"] < 0.7 * np.sqrt(np.mean(labels**2))
    model = load(outcome.model)
    assert (
        model.numbers == (6, 14)
        and np.isfinite(extrapolation(model, State.from_ase(frames[0])).numpy()).all()
    )


def test_messages_are_those_of_the_library():
    """One layer's sum over neighbours against e3nn's own tensor product."""
    from e3nn import o3

    from nnp.messages.products import Product, harmonics

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 4, 1, dtype=torch.float64, generator=generator)
    unit = torch.nn.functional.normalize(torch.randn(5, 3, dtype=torch.float64, generator=generator), dim=1)
    y = harmonics(unit, 2)
    np.testing.assert_allclose(y.square().sum(1), 9.0)
    parts = Product(2, 1, 2).of(y[:, :, None], x)
    theirs = o3.FullTensorProduct("1x0e+1x1o+1x2e", "1x0e+1x1o", filter_ir_out=["0e", "1o", "2e"])
    theirs = theirs.double()(y, x[:, :, 0])
    norms = [p.square().sum((1, 2, 3)) for p in parts]
    slices, start = [], 0
    for mul, ir in o3.FullTensorProduct(
        "1x0e+1x1o+1x2e", "1x0e+1x1o", filter_ir_out=["0e", "1o", "2e"]
    ).irreps_out:
        slices.append((ir.l, theirs[:, start : start + mul * ir.dim]))
        start += mul * ir.dim
    for l, ours in enumerate(norms):
        expected = sum(s.square().sum(1) for degree, s in slices if degree == l)
        torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-6)
