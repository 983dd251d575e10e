"""Materials with closed forms, for tests that need no potential."""

from __future__ import annotations

import numpy as np

from multiscale.continuum.laws.linear import Linear

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
