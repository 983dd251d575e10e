"""One law above a plane and another one below it: the two sides of a grain boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

Array = np.ndarray


class Elastic(Protocol):
    def evaluate(self, F: Array) -> tuple[Array, Array]: ...
    def tangent(self, F: Array) -> Array: ...


@dataclass(frozen=True)
class TwoBodies:
    """The law at points (n,) of which some lie `above`."""

    lower: Elastic
    upper: Elastic
    above: Array

    def evaluate(self, F: Array) -> tuple[Array, Array]:
        W, P = np.empty(len(F)), np.empty((len(F), 3, 3))
        for law, here in ((self.lower, ~self.above), (self.upper, self.above)):
            W[here], P[here] = law.evaluate(F[here])
        return W, P

    def tangent(self, F: Array) -> Array:
        A = np.empty((len(F), 9, 9))
        for law, here in ((self.lower, ~self.above), (self.upper, self.above)):
            A[here] = law.tangent(F[here])
        return A

    def extrapolation(self, F: Array) -> Array:
        """As that of the laws that know their bounds, zero elsewhere."""
        out = np.zeros(len(F))
        for law, here in ((self.lower, ~self.above), (self.upper, self.above)):
            bounds = getattr(law, "extrapolation", None)
            if bounds is not None:
                out[here] = bounds(F[here])
        return out
