"""The tangent of every scheme, and Newton's method with it."""

import numpy as np
import pytest
from crystals import MATERIALS
from patch import make_patch

from coupling.schemes import SCHEMES
from coupling.solve import Settings, minimise
from tests.mpi import COMM, largest

SCHEMES_WITH_TANGENT = [name for name in SCHEMES if name not in ("atomistic", "schwarz")]


@pytest.mark.parametrize("material", MATERIALS)
@pytest.mark.parametrize("scheme", SCHEMES_WITH_TANGENT)
def test_tangent_is_the_derivative_of_the_residual(material, scheme) -> None:
    _check_tangent(make_patch(material, COMM), scheme)


def test_tangent_follows_the_relaxed_basis() -> None:
    _check_tangent(make_patch("stillinger-weber", COMM, relaxed=True), "bqcf")


def _check_tangent(patch, scheme) -> None:
    scheme, model = patch.scheme(scheme), patch.model
    rng = np.random.default_rng(3)
    q, v, product = model.vector(), model.vector(), model.vector()
    q.array[:], v.array[:] = (size * rng.normal(size=q.getLocalSize()) for size in (0.03, 1.0))
    scheme.tangent(q)(v, product)
    numeric, h = 0.0, 1e-4
    for s, factor in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
        moved, g = q.copy(), model.vector()
        moved.axpy(s * h, v)
        scheme.residual(moved, g)
        numeric = numeric + factor * g.array / (12 * h)
    np.testing.assert_allclose(product.array, numeric, atol=1e-6 * largest(numeric))


@pytest.mark.parametrize("scheme", SCHEMES_WITH_TANGENT)
@pytest.mark.parametrize("material", ["lennard-jones", "triangular"])
def test_newton_finds_the_same_equilibrium_in_few_steps(material, scheme) -> None:
    patch = make_patch(material, COMM, law="cauchy-born")
    scheme, model = patch.scheme(scheme), patch.model
    found, residuals = {}, []
    for method in ("quasi-newton", "newton"):
        q = model.unknowns(lambda x: 0.01 * x + 0.05 * np.sin(0.2 * x + 0.2))
        solution = minimise(
            scheme,
            q,
            patch.precondition(),
            Settings(force_tolerance=1e-10),
            (lambda k, e, r: residuals.append(r)) if method == "newton" else None,
            method,
        )
        assert solution.converged
        found[method] = solution, q.array.copy()
    solution, q = found["newton"]
    assert solution.iterations <= 6 and solution.products > 0
    assert residuals[-1] < 1e-3 * residuals[-2]
    np.testing.assert_allclose(q, found["quasi-newton"][1], atol=1e-8)


@pytest.mark.parametrize("method", ["quasi-newton", "newton"])
def test_a_trial_without_numbers_is_not_taken(method, monkeypatch) -> None:
    """The energy is finite there, a force on one rank is not: a shorter step is tried."""
    patch = make_patch("lennard-jones", COMM, law="cauchy-born")
    scheme, calls = patch.scheme("bgfc"), []
    q = scheme.model.unknowns(lambda x: 0.01 * x + 0.05 * np.sin(0.2 * x + 0.2))
    whole = type(scheme).energy_gradient

    def energy_gradient(self, q, g):
        energy = whole(self, q, g)
        calls.append(1)
        if len(calls) in (2, 3) and COMM.rank == 0:
            g.array[7] = np.nan
        return energy

    monkeypatch.setattr(type(scheme), "energy_gradient", energy_gradient)
    solution = minimise(scheme, q, patch.precondition(), Settings(force_tolerance=1e-8), None, method)
    assert solution.converged and len(calls) > 5 and np.isfinite(q.array).all()
