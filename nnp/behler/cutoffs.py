"""Cutoff functions: 1 near the atom, 0 at the cutoff radius and beyond."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, tanh

import torch

from nnp.state import Tensor


def _cosine(x: Tensor) -> Tensor:
    return 0.5 * (1.0 + torch.cos(pi * x))


def _tanh(x: Tensor) -> Tensor:
    return torch.tanh(1.0 - x).pow(3)


CUTOFFS: dict[str, Callable[[Tensor], Tensor]] = {
    "cosine": _cosine,
    "tanh": _tanh,
    "tanh-unit": lambda x: _tanh(x) / tanh(1.0) ** 3,
    "poly1": lambda x: 1.0 - x * x * (3.0 - 2.0 * x),
    "poly2": lambda x: 1.0 - x**3 * (10.0 - x * (15.0 - 6.0 * x)),
    "poly3": lambda x: 1.0 - x**4 * (35.0 - x * (84.0 - x * (70.0 - 20.0 * x))),
    "poly4": lambda x: 1.0 - x**5 * (126.0 - x * (420.0 - x * (540.0 - x * (315.0 - 70.0 * x)))),
}
"""f(x) on 0 ≤ x ≤ 1. At the cutoff `polyN` ends with N continuous derivatives, `tanh` with two, but `cosine`
with one only: there the stiffness of the potential jumps when a neighbour crosses the cutoff."""


@dataclass(frozen=True)
class Cutoff:
    """f_c(r) = f((r/r_c − inner)/(1 − inner)), 1 below inner·r_c, 0 beyond r_c. kind: a name in CUTOFFS."""

    kind: str = "poly2"
    inner: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in CUTOFFS:
            raise ValueError(f"unknown cutoff function '{self.kind}'; one of {', '.join(sorted(CUTOFFS))}")
        if not 0.0 <= self.inner < 1.0:
            raise ValueError(f"the inner cutoff is a fraction from 0 to below 1, not {self.inner}")

    def __call__(self, r: Tensor, radius: float) -> Tensor:
        """Unitless, like r; r and radius in Å."""
        x = ((r / radius - self.inner) / (1.0 - self.inner)).clamp(0.0, 1.0)
        return CUTOFFS[self.kind](x)
