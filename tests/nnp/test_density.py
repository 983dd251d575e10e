"""The density potential: its mathematics, its files, and its behaviour where atoms should never be."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.special import eval_legendre
from scipy.stats import ortho_group

from nnp.density.architecture import Architecture
from nnp.density.couplings import couplings
from nnp.density.harmonics import block, real_harmonics
from nnp.density.model import DensityPotential
from nnp.density.radial import floored
from nnp.evaluate import Sites, evaluate, hessian_vector
from nnp.families import load, save
from nnp.neighbors import find_pairs
from nnp.repulsion import COULOMB, screened_repulsion
from nnp.state import State
from nnp.storage import ModelFileError

SMALL = Architecture(cutoff=4.0, radial=6, channels=5, three_body=4, many_body=3, hidden=(8,), repulsion=1.5)


def make_potential(numbers=(6, 14), architecture=SMALL, seed=1):
    torch.manual_seed(seed)
    return DensityPotential(architecture, numbers).double().requires_grad_(False)


def cluster(n=10, seed=0, numbers=(6, 14)):
    """Atoms in a box with one period, no two closer than 1.7 Å."""
    rng = np.random.default_rng(seed)
    points = np.empty((0, 3))
    while len(points) < n:
        p = rng.uniform(0.0, 5.5, 3)
        if len(points) == 0 or np.linalg.norm(points - p, axis=1).min() > 1.7:
            points = np.vstack([points, p])
    species = torch.as_tensor(rng.choice(numbers, n))
    cell = torch.diag(torch.tensor([0.0, 0.0, 9.0], dtype=torch.float64))
    return State(torch.as_tensor(points), species, cell, (False, False, True))


def run(potential, state, skin=0.0, sites=None):
    return evaluate(potential, state, find_pairs(state, potential.cutoff + skin), sites)


def test_harmonics_obey_the_addition_theorem():
    u = torch.nn.functional.normalize(torch.randn(2, 20, 3, dtype=torch.float64), dim=-1)
    y = [torch.stack(real_harmonics(*v.unbind(1), 4), 1) for v in u]
    cosine = (u[0] * u[1]).sum(1).numpy()
    for l in range(5):
        product = (y[0][:, block(l)] * y[1][:, block(l)]).sum(1).numpy()
        np.testing.assert_allclose(product, eval_legendre(l, cosine), atol=1e-13)


def test_couplings_have_their_norm_and_number():
    paths = couplings(2)
    assert [p[:3] for p in paths] == [(1, 1, 0), (1, 1, 2), (1, 2, 1), (2, 2, 0), (2, 2, 2)]
    for *_, l3, c in paths:
        assert np.sum(c**2) == pytest.approx(2 * l3 + 1)


@pytest.mark.parametrize("seed", [0, 1])
def test_energy_is_invariant_and_forces_turn_with_the_atoms(seed):
    potential = make_potential()
    for k in range(2):  # large energies: rounding in single precision anywhere would show
        potential.element(k)[1].scale.fill_(1e3)
    atoms = dataclasses.replace(cluster(seed=seed), cell=0.0 * cluster().cell, pbc=(False,) * 3)
    q = torch.as_tensor(ortho_group.rvs(3, random_state=seed))  # a rotation or a reflection
    order = torch.randperm(len(atoms))
    moved = State((atoms.positions @ q.T + 1.3)[order], atoms.numbers[order], atoms.cell, atoms.pbc)
    a, b = run(potential, atoms), run(potential, moved)
    assert a.energy == pytest.approx(b.energy, rel=1e-12)
    torch.testing.assert_close(
        (a.forces @ q.T)[order], b.forces, atol=1e-12 * a.forces.abs().max().item(), rtol=0
    )


def test_forces_and_virial_are_the_derivatives_of_the_energy():
    potential, atoms, h = make_potential(), cluster(), 1e-5
    found = run(potential, atoms)
    direction = torch.randn(len(atoms), 3, dtype=torch.float64)
    up, down = (run(potential, atoms.moved(atoms.positions + s * h * direction)).energy for s in (1, -1))
    assert (up - down) / (2 * h) == pytest.approx(-float((found.forces * direction).sum()), abs=1e-7)
    strain = torch.randn(3, 3, dtype=torch.float64)

    def strained(s):
        f = torch.eye(3, dtype=torch.float64) + s * h * strain
        return run(
            potential, dataclasses.replace(atoms, positions=atoms.positions @ f.T, cell=atoms.cell @ f.T)
        )

    slope = (strained(1).energy - strained(-1).energy) / (2 * h)
    assert slope == pytest.approx(float((found.virial * strain.T).sum()), abs=1e-7)


def test_hessian_is_the_derivative_of_the_forces():
    potential, atoms, h = make_potential(), cluster(), 1e-5
    v = torch.randn(len(atoms), 3, dtype=torch.float64)
    up, down = (run(potential, atoms.moved(atoms.positions + s * h * v)).forces for s in (1, -1))
    hv = hessian_vector(potential, atoms, find_pairs(atoms, potential.cutoff), v)
    torch.testing.assert_close(hv, (down - up) / (2 * h), atol=1e-7, rtol=0)


def test_an_atom_enters_the_cutoff_with_two_continuous_derivatives():
    potential = make_potential(numbers=(14,))
    zero = torch.zeros(3, 3, dtype=torch.float64)

    def step(h):  # change of the energy when the third atom is h inside the cutoff of the first
        points = [[0, 0, 0], [2.1, 0, 0], [0, potential.cutoff - h, 0]]
        atoms = State(torch.tensor(points, dtype=torch.float64), torch.tensor([14] * 3), zero, (False,) * 3)
        return float(run(potential, atoms).site_energies[0])

    change = [step(h) - step(-h) for h in (0.004, 0.002)]
    assert abs(change[1]) > 1e-12  # something does change, and as the third power
    assert change[0] / change[1] == pytest.approx(8.0, rel=0.05)


def test_pairs_beyond_the_cutoff_and_other_sites_change_nothing():
    potential, atoms = make_potential(), cluster()
    plain, skinned = run(potential, atoms), run(potential, atoms, skin=1.5)
    torch.testing.assert_close(plain.forces, skinned.forces, atol=1e-13, rtol=0)
    index = torch.tensor([1, 4, 5])
    some = run(potential, atoms, sites=Sites(index, torch.ones(3, dtype=torch.float64)))
    torch.testing.assert_close(some.site_energies, plain.site_energies[index], atol=1e-13, rtol=0)


def test_the_species_of_centre_and_neighbours_matter():
    potential, atoms = make_potential(), cluster()
    before = run(potential, atoms).site_energies
    numbers = atoms.numbers.clone()
    numbers[0] = 20 - numbers[0]
    after = run(potential, dataclasses.replace(atoms, numbers=numbers)).site_energies
    assert bool(((after - before).abs() > 1e-6)[1:].any())
    assert abs(float(after[0] - before[0])) > 1e-6


def test_single_precision_follows_the_vectors():
    potential, atoms = make_potential(), cluster()
    single = State(atoms.positions.float(), atoms.numbers, atoms.cell.float(), atoms.pbc)
    a, b = run(potential, atoms), run(potential, single)
    assert b.site_energies.dtype == torch.float32
    torch.testing.assert_close(b.forces.double(), a.forces, atol=2e-4, rtol=1e-4)


def test_a_lonely_atom_is_finite():
    potential = make_potential()
    zero = torch.zeros(3, 3, dtype=torch.float64)
    points = torch.tensor([[0.0, 0, 0], [2.0, 0, 0], [50.0, 0, 0]], dtype=torch.float64)
    state = State(points, torch.tensor([14, 6, 14]), zero, (False,) * 3)
    found = run(potential, state)
    alone = run(potential, State(points[:1], state.numbers[:1], zero, (False,) * 3))
    assert torch.isfinite(found.forces).all()
    assert float(found.site_energies[2]) == pytest.approx(alone.energy, abs=1e-13)
    v = torch.ones(3, 3, dtype=torch.float64)
    assert torch.isfinite(hessian_vector(potential, state, find_pairs(state, 4.0), v)).all()


def test_repulsion_is_coulomb_at_contact_and_ends_smoothly():
    z = torch.tensor(14.0, dtype=torch.float64)
    close = torch.tensor([1e-4], dtype=torch.float64)
    assert float(screened_repulsion(close, z, z, 1.8) * close) == pytest.approx(COULOMB * 14**2, rel=2e-3)
    r = torch.tensor([1.8 - 1e-2, 1.8 - 5e-3], dtype=torch.float64)
    v = screened_repulsion(r, z, z, 1.8)
    assert float(v[0] / v[1]) == pytest.approx(8.0, rel=0.05)
    assert float(screened_repulsion(torch.tensor([1.81]), z, z, 1.8)) == 0.0


def test_the_floor_of_distances_is_smooth():
    r = torch.tensor([0.5, 1.0, 1.5 - 1e-9, 1.5 + 1e-9, 3.0], dtype=torch.float64, requires_grad=True)
    near = floored(r, 1.5, 0.4)
    (slope,) = torch.autograd.grad(near.sum(), r, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), r)
    assert near[0].item() > 1.1 and near[4].item() == 3.0
    assert slope[2:].tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert float(bend[2] - bend[3]) == pytest.approx(0.0, abs=1e-6)


def test_a_saved_model_is_the_same_model(tmp_path):
    potential, atoms = make_potential(), cluster()
    save(potential, tmp_path / "m.safetensors", {"data": {"file": "x.xyz"}})
    again = load(tmp_path / "m.safetensors")
    assert again.numbers == (6, 14) and again.architecture == SMALL
    assert again.header["training"]["data"]["file"] == "x.xyz"
    assert again.header["units"] == {"length": "angstrom", "energy": "eV"}
    assert run(again, atoms).energy == run(potential, atoms).energy


def _truncated(path):
    save(make_potential(), path)
    path.write_bytes(path.read_bytes()[:-100])


def _garbage(path):
    path.write_bytes(b"no model at all")


def _headerless(path):
    save_file({"x": torch.zeros(3)}, path)


def _header(change):
    def write(path):
        save(make_potential(), path)
        from safetensors import safe_open
        from safetensors.torch import load_file

        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()["header"])
        change(header)
        save_file(load_file(path), path, {"header": json.dumps(header)})

    return write


@pytest.mark.parametrize(
    "write, says",
    [
        (_truncated, "damaged"),
        (_garbage, "damaged"),
        (_headerless, "without this program's model header"),
        (_header(lambda h: h.update(version=99)), "version 99"),
        (_header(lambda h: h.update(kind="other")), "kind 'other'"),
        (_header(lambda h: h["architecture"].update(channels=7)), "do not describe one model"),
        (_header(lambda h: h.pop("elements")), "do not describe one model"),
    ],
)
def test_a_bad_model_file_is_named_in_one_sentence(tmp_path, write, says):
    path = tmp_path / "bad.safetensors"
    write(path)
    with pytest.raises(ModelFileError, match=says) as caught:
        load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_model_name_lists_the_shipped_ones():
    with pytest.raises(ModelFileError, match=r"no shipped model of that name \(shipped: .*si.*\)"):
        load("sillicon")
