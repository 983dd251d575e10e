"""What a law is fitted to: strains with the energies and stresses that belong to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multiscale.continuum.laws.strain import Array, mandel, stretch, unmandel
from nnp.crystal import Crystal
from nnp.homogeneous import HomogeneousCrystal
from nnp.potential import Potential


@dataclass(frozen=True)
class Samples:
    """Mandel vectors of Green–Lagrange strain (n, 6) and second Piola–Kirchhoff stress (n, 6), eV/Å³, energy
    density (n,), eV/Å³. What was not measured is nan in stress and energy."""

    strain: Array
    energy: Array
    stress: Array

    def __len__(self) -> int:
        return len(self.strain)


def cauchy_born_samples(
    potential: Potential, crystal: Crystal, n: int, largest: float, seed: int = 0, crowding: float = 1.0
) -> Samples:
    """The crystal with relaxed basis under n strains of random direction, whose largest principal value is
    up to `largest`, times a random number from 0.1 to 1 to the power 1/crowding: the larger, the more samples at the
    largest strains. Laboratory frame. The same for the same seed."""
    rng = np.random.default_rng(seed)
    E = unmandel(rng.normal(size=(n, 6)))
    size = np.abs(np.linalg.eigvalsh(E)).max(axis=1)
    E *= (largest * rng.uniform(0.1, 1.0, n) ** (1.0 / crowding) / size)[:, None, None]
    if crystal.structure == "triangular":
        E[:, 2], E[:, :, 2] = 0.0, 0.0
    F = stretch(mandel(E))
    response = HomogeneousCrystal(potential, crystal).evaluate(F)
    stress = np.linalg.solve(F, response.stress)
    return Samples(mandel(E), response.energy, mandel(0.5 * (stress + np.swapaxes(stress, 1, 2))))
