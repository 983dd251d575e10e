"""The neural law: exact at rest, with the crystal's symmetry, close to Cauchy–Born on strains that it has not seen."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from multiscale.continuum.laws import make_law
from multiscale.continuum.laws.cauchy_born import CauchyBorn
from multiscale.continuum.laws.neural_file import load_law, save_law
from multiscale.continuum.laws.neural_fit import fit, fit_to_crystal
from multiscale.continuum.laws.samples import Samples, cauchy_born_samples
from multiscale.continuum.laws.strain import mandel, mandel_stiffness, stretch, unmandel
from nnp.crystal import make_crystal
from nnp.homogeneous import elastic_tensor, lattice_constant
from nnp.registry import make_potential
from nnp.storage import ModelFileError
from nnp.symmetry import point_group
from tests.continuum.materials import law_of_silicon, random_tensor, silicon
from tests.mpi import COMM


def crystal_of(name):
    kind, structure, symbol = {
        "silicon": ("stillinger-weber", "diamond", "Si"),
        "flat": ("triangular", "triangular", "Si"),
    }[name]
    potential = make_potential(kind)
    return potential, make_crystal(structure, symbol, lattice_constant(potential, structure, symbol))


@cache
def fitted(name):
    if name == "silicon":
        return *silicon(), law_of_silicon("neural")
    potential, crystal = crystal_of(name)
    return potential, crystal, fit_to_crystal(potential, crystal, samples=300, steps=40)


def strains(n, size, flat=False, seed=5):
    E = unmandel(size * np.random.default_rng(seed).normal(size=(n, 6)))
    if flat:
        E[:, 2], E[:, :, 2] = 0.0, 0.0
    return E


@pytest.mark.parametrize("name", ["silicon", "flat"])
def test_rest_and_elastic_constants_are_exact(name):
    potential, crystal, law = fitted(name)
    C, one = elastic_tensor(potential, crystal), np.eye(3)[None]
    W, P = law.evaluate(one)
    assert abs(W[0]) < 1e-14 * C.max() and np.abs(P).max() < 1e-14 * C.max()
    assert law.tangent(one)[0] == pytest.approx(C.reshape(9, 9), abs=1e-13 * C.max())
    untrained = replace(law, density=replace(law.density, network=law.density.network.with_parameters(
        np.random.default_rng(0).normal(size=law.density.network.parameters.size))))  # fmt: skip
    assert untrained.tangent(one)[0] == pytest.approx(C.reshape(9, 9), abs=1e-12 * C.max())
    assert np.abs(untrained.evaluate(one)[1]).max() < 1e-13 * C.max()


@pytest.mark.parametrize("name", ["silicon", "flat"])
@pytest.mark.parametrize("size", [0.02, 0.1])
def test_symmetry_of_the_crystal_and_of_space(name, size):
    """ψ(Q E Qᵀ) = ψ(E) for the crystal's own Q and for no other; W(R F) = W(F) for every rotation."""
    _, crystal, law = fitted(name)
    E = strains(5, size, flat=name == "flat")
    F = stretch(mandel(E))
    W, _ = law.evaluate(F)
    for Q in point_group(crystal):
        assert law.evaluate(F @ Q.T)[0] == pytest.approx(W, rel=1e-7)
    R = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    R *= np.linalg.det(R)
    assert law.evaluate(R @ F)[0] == pytest.approx(W, rel=1e-10)
    c, s = np.cos(0.2), np.sin(0.2)
    turned = F @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    assert np.abs(law.evaluate(turned)[0] / W - 1.0).max() > 1e-5


