"""Hyperelastic solids written in UFL: the energy density is all that a law says; stress and tangent follow by UFL's
differentiation and are compiled by FFCx.

A law of one's own is one function of F and of named constants, `Hyperelastic(energy, name=value, ...)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import ufl

from multiscale.continuum import compat
from multiscale.continuum.laws.strain import mandel_stiffness
from nnp.crystal import Crystal
from nnp.homogeneous import elastic_tensor
from nnp.potential import Potential

Array = np.ndarray
_CHUNK = 4096


class Hyperelastic:
    """A Law from energy(F, **constants), an energy density in UFL that is zero with zero slope at F = 1; constants in
    eV/Å³. Where it has no value (F turned inside out) the energy is +inf and the stress nan."""

    def __init__(self, energy: Callable[..., Any], **constants: float):
        self.constants = constants
        self._row = compat.PointRow(_CHUNK, constants)
        F = ufl.variable(self._row.tensor)
        W = energy(F, **self._row.constants)
        P = ufl.diff(W, F)
        A = ufl.diff(P, F)
        flat = [(i, j) for i in range(3) for j in range(3)]
        self._first = self._row.compiled([W, *(P[at] for at in flat)])
        self._second = self._row.compiled([A[(*at, *by)] for at in flat for by in flat])

    def evaluate(self, F: Array) -> tuple[Array, Array]:
        values = self._row.evaluate(self._first, F)
        return np.where(np.isnan(values[:, 0]), np.inf, values[:, 0]), values[:, 1:].reshape(-1, 3, 3)

    def tangent(self, F: Array) -> Array:
        return self._row.evaluate(self._second, F).reshape(-1, 9, 9)


def neo_hookean_energy(F: Any, mu: Any, lam: Any) -> Any:
    """W = μ/2 (tr FᵀF − 3) − μ ln J + λ/2 ln² J (J. Bonet, R. D. Wood, Nonlinear Continuum Mechanics for Finite Element
    Analysis, 2nd ed., Cambridge 2008, doi:10.1017/CBO9780511755446)."""
    J = ufl.det(F)
    return mu / 2 * (ufl.tr(F.T * F) - 3) - mu * ufl.ln(J) + lam / 2 * ufl.ln(J) ** 2


def saint_venant_kirchhoff_energy(F: Any, mu: Any, lam: Any) -> Any:
    """W = μ E:E + λ/2 (tr E)², E = ½ (FᵀF − 1)."""
    E = (F.T * F - ufl.Identity(3)) / 2
    return mu * ufl.inner(E, E) + lam / 2 * ufl.tr(E) ** 2


def neo_hookean(
    potential: Potential | None = None,
    crystal: Crystal | None = None,
    young: float | None = None,
    poisson: float | None = None,
) -> Hyperelastic:
    """Young's modulus, eV/Å³, and Poisson's ratio; without them, those of the crystal's grains in all directions."""
    return Hyperelastic(neo_hookean_energy, **_lame(potential, crystal, young, poisson))


def saint_venant_kirchhoff(
    potential: Potential | None = None,
    crystal: Crystal | None = None,
    young: float | None = None,
    poisson: float | None = None,
) -> Hyperelastic:
    """As `neo_hookean`."""
    return Hyperelastic(saint_venant_kirchhoff_energy, **_lame(potential, crystal, young, poisson))


def isotropic_average(C: Array) -> tuple[float, float]:
    """Shear modulus μ and Lamé's λ of a solid of many grains with elastic constants C (3, 3, 3, 3): the mean of Voigt's
    and Reuss's bounds (R. Hill, Proc. Phys. Soc. A 65, 349, 1952, doi:10.1088/0370-1298/65/5/307)."""
    matrix = mandel_stiffness(C)
    if np.abs(matrix[2:5]).max() < 1e-9 * np.abs(matrix).max():
        return _flat_average(C)
    compliance = np.linalg.inv(matrix)
    bulk, shear = _moduli(matrix)
    soft_bulk, soft_shear = _moduli(compliance)
    K, G = 0.5 * (bulk + 1.0 / (9.0 * soft_bulk)), 0.5 * (shear + 1.0 / (4.0 * soft_shear))
    return G, K - 2.0 * G / 3.0


def _moduli(matrix: Array) -> tuple[float, float]:
    """Bulk and shear modulus of the isotropic part of a Mandel matrix, 3K on the trace and 2G on the rest."""
    along = matrix[:3, :3].sum() / 3.0
    return along / 3.0, (np.trace(matrix) - along) / 10.0


def _flat_average(C: Array) -> tuple[float, float]:
    """Of a flat crystal, Voigt's: a 2D isotropic solid has C_iijj = 4 (λ + μ) and C_ijij = 2λ + 6μ."""
    both, shear = np.einsum("iijj->", C), np.einsum("ijij->", C)
    mu = (shear - both / 2.0) / 4.0
    return mu, both / 4.0 - mu


def _lame(
    potential: Potential | None, crystal: Crystal | None, young: float | None, poisson: float | None
) -> dict[str, float]:
    """μ and λ. ValueError where only one constant is given, or one that no solid has."""
    if young is None and poisson is None:
        if potential is None or crystal is None:
            raise ValueError("young and poisson are needed where there is no crystal to take them from")
        mu, lam = isotropic_average(elastic_tensor(potential, crystal))
        return {"mu": mu, "lam": lam}
    if young is None or poisson is None:
        raise ValueError("young and poisson are given together or not at all")
    if not -1.0 < poisson < 0.5 or not young > 0.0:
        raise ValueError(
            f"young must be positive and poisson between -1 and 0.5, got {young:g} and {poisson:g}"
        )
    return {
        "mu": young / (2.0 + 2.0 * poisson),
        "lam": young * poisson / ((1.0 + poisson) * (1.0 - 2.0 * poisson)),
    }
