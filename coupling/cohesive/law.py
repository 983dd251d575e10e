"""What every cohesive law offers: a potential of the jump across a surface, with exact derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Response:
    """energy: Γ (m,) eV/Å²; traction: T = ∂Γ/∂δ (m, 3) eV/Å³; stiffness: D = ∂²Γ/∂δ² (m, 3, 3) eV/Å⁴,
    symmetric."""

    energy: Array
    traction: Array
    stiffness: Array


@runtime_checkable
class CohesiveLaw(Protocol):
    """Γ(δ) of the opening δ (m, 3) = (δ_n, δ_t1, δ_t2), Å, in the surface's frame: the normal, from the lower to
    the upper body, then the first and the second tangent. δ is the displacement of the upper body less that of
    the lower one, zero in the perfect crystal: Γ(0) = 0, T(0) = 0.

    Any δ is allowed: in compression (δ_n < 0) the law is repulsive, for large openings Γ is constant.
    reach: normal opening beyond which nothing is left to pull, Å (where a law has a tail, all but 10⁻⁶ of
    its work is done there). work: Γ(∞), the work of adhesion, eV/Å².
    """

    @property
    def reach(self) -> float: ...

    @property
    def work(self) -> float: ...

    def __call__(self, opening: Array) -> Response: ...
