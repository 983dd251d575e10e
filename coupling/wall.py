"""Laws of the repulsion and adhesion between a rigid surface and one site of a solid's surface.

All take the gap g, Å: distance of the site from the rigid surface, negative inside the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

Array = np.ndarray


class Wall(Protocol):
    """rest: gap without force, Å; reach: gap beyond which there is none, Å."""

    @property
    def rest(self) -> float: ...

    @property
    def reach(self) -> float: ...

    def __call__(self, gap: Array) -> tuple[Array, Array, Array]:
        """Energy of each site, eV, and its first and second derivative by the gap, (n,) each."""
        ...


@dataclass(frozen=True)
class Repulsive:
    """φ = k/3 (−g)³ for g < 0: what LAMMPS's fix indent does. k: eV/Å³ per site."""

    k: float
    rest: float = 0.0
    reach: float = 0.0

    def __call__(self, gap: Array) -> tuple[Array, Array, Array]:
        overlap = np.maximum(-gap, 0.0)
        return self.k / 3.0 * overlap**3, -self.k * overlap**2, 2.0 * self.k * overlap


@dataclass(frozen=True)
class Adhesive:
    """φ = A Γ(g), Γ = w/3 [(z₀/g)⁸ − 4 (z₀/g)²]: the energy per area of two half-spaces of Lennard-Jones atoms, whose
    traction is 8w/(3 z₀) [(z₀/g)³ − (z₀/g)⁹] (J. A. Greenwood, Proc. R. Soc. A 453, 1277, 1997,
    doi:10.1098/rspa.1997.0070).

    work: w, eV/Å²; distance: z₀, Å; area: A of a site, Å². Γ is ended at `ends` · z₀ with its slope, and scaled so that
    its depth is w; nearer than `stiff` · z₀ it goes on as its parabola, finite at any gap.
    """

    work: float
    distance: float
    area: float
    ends: float = 12.0
    stiff: float = 0.7

    @property
    def rest(self) -> float:
        return self.distance

    @property
    def reach(self) -> float:
        return self.ends * self.distance

    def __call__(self, gap: Array) -> tuple[Array, Array, Array]:
        x = np.asarray(gap, float) / self.distance
        near = np.clip(x, self.stiff, self.ends)
        end = _half_spaces(np.array([self.ends]))
        value, slope, curvature = _half_spaces(near)
        past = np.minimum(x - self.stiff, 0.0)
        value = value + past * (slope + 0.5 * past * curvature)
        slope = slope + past * curvature
        reached = x < self.ends
        value = value - end[0] - end[1] * (near + past - self.ends)
        depth = -float((_half_spaces(np.ones(1))[0] - end[0] - end[1] * (1.0 - self.ends))[0])
        scale = np.where(reached, self.work * self.area / depth, 0.0)
        return (
            scale * value,
            scale * (slope - end[1]) / self.distance,
            scale * curvature / self.distance**2,
        )


def _half_spaces(x: Array) -> tuple[Array, Array, Array]:
    """(x⁻⁸ − 4 x⁻²)/3 and its derivatives."""
    return (
        (x**-8.0 - 4.0 * x**-2.0) / 3.0,
        8.0 / 3.0 * (x**-3.0 - x**-9.0),
        8.0 * (3.0 * x**-10.0 - x**-4.0),
    )
