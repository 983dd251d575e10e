"""What every cohesive law must satisfy, swept over the registry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coupling.cohesive import LAWS, PPR, CohesiveLaw, Derived, Uber, XuNeedleman
from coupling.cohesive.ppr import Falling
from tests.cohesive.tables import silicon, table_of

CELL = np.array([[3.84, 0.0], [1.92, 3.3255]])


def examples() -> dict[str, CohesiveLaw]:
    """One law of each kind."""
    return {
        "derive": Derived(silicon()[0]),
        "ppr": PPR(0.19, 3.0, 2.0, Falling(4.0, 0.2), Falling(4.5, 0.15)),
        "xu-needleman": XuNeedleman(0.19, 0.45, 0.6, q=0.7, r=0.1),
        "uber": Uber.of(work=0.19, peak=0.15, unstable=0.1, cell=CELL),
    }


EXAMPLES = examples()
openings = st.tuples(*(st.floats(*range_) for range_ in ((-0.7, 4.0), (-6.0, 6.0), (-6.0, 6.0))))
every_law = pytest.mark.parametrize("name", sorted(LAWS))


def test_every_registered_law_is_tested():
    assert set(EXAMPLES) == set(LAWS)


@every_law
@settings(max_examples=60, deadline=None)
@given(δ=openings)
def test_traction_and_tangent_are_derivatives(name, δ):
    """By central differences with a long step, good for splines, or a short one, good where |t|³ occurs."""
    law = EXAMPLES[name]
    at, rest = law(np.array([δ])), law(np.zeros((1, 3))).stiffness[0, 0, 0]
    scale = max(rest, np.abs(at.stiffness).max())
    errors = [_errors(law, np.array(δ), at, h) for h in (1e-4, 1e-7)]
    assert min(e for e, _ in errors) < 1e-6 * rest
    assert min(e for _, e in errors) < 1e-6 * scale
    assert np.abs(at.stiffness[0] - at.stiffness[0].T).max() < 1e-14 * scale


def _errors(law, δ, at, h):
    found = law(δ + h * np.concatenate([np.eye(3), -np.eye(3)]))
    slope = (found.energy[:3] - found.energy[3:]) / (2 * h)
    bend = (found.traction[:3] - found.traction[3:]) / (2 * h)
    return np.abs(slope - at.traction[0]).max(), np.abs(bend - at.stiffness[0]).max()


@every_law
def test_nothing_at_rest_and_the_work_is_the_area(name):
    law = EXAMPLES[name]
    rest = law(np.zeros((1, 3)))
    assert abs(rest.energy[0]) < 1e-14 and np.abs(rest.traction).max() < 1e-13
    assert np.linalg.eigvalsh(rest.stiffness[0]).min() > 0.0
    x = np.linspace(0.0, law.reach, 4001)
    pulled = law(np.stack([x, 0 * x, 0 * x], 1))
    assert _area(x, pulled.traction[:, 0]) == pytest.approx(law.work, rel=5e-3)
    assert pulled.energy[-1] == pytest.approx(law.work, rel=2e-6)
    far = law(np.array([[5.0 * law.reach, 1.0, 2.0]]))
    assert far.energy[0] == pytest.approx(law.work, rel=1e-9) and np.abs(far.traction).max() < 1e-9


def _area(x, y):
    return float(np.sum(0.5 * (y[1:] + y[:-1]) * np.diff(x)))


@every_law
def test_no_net_work_around_a_loop(name):
    """∮ T·dδ, with the trapezoidal rule, which converges beyond all powers on a smooth closed path where the
    law is analytic, along a loop through opening and sliding."""
    law, n = EXAMPLES[name], 4096
    φ = 2 * np.pi * np.arange(n) / n
    path = np.stack([0.5 + 0.4 * np.cos(φ), 0.6 * np.sin(φ), 0.3 * np.sin(2 * φ) + 0.2], 1)
    rate = np.stack([-0.4 * np.sin(φ), 0.6 * np.cos(φ), 0.6 * np.cos(2 * φ)], 1)
    work = 2 * np.pi / n * np.sum(law(path).traction * rate)
    assert abs(work) < 1e-10 * law.work


@every_law
def test_compression_is_repelled_however_strong(name):
    law = EXAMPLES[name]
    x = -np.linspace(0.05, 20.0, 200)
    pressed = law(np.stack([x, 0 * x, 0 * x], 1))
    assert np.all(np.diff(pressed.traction[:, 0]) < 0.0) and np.all(pressed.traction[:, 0] < 0.0)
    assert np.isfinite(pressed.energy).all() and np.all(pressed.stiffness[:, 0, 0] > 0.0)


def test_uber_has_the_work_peak_and_barrier_it_was_made_of():
    law = EXAMPLES["uber"]
    x = np.linspace(0.0, 3.0, 30001)
    pulled = law(np.stack([x, 0 * x, 0 * x], 1)).traction[:, 0]
    assert pulled.max() == pytest.approx(0.15, rel=1e-7)
    assert x[pulled.argmax()] == pytest.approx(0.19 / (np.e * 0.15), abs=2e-4)
    half = np.append(0.0, 0.5 * CELL[0])[None]
    assert law(half).energy[0] == pytest.approx(0.1, rel=1e-12)
    whole = np.append(0.2, CELL[0] - 2 * CELL[1])[None]
    assert law(whole).energy[0] == pytest.approx(law(np.array([[0.2, 0, 0]])).energy[0], rel=1e-12)


@pytest.mark.parametrize("name", sorted(set(LAWS) - {"derive"}))
def test_fits_have_the_work_the_peak_and_the_shear_stiffness_of_the_table(name):
    table = silicon()[0]
    fitted, derived = LAWS[name].fit(table), Derived(table)
    assert fitted.work == table.work
    x = np.linspace(0.0, fitted.reach, 3000)
    pulled = fitted(np.stack([x, 0 * x, 0 * x], 1)).traction[:, 0]
    assert pulled.max() == pytest.approx(fitted.peak, rel=1e-4)
    assert fitted.peak == pytest.approx(
        table.peak, rel=0.2
    )  # 3 % for potentials that reach farther than this one
    own, true = (law(np.zeros((1, 3))).stiffness[0] for law in (fitted, derived))
    assert np.allclose(own[1:, 1:], true[1:, 1:], rtol=3e-3, atol=1e-3 * true[0, 0])


def test_universal_curve_and_polynomial_are_found_again():
    """Fitted to a table made of one, the fit is that one."""
    made = Uber.of(work=0.19, peak=0.15, unstable=0.1, cell=CELL)
    again = Uber.fit(table_of(made, CELL, 9.0))
    assert again.length == pytest.approx(made.length, rel=1e-3)
    δ = np.random.default_rng(1).uniform(-0.5, 3.0, (50, 3))
    assert np.allclose(again(δ).energy, made(δ).energy, atol=1e-3 * made.work)
    polynomial = EXAMPLES["ppr"]
    found = PPR.fit(table_of(polynomial, 5.0 * np.eye(2), 3.0))
    assert found.peak == pytest.approx(polynomial.peak, rel=1e-3)
    assert found(δ[:, :]).energy == pytest.approx(polynomial(δ).energy, abs=0.02 * polynomial.work)
    exponential = XuNeedleman(0.19, 0.45, 0.6, q=0.7, r=0.1)
    again = XuNeedleman.fit(table_of(exponential, 6.0 * np.eye(2), 8.0))
    assert (again.q, again.r) == pytest.approx((0.7, 0.1), abs=0.02)
