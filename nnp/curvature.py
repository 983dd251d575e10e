"""The Hessian of Σ w_i ε_i about one state, for many products with it."""

from __future__ import annotations

import torch

from nnp.evaluate import Sites, _gather, _weighted
from nnp.neighbors import Pairs
from nnp.potential import Potential
from nnp.state import State, Tensor


class Curvature:
    """H·v of Σ w_i ε_i in the positions, (n, 3) → (n, 3), eV/Å².

    The first derivatives are formed once and kept, so that each product costs one more backward pass.
    """

    def __init__(self, potential: Potential, state: State, pairs: Pairs, sites: Sites | None = None):
        self._pairs, self._r, _, total = _weighted(potential, state, pairs, sites)
        (self._gradient,) = torch.autograd.grad(total, self._r, create_graph=True)
        self._n = len(state)

    def __call__(self, v: Tensor) -> Tensor:
        kept = self._pairs
        dv = v.index_select(0, kept.j) - v.index_select(0, kept.i)
        (h,) = torch.autograd.grad(self._gradient, self._r, grad_outputs=dv, retain_graph=True)
        return _gather(h, kept, self._n)
