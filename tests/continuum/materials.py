"""Materials of the tests: with closed forms, and silicon by Stillinger and Weber under every law, made once."""

from __future__ import annotations

from functools import cache

import numpy as np

from multiscale.continuum.laws import LAWS
from multiscale.continuum.laws.linear import Linear
from nnp.crystal import make_crystal
from nnp.homogeneous import lattice_constant
from nnp.registry import make_potential

VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


def random_tensor(seed=0):
    """A stiffness without any symmetry but its own."""
    A = np.random.default_rng(seed).normal(size=(6, 6))
    return (A @ A.T + 4 * np.eye(6))[VOIGT][:, :, VOIGT]


def anisotropic(seed=0):
    return Linear(random_tensor(seed))


class NeoHooke:
    """W = μ/2 (tr FᵀF − 3) − μ ln J + λ/2 ln² J."""

    mu, lam = 1.3, 2.1

    def evaluate(self, F):
        J = np.linalg.det(F)
        inverse = np.swapaxes(np.linalg.inv(F), 1, 2)
        W = 0.5 * self.mu * (np.sum(F**2, (1, 2)) - 3) - self.mu * np.log(J) + 0.5 * self.lam * np.log(J) ** 2
        return W, self.mu * (F - inverse) + (self.lam * np.log(J))[:, None, None] * inverse

    def tangent(self, F):
        G = np.linalg.inv(F)  # dF⁻ᵀ_iJ = −G_Jk dF_kL G_Li
        factor = self.mu - self.lam * np.log(np.linalg.det(F))
        A = np.einsum("n,njk,nli->nijkl", factor, G, G) + self.lam * np.einsum("nji,nlk->nijkl", G, G)
        return (A + self.mu * np.eye(9).reshape(3, 3, 3, 3)).reshape(-1, 9, 9)


OTHERS = {"neo-hooke of the tests": NeoHooke, "linear without symmetry": anisotropic}


@cache
def silicon():
    potential = make_potential("stillinger-weber")
    a = lattice_constant(potential, "diamond", "Si")
    return potential, make_crystal("diamond", "Si", a, {"x": (1, 1, -2), "y": (1, 1, 1), "z": (1, -1, 0)})


@cache
def law_of_silicon(name):
    return OTHERS[name]() if name in OTHERS else LAWS[name](*silicon())
