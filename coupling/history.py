"""What a solver remembers of its last steps, and the next direction that it draws from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from petsc4py import PETSc

Solve = Callable[[PETSc.Vec, PETSc.Vec], None]
"""z = P⁻¹ r, written to the second argument."""


class History(Protocol):
    """Steps s and the changes y of the gradient (or residual) along them, the last few."""

    def add(self, s: PETSc.Vec, y: PETSc.Vec) -> None: ...
    def clear(self) -> None: ...
    def direction(self, g: PETSc.Vec) -> PETSc.Vec:
        """−H g with H the inverse stiffness that the steps suggest."""
        ...

    def __len__(self) -> int: ...


@dataclass
class Curvatures:
    """L-BFGS: H symmetric and positive definite, by the two-loop recursion (Nocedal, Math. Comput. 35, 773,
    1980, doi:10.1090/S0025-5718-1980-0572855-7) from P⁻¹. For gradients of an energy."""

    precondition: Solve
    size: int = 30
    s: list[PETSc.Vec] = field(default_factory=list)
    y: list[PETSc.Vec] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.s)

    def clear(self) -> None:
        self.s, self.y = [], []

    def add(self, s: PETSc.Vec, y: PETSc.Vec) -> None:
        curvature = s.dot(y)
        if curvature <= 1e-12 * s.norm() * y.norm():
            return  # no curvature along the step: it would make the matrix indefinite
        s.scale(curvature**-0.5)  # s·y = 1
        y.scale(curvature**-0.5)
        self.s, self.y = [*self.s, s][-self.size :], [*self.y, y][-self.size :]

    def direction(self, g: PETSc.Vec) -> PETSc.Vec:
        d, alphas = g.copy(), []
        for s, y in zip(reversed(self.s), reversed(self.y)):
            alphas.append(s.dot(d))
            d.axpy(-alphas[-1], y)
        z = d.duplicate()
        self.precondition(d, z)
        for s, y, alpha in zip(self.s, self.y, reversed(alphas)):
            z.axpy(alpha - y.dot(z), s)
        z.scale(-1.0)
        return z


@dataclass
class Secants:
    """Anderson acceleration of q ← q − P⁻¹g: H need not be symmetric. For residuals without an energy.

    With z = P⁻¹y and f = P⁻¹g, the γ that minimise |f − Σ γ_k z_k| give −H g = −Σ γ_k s_k − (f − Σ γ_k z_k)
    (Walker & Ni, SIAM J. Numer. Anal. 49, 1715, 2011, doi:10.1137/10078356X).
    """

    precondition: Solve
    size: int = 15
    s: list[PETSc.Vec] = field(default_factory=list)
    z: list[PETSc.Vec] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.s)

    def clear(self) -> None:
        self.s, self.z = [], []

    def add(self, s: PETSc.Vec, y: PETSc.Vec) -> None:
        z = y.duplicate()
        self.precondition(y, z)
        scale = z.norm()
        if scale == 0.0:
            return
        s.scale(1.0 / scale)  # only ratios matter: columns of unit length keep the least squares well posed
        z.scale(1.0 / scale)
        self.s, self.z = [*self.s, s][-self.size :], [*self.z, z][-self.size :]

    def direction(self, g: PETSc.Vec) -> PETSc.Vec:
        f = g.duplicate()
        self.precondition(g, f)
        d = f.copy()
        for gamma, s, z in zip(self._fit(f), self.s, self.z):
            d.axpy(gamma, s)
            d.axpy(-gamma, z)
        d.scale(-1.0)
        return d

    def _fit(self, f: PETSc.Vec) -> np.ndarray:
        if not self.z:
            return np.zeros(0)
        gram = np.array([[a.dot(b) for b in self.z] for a in self.z])
        right = np.array([a.dot(f) for a in self.z])
        return np.linalg.lstsq(gram, right, rcond=1e-12)[0]
