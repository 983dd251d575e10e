"""What the model needs to know of its material, derived from the potential alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnp.committee import Committee
from nnp.crystal import Crystal
from nnp.homogeneous import elastic_tensor, internal_shift
from nnp.potential import Potential
from nnp.stroh import griffith_k
from nnp.surfaces import FreeSurface, free_surface, surface_energy

Array = np.ndarray


@dataclass(frozen=True)
class Material:
    """A potential in a crystal, and the tip that its cracks start from. Laboratory frame, ASE units.

    committee: whose spread is asked for, None where there is none; `potential` is its mean or its first member.
    """

    potential: Potential
    crystal: Crystal
    tip: tuple[float, float] = (0.0, 0.0)
    committee: Committee | None = None

    @cached_property
    def elastic(self) -> Array:
        """C (3, 3, 3, 3) with relaxed basis, eV/Å³."""
        return elastic_tensor(self.potential, self.crystal)

    @cached_property
    def shift(self) -> Array:
        """Λ (b, 3, 3, 3), Å."""
        return internal_shift(self.potential, self.crystal)

    @cached_property
    def surface_energy(self) -> float:
        """γ of the relaxed surfaces that a cut normal to y leaves, eV/Å²."""
        return surface_energy(self.potential, self.crystal, relaxed=True)

    @cached_property
    def free_surface(self) -> FreeSurface:
        """How the crystal relaxes under its surface y = 0."""
        return free_surface(self.potential, self.crystal)

    @cached_property
    def griffith(self) -> float:
        """K_I at which the energy release rate equals 2γ, eV/Å^2.5."""
        return griffith_k(self.elastic, 2.0 * self.surface_energy)
