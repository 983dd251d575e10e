"""Small-strain elasticity with the full anisotropic tensor."""

from __future__ import annotations

import numpy as np

from nnp.crystal import Crystal
from nnp.homogeneous import elastic_tensor
from nnp.potential import Potential

Array = np.ndarray


class Linear:
    """W = ½ ε : C : ε,  P = C : ε,  ε = sym(F − I).

    C: (3, 3, 3, 3) eV/Å³ in the laboratory frame; only its part with the minor and major symmetries acts.
    """

    def __init__(self, C: Array):
        C = np.asarray(C, float).reshape(3, 3, 3, 3)
        C = 0.5 * (C + C.transpose(1, 0, 2, 3))
        C = 0.5 * (C + C.transpose(0, 1, 3, 2))
        self.C = 0.5 * (C + C.transpose(2, 3, 0, 1))

    @classmethod
    def of_crystal(cls, potential: Potential, crystal: Crystal) -> Linear:
        """C computed from the potential, basis relaxed, so that both sides of a coupling agree."""
        return cls(elastic_tensor(potential, crystal))

    def evaluate(self, F: Array) -> tuple[Array, Array]:
        H = F - np.eye(3)
        stress = (H.reshape(-1, 9) @ self.C.reshape(9, 9)).reshape(-1, 3, 3)
        return 0.5 * np.einsum("nij,nij->n", stress, H), stress

    def tangent(self, F: Array) -> Array:
        return np.broadcast_to(self.C.reshape(9, 9), (len(F), 9, 9))
