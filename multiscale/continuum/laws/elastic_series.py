"""Nonlinear elasticity to fourth order: the Cauchy–Born law as a series in the strain.

    W(E) = ½ e·C e + ⅙ C₃[e, e, e] + 1/24 C₄[e, e, e, e]

e is the Green–Lagrange strain as a Mandel vector, C the elastic constants and C₃, C₄ the third- and
fourth-order ones (R. N. Thurston, K. Brugger, Phys. Rev. 133, A1604, 1964, doi:10.1103/PhysRev.133.A1604).
C is exact; the higher ones are fitted to energies and stresses of the homogeneously strained crystal and carry
its symmetry. Frame-indifferent, with an energy, and a thousand times cheaper than the network it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, permutations, product

import numpy as np

from nnp.crystal import Crystal
from nnp.homogeneous import HomogeneousCrystal, elastic_tensor
from nnp.potential import Potential

Array = np.ndarray
STRAIN = 0.06
"""Largest strain of the samples; a run that goes much further says so."""
_I, _J = np.array([0, 1, 2, 1, 0, 0]), np.array([0, 1, 2, 2, 2, 1])
_ROOT = np.array([1.0, 1.0, 1.0, 2**0.5, 2**0.5, 2**0.5])


def mandel(tensor: Array) -> Array:
    """Symmetric tensors (…, 3, 3) as vectors (…, 6) whose dot product is the tensors' double contraction."""
    return tensor[..., _I, _J] * _ROOT


def unmandel(vector: Array) -> Array:
    """The inverse of `mandel`."""
    out = np.empty((*vector.shape[:-1], 3, 3))
    out[..., _I, _J] = out[..., _J, _I] = vector / _ROOT
    return out


@dataclass
class ElasticSeries:
    """second (6, 6), third (6, 36), fourth (36, 36): C, C₃, C₄ in Mandel components, eV/Å³; strain: largest
    strain that they were fitted to; error: rms error of the stress over the samples, relative to its rms."""

    second: Array
    third: Array
    fourth: Array
    strain: float = np.inf
    error: float = 0.0

    @classmethod
    def of_crystal(cls, potential: Potential, crystal: Crystal, samples: int = 400) -> ElasticSeries:
        """Fitted to the Cauchy–Born response of a crystal."""
        C = elastic_tensor(potential, crystal)
        second = C[_I[:, None], _J[:, None], _I, _J] * np.outer(_ROOT, _ROOT)
        e, energy, stress = _sample(potential, crystal, samples)
        residual_energy = energy - 0.5 * np.einsum("na,ab,nb->n", e, second, e)
        third, fourth = _fit(e, residual_energy, stress - e @ second)
        if crystal.structure != "triangular":
            third, fourth = _symmetrised(third, fourth, crystal.frame)
        law = cls(second, third.reshape(6, 36), fourth.reshape(36, 36), STRAIN)
        misfit = law._series(e)[1] - stress
        law.error = float(np.sqrt((misfit**2).mean() / (stress**2).mean()))
        return law

    def evaluate(self, F: Array) -> tuple[Array, Array]:
        E = 0.5 * (np.swapaxes(F, 1, 2) @ F - np.eye(3))
        energy, s = self._stress(mandel(E))
        return energy, F @ unmandel(s)

    def tangent(self, F: Array) -> Array:
        e = mandel(0.5 * (np.swapaxes(F, 1, 2) @ F - np.eye(3)))
        full = unmandel(np.swapaxes(unmandel(self._stiffness(e)), 1, 3).swapaxes(1, 2).reshape(len(F), 9, 6))
        D = full.reshape(-1, 3, 3, 3, 3)
        material = np.einsum("niM,nMJNL,nkN->niJkL", F, D, F, optimize=True)
        geometric = np.einsum("ik,nJL->niJkL", np.eye(3), unmandel(self._stress(e)[1]))
        return (material + geometric).reshape(-1, 9, 9)

    def _stress(self, e: Array) -> tuple[Array, Array]:
        """Energy density (n,) and second Piola–Kirchhoff stress (n, 6) in Mandel components.

        A quartic is not bounded below. Beyond the strains it was fitted to it is continued from the point ē on
        the same ray, with the stiffness at rest: W(ē) + S(ē)·d + ½ d·C d, d = e − ē, which is continuous with its
        first derivatives.
        """
        ray, inner = self._limited(e)
        d = e - inner
        energy, stress = self._series(inner)
        linear = d @ self.second
        pull = (self._series_stiffness(inner) @ d[:, :, None])[:, :, 0] - linear
        unit = e / np.maximum(np.linalg.norm(e, axis=1, keepdims=True), 1e-300)
        along = pull - unit * (unit * pull).sum(axis=1, keepdims=True)  # ē moves only across the ray
        outside = (ray < 1.0)[:, None]
        total = energy + (d * (stress + 0.5 * linear)).sum(axis=1)
        return total, stress + linear + np.where(outside, ray[:, None] * along, 0.0)

    def _stiffness(self, e: Array) -> Array:
        """∂S/∂e (n, 6, 6): exact within the fitted strains, that at rest beyond them."""
        ray, inner = self._limited(e)
        return np.where((ray < 1.0)[:, None, None], self.second, self._series_stiffness(inner))

    def _limited(self, e: Array) -> tuple[Array, Array]:
        """Factor (n,) ≤ 1 that brings a strain back to the fitted ones, and the strain brought back."""
        size = np.linalg.norm(e, axis=1)
        ray = np.minimum(1.0, 2.0 * self.strain / np.maximum(size, 1e-300))
        return ray, ray[:, None] * e

    def _series(self, e: Array) -> tuple[Array, Array]:
        linear = e @ self.second
        cubic = ((e @ self.third).reshape(-1, 6, 6) @ e[:, :, None])[:, :, 0]
        quartic = ((_pairs(e) @ self.fourth).reshape(-1, 6, 6) @ e[:, :, None])[:, :, 0]
        energy = (e * (linear / 2.0 + cubic / 6.0 + quartic / 24.0)).sum(axis=1)
        return energy, linear + cubic / 2.0 + quartic / 6.0

    def _series_stiffness(self, e: Array) -> Array:
        third, fourth = (e @ self.third).reshape(-1, 6, 6), (_pairs(e) @ self.fourth).reshape(-1, 6, 6)
        return self.second + third + 0.5 * fourth


