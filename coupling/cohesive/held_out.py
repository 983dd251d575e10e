"""Errors of a law against the potential where it was not asked before."""

from __future__ import annotations

import numpy as np

from coupling.cohesive.halves import Halves, energies
from coupling.cohesive.law import CohesiveLaw
from coupling.cohesive.table import Table
from nnp.potential import Potential


def held_out(
    law: CohesiveLaw, table: Table, potential: Potential, bodies: Halves, count: int = 300, seed: int = 3
) -> dict[str, float]:
    """At random openings in tension and slidings: energy: root mean square, eV/Å²; traction: over the peak; worst:
    the largest error of a traction, over the peak."""
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(0.0, law.reach, count), rng.uniform(0.0, 1.0, (count, 2)) @ bodies.cell
    δ = np.concatenate([np.zeros((1, 3)), np.column_stack([x, t])])
    energy, traction = energies(potential, bodies, δ)
    found = law(δ)
    off = np.linalg.norm(found.traction - traction, axis=1)[1:] / table.peak
    return {
        "energy": float(np.sqrt(np.mean((found.energy - energy + energy[0])[1:] ** 2))),
        "traction": float(np.sqrt(np.mean(off**2))),
        "worst": float(off.max()),
    }
