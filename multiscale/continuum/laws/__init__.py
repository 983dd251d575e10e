"""Constitutive laws: energy density, stress and tangent as functions of the deformation gradient."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any, Protocol

import numpy as np

from multiscale.continuum.laws.cauchy_born import CauchyBorn
from multiscale.continuum.laws.elastic_series import elastic_series
from multiscale.continuum.laws.hyperelastic import neo_hookean, saint_venant_kirchhoff
from multiscale.continuum.laws.linear import Linear
from multiscale.continuum.laws.neural_file import neural
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


class Bounded(Law, Protocol):
    """A law that knows what it was made from."""

    def extrapolation(self, F: Array) -> Array:
        """(n,): above one where the strain lies beyond what the law was made from."""
        ...


LAWS: dict[str, Callable[..., Law]] = {
    "linear": Linear.of_crystal,
    "elastic-series": elastic_series,
    "cauchy-born": CauchyBorn,
    "neural": neural,
    "neo-hookean": neo_hookean,
    "saint-venant-kirchhoff": saint_venant_kirchhoff,
}
"""Each makes a law from a potential and its crystal, and from parameters of its own that all have defaults."""


class LawParameterError(ValueError):
    """A parameter that a law does not take; key: its name."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


def make_law(name: str, potential: Potential, crystal: Crystal, **parameters: Any) -> Law:
    """The law registered under a name; parameters that are None count as not given. ValueError for one that the law
    does not take, or the law's own for a value that it cannot use."""
    given = {key: value for key, value in parameters.items() if value is not None}
    for key in given:
        if key not in signature(LAWS[name]).parameters:
            takers = ", ".join(law for law, make in LAWS.items() if key in signature(make).parameters)
            raise LawParameterError(key, f"law {name} takes no '{key}'; {takers} would")
    return LAWS[name](potential, crystal, **given)
