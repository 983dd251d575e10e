"""A network as a constitutive law: the Cauchy–Born response, or an experiment's, at the price of a few small sums.

    ψ(E) = ½ e·C e + σ [N(I(e)) − N(0) − Σ_k ∂_kN(0) I_k − ½ ∂₁₁N(0) I₁²],     k over the invariants of degree ≤ 2

I are the polynomial invariants of the crystal's point group, so ψ has the crystal's symmetry, and as a function of
E (of C = 1 + 2E) it is frame-indifferent. What is subtracted is the network's own expansion to second order in the
strain: P(1) = 0 and the elastic constants C are exact whatever the weights. The stress is the derivative of ψ, so
what is stored is returned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multiscale.continuum.laws.invariants import Invariants
from multiscale.continuum.laws.network import Network

Array = np.ndarray


@dataclass(frozen=True)
class NeuralDensity:
    """second: C (6, 6) in Mandel components, eV/Å³, in the crystal's axes. strain: the strains are counted in it.
    norms: (k,) size of each invariant of the counted strains; stress: of the part of the network, eV/Å³."""

    second: Array
    basis: Invariants
    network: Network
    norms: Array
    strain: float
    scale: float

    def stress(self, e: Array) -> tuple[Array, Array]:
        """W (n,) and S (n, 6)."""
        value, slope = self.part(e)
        linear = e @ self.second
        energy = 0.5 * np.einsum("na,na->n", e, linear) + self.strain * self.scale * value
        return energy, linear + self.scale * slope

    def stiffness(self, e: Array) -> Array:
        """∂S/∂e (n, 6, 6)."""
        x, B = self.inputs(e)
        slope = self.network.value(x)[1] - self.expansion(x)[1]
        curvature = self.network.curvature(x)
        curvature[:, 0, 0] -= self._at_rest[2]
        bent = self.basis.curvature(e / self.strain, slope / self.norms)
        return self.second + self.scale / self.strain * (np.swapaxes(B, 1, 2) @ curvature @ B + bent)

    def part(self, e: Array) -> tuple[Array, Array]:
        """What the network adds, over scale: energy over strain (n,) and stress (n, 6)."""
        x, B = self.inputs(e)
        value, slope = self.network.value(x)
        rest, rest_slope = self.expansion(x)
        return value - rest, np.einsum("nk,nki->ni", slope - rest_slope, B)

    def inputs(self, e: Array) -> tuple[Array, Array]:
        """What enters the network, x (n, k), and its derivative by the counted strain (n, k, 6)."""
        values, slopes = self.basis.values(e / self.strain)
        return values / self.norms, slopes / self.norms[:, None]

    def expansion(self, x: Array) -> tuple[Array, Array]:
        """The network to second order in the strain, (n,), and its derivative by x."""
        value, low, second = self._at_rest
        slope = np.zeros_like(x)
        slope[:, : len(low)] = low
        slope[:, 0] += second * x[:, 0]
        return value + x[:, : len(low)] @ low + 0.5 * second * x[:, 0] ** 2, slope

    @property
    def degree_two(self) -> int:
        """How many invariants have a part of second order or less."""
        return 1 + self.basis.quadratic

    @property
    def _at_rest(self) -> tuple[float, Array, float]:
        zero = np.zeros((1, len(self.basis)))
        value, slope = self.network.value(zero)
        return float(value[0]), slope[0, : self.degree_two], float(self.network.curvature(zero)[0, 0, 0])
