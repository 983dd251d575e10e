"""A smooth radial basis that ends at the cutoff and stands still where atoms never come."""

from __future__ import annotations

import torch

from nnp.state import Tensor


def switch(r: Tensor, cutoff: float) -> Tensor:
    """(1 − (r/cutoff)²)³ below the cutoff, 0 beyond: twice continuously differentiable, unitless, like r."""
    return (1.0 - (r / cutoff).square()).clamp(min=0.0).pow(3)


def floored(r: Tensor, floor: float, width: float) -> Tensor:
    """r above `floor` (Å); below it a distance that flattens out at floor − width; C² at `floor`.

    A polynomial basis grows without bound where no data hold it. Atoms closer than `floor` look to the
    network as if they were not much closer, so that the repulsion alone decides there.
    """
    below = (floor - r).clamp(min=0.0)
    return r + below - width * torch.tanh(below / width)


def chebyshev(x: Tensor, count: int) -> list[Tensor]:
    """T_0(x) … T_{count−1}(x), each like x."""
    terms = [torch.ones_like(x), x]
    for _ in range(2, count):
        terms.append(2.0 * x * terms[-1] - terms[-2])
    return terms[:count]


def radial_basis(r: Tensor, cutoff: float, floor: float, count: int) -> Tensor:
    """Chebyshev polynomials of the floored distance times the switch: (P,) Å → (count, P).

    The k-th function carries the factor 1/(1 + (k/4)²): rapid oscillations need large weights, which weight
    decay and a finite number of steps make expensive, so the learned radial functions come out smooth.
    """
    near = floored(r, floor, 0.25 * floor) if floor > 0.0 else r
    terms = chebyshev(2.0 * near / cutoff - 1.0, count)
    fade = switch(r, cutoff)
    return torch.stack([t * (fade / (1.0 + (k / 4.0) ** 2)) for k, t in enumerate(terms)])
