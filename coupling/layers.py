"""Where above and below an interface the adhesion sits: in the atomic layers whose atoms lose neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from coupling.bodies import Bodies
from coupling.cohesive.halves import THICK, halves
from coupling.regions import Mask
from nnp.crystal import Crystal
from nnp.evaluate import evaluate
from nnp.neighbors import find_pairs
from nnp.potential import Potential
from nnp.state import State

Array = np.ndarray

_NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class Layers:
    """height: (k,) of atomic layers over the interface, Å; part: (k,) of the adhesion that each holds, sum one."""

    height: Array
    part: Array

    def weight(self, mask: Mask, points: Array) -> Array:
        """w̄ = Σ_k part_k w(x, y + height_k, z) at points (n, 3) of an interface normal to y, (n,): how much of the
        adhesion there belongs to atoms. With w at the interface itself, from which layers on both sides lie farther
        from the core, a strip would be counted by neither atoms nor law."""
        raised = np.repeat(np.asarray(points, float)[None], len(self.height), axis=0)
        raised[:, :, 1] += self.height[:, None]
        return self.part @ mask(raised.reshape(-1, 3)).reshape(len(self.height), -1)


def adhesive_layers(potential: Potential, crystal: Crystal) -> Layers:
    """(ε_i^same − ε_i) by layer, over their sum, of the crystal at rest cut in the widest gap between its planes
    normal to y. ValueError where the plane has no short periods."""
    bodies = halves(crystal, THICK * potential.receptive_field)
    cell = np.zeros((3, 3))
    cell[[0, 2]] = np.insert(bodies.cell, 1, 0.0, axis=1)
    numbers = torch.as_tensor(bodies.numbers, dtype=torch.long)
    state = State(torch.as_tensor(bodies.points), numbers, torch.as_tensor(cell), (True, False, True))
    pairs = find_pairs(state, potential.cutoff)
    same = pairs.select(Bodies(bodies.upper.astype(np.int64)).same(pairs))
    apart, whole = (evaluate(potential, state, p).site_energies.numpy() for p in (same, pairs))
    height, layer = np.unique(np.round(bodies.points[:, 1], 6), return_inverse=True)
    lost = np.bincount(layer.ravel(), weights=apart - whole, minlength=len(height))
    part = lost / lost.sum()
    held = np.abs(part) > _NEGLIGIBLE
    return Layers(height[held], part[held] / part[held].sum())
