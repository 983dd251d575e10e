"""Planes in series, compliance subtracted, length of the cohesive zone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coupling.cohesive import Derived, Subtracted, Uber, in_series, layer_compliance, renormalised
from coupling.cohesive.zone import crack_modulus, element_size, planes_needed, zone_length
from nnp.homogeneous import elastic_tensor
from nnp.surfaces import oriented
from tests.cohesive.tables import SW, A, silicon
from tests.cohesive.test_cohesive_laws import EXAMPLES

UNIT = Uber(work=1.0, length=1.0)


def isotropic(lam: float, mu: float) -> np.ndarray:
    d = np.eye(3)
    return lam * np.einsum("ij,kl->ijkl", d, d) + mu * (
        np.einsum("ik,jl->ijkl", d, d) + np.einsum("il,jk->ijkl", d, d)
    )


@pytest.mark.parametrize("planes, share", [(8, 0.65), (32, 0.83), (128, 0.92)])
def test_peak_of_planes_in_series(planes, share):
    """Published for the universal curve with work and length one: shares of the limit of many planes."""
    found = in_series(UNIT, planes)
    assert found.peak / np.sqrt(2.0 / planes) == pytest.approx(share, rel=0.02)
    broken = found.opening > found.critical
    assert found.energy[-1] == pytest.approx(1.0, rel=1e-4) and np.all(found.traction[broken] < found.peak)


@pytest.mark.parametrize("opening", [1.0, 3.0, 4.5, 7.0])
def test_planes_in_series_have_the_least_energy(opening):
    """Against a search over all ways of opening three planes."""
    x, y = np.meshgrid(np.linspace(0, opening, 1201), np.linspace(0, opening, 1201), indexing="ij")
    z = opening - x - y
    energy = sum(1.0 - (1.0 + v) * np.exp(-v) for v in (x, y, np.maximum(z, 0.0)))
    found = in_series(UNIT, 3)
    k = np.searchsorted(found.opening, opening)
    own = np.interp(opening, found.opening[k - 1 : k + 1], found.energy[k - 1 : k + 1])
    assert own == pytest.approx(np.where(z >= 0.0, energy, np.inf).min(), abs=1e-4)


def test_renormalised_law_keeps_its_work():
    law = renormalised(EXAMPLES["uber"], 50)
    x = np.linspace(0.0, law.reach, 5001)
    pulled = law(np.stack([x, 0 * x, 0 * x], 1)).traction[:, 0]
    assert pulled.max() == pytest.approx(in_series(EXAMPLES["uber"], 50).peak, rel=1e-4)
    assert np.sum(0.5 * (pulled[1:] + pulled[:-1]) * np.diff(x)) == pytest.approx(law.work, rel=1e-3)


def test_layer_of_an_isotropic_solid():
    S = layer_compliance(isotropic(0.4, 0.3), 2.0)
    assert np.allclose(S, np.diag([2.0 / 1.0, 2.0 / 0.3, 2.0 / 0.3]), rtol=1e-12)


LAWS = {**EXAMPLES, "silicon (110)": Derived(silicon((1, 1, 0))[0])}
LAYER = layer_compliance(elastic_tensor(SW, oriented("diamond", "Si", A, (1, 1, 1))), 2.35)
LEFT = {name: Subtracted(law, LAYER) for name, law in LAWS.items()}
every_law = pytest.mark.parametrize("name", sorted(LAWS))


@every_law
def test_what_is_left_and_the_layer_in_series_are_the_law(name):
    """In tension δ + S T is the opening of the law again, and the energies add up."""
    left, law = LEFT[name], LAWS[name]
    δ = np.zeros((60, 3))
    δ[:, 0] = np.concatenate([np.linspace(0.0, 0.05, 30), np.linspace(0.06, 2.0, 30)])
    found = left(δ)
    T = found.traction[:, 0]
    pulled = T / T.max() > 1e-3
    s = (left.rigid(δ)[pulled, 0] - δ[pulled, 0]) / T[pulled]
    assert np.ptp(s) < 1e-6 * s.mean() and 0.0 < s.mean() < LAYER[0, 0] * (1.0 + 1e-9)
    together = δ.copy()
    together[:, 0] += s[0] * T
    again = law(together)
    assert np.allclose(again.traction[:, 0], T, atol=1e-9 * T.max())
    assert np.allclose(again.energy, found.energy + 0.5 * s[0] * T**2, atol=1e-9 * law.work)


@every_law
def test_subtracted_law_keeps_area_and_rest(name):
    left = LEFT[name]
    x = np.concatenate([np.linspace(0.0, 0.2, 6001), np.linspace(0.2, left.reach, 4001)[1:]])
    T = left(np.stack([x, 0 * x, 0 * x], 1)).traction[:, 0]
    assert np.sum(0.5 * (T[1:] + T[:-1]) * np.diff(x)) == pytest.approx(LAWS[name].work, rel=1e-4)
    rest = left(np.zeros((1, 3)))
    assert abs(rest.energy[0]) < 1e-12 and np.abs(rest.traction).max() < 1e-11
    own = LAWS[name](np.zeros((1, 3))).stiffness[0]
    assert np.linalg.eigvalsh(rest.stiffness[0] - own).min() > -1e-9
    assert rest.stiffness[0, 0, 0] < 1.001 * left.ratio * own[0, 0]


@every_law
@settings(max_examples=25, deadline=None)
@given(δ=st.tuples(st.floats(-2.0, 5.0), st.floats(-5.0, 5.0), st.floats(-5.0, 5.0)))
def test_subtracted_law_is_a_potential_everywhere(name, δ):
    left = LEFT[name]
    at = left(np.array([δ]))
    errors = []
    for h in (1e-4, 1e-6, 1e-8, 1e-9):
        found = left(δ + h * np.concatenate([np.eye(3), -np.eye(3)]))
        slope = (found.energy[:3] - found.energy[3:]) / (2 * h)
        bend = (found.traction[:3] - found.traction[3:]) / (2 * h)
        errors.append((np.abs(slope - at.traction[0]).max(), np.abs(bend - at.stiffness[0]).max()))
    scale = np.abs(at.stiffness).max() + left(np.zeros((1, 3))).stiffness[0, 0, 0]
    assert min(e for e, _ in errors) < 1e-6 * scale
    assert min(e for _, e in errors) < 1e-5 * scale


@every_law
def test_subtracted_law_knows_every_opening(name):
    """Pressed deep, slid far: something is found, and it is the opening asked for."""
    δ = np.random.default_rng(4).uniform((-2.0, -10.0, -10.0), (5.0, 10.0, 10.0), (3000, 3))
    left = LEFT[name]
    Δ = left.rigid(δ)
    at = left.law(Δ)
    assert np.isfinite(at.energy).all() and np.isfinite(left(δ).stiffness).all()
    far = δ[:, 0] > left.reach
    assert np.allclose(Δ[far], δ[far])


def test_zone_length_of_an_isotropic_solid():
    lam, mu = 0.4, 0.3
    nu = lam / (2 * (lam + mu))
    young = 2 * mu * (1 + nu)
    assert crack_modulus(isotropic(lam, mu)) == pytest.approx(young / (1 - nu**2), rel=1e-6)
    assert zone_length(isotropic(lam, mu), 0.2, 0.1) == pytest.approx(young / (1 - nu**2) * 20.0, rel=1e-6)


def test_silicon_needs_elements_of_a_third_of_its_zone():
    """l_cz = (K_G/T_c)² with the published K_G = 0.615 MPa√m and T_c = 36.1 GPa of this potential: 2.9 Å."""
    C = elastic_tensor(SW, oriented("diamond", "Si", A, (1, 1, 1)))
    law = Derived(silicon()[0])
    assert 3 * element_size(C, law) == pytest.approx(1e10 * (0.615e6 / 36.1e9) ** 2, rel=0.02)
    planes = planes_needed(C, law, 10.0)
    assert planes > 1 and element_size(C, law, planes) >= 10.0 > element_size(C, law, planes - 1)