@pytest.mark.parametrize(("name", "bound"), [("silicon", 4e-3), ("flat", 4e-3)])
def test_error_against_cauchy_born_on_other_strains(name, bound):
    """Up to 8 % strain; the elastic series leaves 1.2 % in silicon, linear elasticity 17 %."""
    potential, crystal, law = fitted(name)
    new = cauchy_born_samples(potential, crystal, 100, 0.08, seed=11)
    F = stretch(new.strain)
    assert (law.extrapolation(F) < 1.1).all()
    (W, P), (W0, P0) = law.evaluate(F), CauchyBorn(potential, crystal).evaluate(F)
    assert np.linalg.norm(P - P0) < bound * np.linalg.norm(P0)
    assert np.linalg.norm(W - W0) < bound * np.linalg.norm(W0)


def test_it_says_where_it_extrapolates():
    _, _, law = fitted("silicon")
    F = np.eye(3) + np.array([0.0, 0.03, 0.2])[:, None, None] * np.diag([1.0, 0, 0])
    far = law.extrapolation(F)
    assert far[0] == 0.0 and far[1] < 0.5 and far[2] > 1.3


def test_a_file_gives_the_same_law_in_any_orientation(tmp_path):
    potential, crystal, law = fitted("silicon")
    file, F = tmp_path / "law.safetensors", stretch(mandel(strains(4, 0.03)))
    if COMM.rank == 0:
        save_law(law, file, {})
    COMM.Barrier()
    same = make_law("neural", potential, crystal, model=str(file))
    assert same.evaluate(F)[0] == pytest.approx(law.evaluate(F)[0], rel=1e-14)
    _, upright = crystal_of("silicon")
    R = crystal.frame  # from the crystal's axes to the laboratory's
    assert load_law(file, upright).evaluate(R.T @ F @ R)[0] == pytest.approx(law.evaluate(F)[0], rel=1e-12)
    with pytest.raises(ModelFileError, match="cubic symmetry, the crystal's is flat hexagonal"):
        load_law(file, crystal_of("flat")[1])
    with pytest.raises(ModelFileError, match=r"of kind '.*', not a continuum-law"):
        make_law("neural", potential, crystal, model=str(_shipped()))


def _shipped():
    from nnp.storage import SHIPPED

    return SHIPPED / "si.safetensors"


def cubic(c11, c12, c44):
    matrix = np.diag([c11 - c12] * 3 + [2.0 * c44] * 3)
    matrix[:3, :3] += c12
    return matrix


def test_an_experiment_gives_its_elastic_constants_back():
    """Samples of a quadratic energy with one cubic term, energies and half of the stresses not measured."""
    C, rng = cubic(1.0, 0.4, 0.5), np.random.default_rng(2)
    e = 0.02 * rng.normal(size=(60, 6))
    trace = e[:, :3].sum(axis=1, keepdims=True)
    stress = e @ C - 2.0 * trace**2 * np.array([1.0, 1, 1, 0, 0, 0])
    stress[rng.uniform(size=stress.shape) < 0.5] = np.nan
    _, crystal = crystal_of("silicon")
    law = fit(Samples(e, np.full(60, np.nan), stress), crystal, None)
    assert law.density.second == pytest.approx(C, abs=1e-3)
    assert law.error < 1e-3
    pulled = np.zeros((20, 6))
    pulled[:, 0] = np.linspace(-0.02, 0.02, 20)
    with pytest.raises(ValueError, match="do not determine the 3 elastic constants"):
        fit(Samples(pulled, np.full(20, np.nan), pulled @ C), crystal, None)


def test_no_invariants_no_law():
    """A cubic cell with an atom off its symmetry has fewer symmetries than the invariants."""
    crystal = make_crystal("diamond", "Si", 5.43)
    skew = replace(crystal, basis=crystal.basis + np.array([[0, 0, 0], [0.1, 0.2, 0.3]]))
    assert len(point_group(crystal)) == 48 and len(point_group(skew)) < 48
    e = 0.01 * np.random.default_rng(0).normal(size=(10, 6))
    with pytest.raises(ValueError, match="no strain invariants"):
        fit(Samples(e, np.zeros(10), e), skew, mandel_stiffness(random_tensor()))
