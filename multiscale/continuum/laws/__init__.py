"""Constitutive laws: energy density, stress and tangent as functions of the deformation gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from multiscale.continuum.laws.cauchy_born import CauchyBorn
from multiscale.continuum.laws.elastic_series import ElasticSeries
from multiscale.continuum.laws.linear import Linear
from nnp.crystal import Crystal
from nnp.potential import Potential

Array = np.ndarray


class Law(Protocol):
    """An elastic material. F: (n, 3, 3) deformation gradients; energies are zero at F = I."""

    def evaluate(self, F: Array) -> tuple[Array, Array]:
        """Energy density W (n,) and first Piola–Kirchhoff stress P = ∂W/∂F (n, 3, 3), eV/Å³."""
        ...

    def tangent(self, F: Array) -> Array:
        """∂P/∂F (n, 9, 9), row 3i + J, column 3k + L, eV/Å³."""
        ...


LAWS: dict[str, Callable[[Potential, Crystal], Law]] = {
    "linear": Linear.of_crystal,
    "elastic-series": ElasticSeries.of_crystal,
    "cauchy-born": CauchyBorn,
}
