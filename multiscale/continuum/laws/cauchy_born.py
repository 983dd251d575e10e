"""The crystal's own energy under a homogeneous deformation."""

from __future__ import annotations

import numpy as np

from nnp.crystal import Crystal
from nnp.homogeneous import HomogeneousCrystal
from nnp.potential import Potential

Array = np.ndarray


class CauchyBorn:
    """W(F) of the potential's unit cell under F with its basis relaxed; P and tangent exact.

    The relaxed basis is kept as the start of the next call at as many points, which saves most of its
    iterations when a solver takes one small step after another.
    """

    def __init__(self, potential: Potential, crystal: Crystal):
        self.crystal = HomogeneousCrystal(potential, crystal)
        self._shifts: Array | None = None

    def evaluate(self, F: Array) -> tuple[Array, Array]:
        response = self.crystal.evaluate(F, self._start(F))
        self._shifts = response.shifts if np.isfinite(response.energy).all() else None
        return response.energy, response.stress

    def tangent(self, F: Array) -> Array:
        return self.crystal.tangent(F, self._start(F))

    def _start(self, F: Array) -> Array | None:
        return self._shifts if self._shifts is not None and len(self._shifts) == len(F) else None