def _pairs(e: Array) -> Array:
    return (e[:, :, None] * e[:, None, :]).reshape(-1, 36)


def _sample(potential: Potential, crystal: Crystal, n: int) -> tuple[Array, Array, Array]:
    """Strains (n, 6), energies (n,) and second Piola–Kirchhoff stresses (n, 6) of the relaxed crystal."""
    rng = np.random.default_rng(0)
    e = rng.normal(size=(n, 6))
    E = unmandel(e)
    size = np.abs(np.linalg.eigvalsh(E)).max(axis=1)
    E *= (STRAIN * rng.uniform(0.1, 1.0, n) / size)[:, None, None]
    if crystal.structure == "triangular":
        E[:, 2], E[:, :, 2] = 0.0, 0.0
    value, vector = np.linalg.eigh(np.eye(3) + 2.0 * E)
    F = np.einsum("nij,nj,nkj->nik", vector, np.sqrt(value), vector)
    response = HomogeneousCrystal(potential, crystal).evaluate(F)
    return mandel(E), response.energy, mandel(_sym(np.linalg.solve(F, response.stress)))


def _sym(t: Array) -> Array:
    return 0.5 * (t + np.swapaxes(t, 1, 2))


def _fit(e: Array, energy: Array, stress: Array) -> tuple[Array, Array]:
    """Symmetric C₃ (6, 6, 6) and C₄ (6, 6, 6, 6) by least squares on the stress and on the energy over STRAIN."""
    terms = [t for order in (3, 4) for t in combinations_with_replacement(range(6), order)]
    value = np.stack([np.prod(e[:, t], axis=1) for t in terms], axis=1)
    slope = np.zeros((len(e), 6, len(terms)))
    for k, t in enumerate(terms):
        for a in set(t):
            rest = list(t)
            rest.remove(a)
            slope[:, a, k] = t.count(a) * np.prod(e[:, rest], axis=1)
    system = np.concatenate([slope.reshape(-1, len(terms)), value / STRAIN])
    right = np.concatenate([stress.ravel(), energy / STRAIN])
    scale = np.linalg.norm(system, axis=0)
    scale[scale == 0.0] = 1.0
    found = np.linalg.lstsq(system / scale, right, rcond=1e-10)[0] / scale
    third, fourth = np.zeros((6,) * 3), np.zeros((6,) * 4)
    for c, t in zip(found, terms):
        into, count = (third, 6.0) if len(t) == 3 else (fourth, 24.0)
        distinct = set(permutations(t))
        for index in distinct:
            into[index] = c * count / len(distinct)
    return third, fourth


def _symmetrised(third: Array, fourth: Array, frame: Array) -> tuple[Array, Array]:
    """Means over the cubic point group, whose axes in the laboratory are the columns of `frame`."""
    sums = np.zeros_like(third), np.zeros_like(fourth)
    for order, signs in product(permutations(range(3)), product((1.0, -1.0), repeat=3)):
        Q = frame @ (np.eye(3)[list(order)] * np.asarray(signs)[:, None]) @ frame.T
        basis = unmandel(np.eye(6))
        M = mandel(Q @ basis @ Q.T).T  # Mandel form of E → Q E Qᵀ
        sums[0][:] += np.einsum("abc,ai,bj,ck->ijk", third, M, M, M, optimize=True) / 48
        sums[1][:] += np.einsum("abcd,ai,bj,ck,dl->ijkl", fourth, M, M, M, M, optimize=True) / 48
    return sums
