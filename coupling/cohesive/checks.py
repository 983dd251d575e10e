"""Whether a law is what it must be: numbers that any law can be asked for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from coupling.cohesive.law import CohesiveLaw

Array = np.ndarray
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def checks(law: CohesiveLaw, seed: int = 0) -> dict[str, float]:
    """area: ∫T_n dδ_n of pure opening over the work, less one. loop: ∮T·dδ over the work, around a triangle of
    opening and sliding. rest: |Γ(0)| over the work and |T(0)| over the peak, the larger. symmetry: |D − Dᵀ|;
    tangent: error of D against central differences of T; both over |D(0)|, the largest of 50 openings."""
    rng = np.random.default_rng(seed)
    rest = law(np.zeros((1, 3)))
    knots = np.linspace(0.0, 1.0, 400) ** 2 * law.reach
    x, w = _between(knots)
    pulled = law(np.column_stack([x, 0 * x, 0 * x])).traction[:, 0]
    δ = np.column_stack([rng.uniform(0.0, min(law.reach, 4.0), 50), rng.uniform(-3.0, 3.0, (50, 2))])
    at = law(δ)
    size = float(np.abs(rest.stiffness).max())
    return {
        "area": float(w @ pulled / law.work - 1.0),
        "loop": abs(_loop(law)) / law.work,
        "rest": float(max(abs(rest.energy[0]) / law.work, np.abs(rest.traction).max() / pulled.max())),
        "symmetry": float(np.abs(at.stiffness - at.stiffness.transpose(0, 2, 1)).max() / size),
        "tangent": _tangent(law, δ, at.stiffness, size),
    }


def _tangent(law: CohesiveLaw, δ: Array, D: Array, size: float) -> float:
    """The better of a long and a short step at each opening: a spline asks for one, a kink of D for the other."""
    errors = []
    for h in (1e-4, 1e-6):
        steps = h * np.eye(3)
        up, down = (
            law((δ + s * steps[:, None]).reshape(-1, 3)).traction.reshape(3, -1, 3) for s in (1.0, -1.0)
        )
        errors.append(np.abs(((up - down) / (2.0 * h)).transpose(1, 0, 2) - D).max((1, 2)))
    return float((np.minimum(*errors) / size).max())


def _loop(law: CohesiveLaw) -> float:
    """Work along 0.1 n → 1.0 n + 1.1 t1 → 0.4 n + 0.7 t2 → start."""
    corners = np.array([[0.1, 0.0, 0.0], [1.0, 1.1, 0.0], [0.4, 0.0, 0.7], [0.1, 0.0, 0.0]])
    s, w = _between(np.linspace(0.0, 1.0, 3001))
    work = 0.0
    for start, end in pairwise(corners):
        T = law(start + s[:, None] * (end - start)).traction
        work += float(w @ (T @ (end - start)))
    return work


def _between(knots: Array) -> tuple[Array, Array]:
    """Points and weights of Gauss's rule on every interval."""
    middle, half = 0.5 * (knots[1:] + knots[:-1]), 0.5 * np.diff(knots)
    return (middle[:, None] + half[:, None] * _NODES).ravel(), (half[:, None] * _WEIGHTS).ravel()
