"""Nonlinear elasticity to fourth order: the Cauchy–Born law as a series in the strain.

    W(E) = ½ e·C e + ⅙ C₃[e, e, e] + 1/24 C₄[e, e, e, e]

e is the Green–Lagrange strain as a Mandel vector, C the elastic constants and C₃, C₄ the third- and
fourth-order ones (R. N. Thurston, K. Brugger, Phys. Rev. 133, A1604, 1964, doi:10.1103/PhysRev.133.A1604).
C is exact; the higher ones are fitted to energies and stresses of the homogeneously strained crystal and carry
its symmetry. Frame-indifferent, with an energy, and a thousand times cheaper than the network it stands for.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement, permutations
from pathlib import Path

import numpy as np

from multiscale.continuum.laws.samples import cauchy_born_samples
from multiscale.continuum.laws.strain import Known, StrainLaw, mandel_rotation, mandel_stiffness
from nnp.crystal import Crystal
from nnp.homogeneous import elastic_tensor
from nnp.native.build import library
from nnp.potential import Potential
from nnp.symmetry import point_group

Array = np.ndarray
_SOURCE = Path(__file__).parent / "elastic_series.cpp"
STRAIN = 0.06
"""Largest strain of the samples. A quartic is not bounded below: it is used up to twice this."""


@dataclass(frozen=True)
class ElasticSeries:
    """second (6, 6), third (6, 36), fourth (36, 36): C, C₃, C₄ in Mandel components, eV/Å³."""

    second: Array
    third: Array
    fourth: Array

    @cached_property
    def _coefficients(self) -> tuple[Array, Array]:
        """½ C₃ and ⅙ C₄ as factors (6, 21) and (6, 56) of the products of two and three components."""
        parts = []
        for order, tensor in ((2, self.third / 2.0), (3, self.fourth / 6.0)):
            terms = list(combinations_with_replacement(range(6), order))
            flat = np.array(terms) @ 6 ** np.arange(order)[::-1]
            repeats = [len(set(permutations(term))) for term in terms]
            parts.append(tensor.reshape(6, -1)[:, flat] * repeats)
        return parts[0], parts[1]

    def stress(self, e: Array) -> tuple[Array, Array]:
        e = np.ascontiguousarray(e.T)
        found = _compiled(e, self.second, *self._coefficients)
        if found is not None:
            return found[0], found[1].T
        linear = self.second @ e
        cubic, quartic = (factors @ x for factors, x in zip(self._coefficients, _products(e)))
        energy = np.einsum("an,an->n", e, linear / 2.0 + cubic / 3.0 + quartic / 4.0)
        return energy, (linear + cubic + quartic).T

    def stiffness(self, e: Array) -> Array:
        third, fourth = (e @ self.third).reshape(-1, 6, 6), (_pairs(e) @ self.fourth).reshape(-1, 6, 6)
        return self.second + third + 0.5 * fourth


def elastic_series(potential: Potential, crystal: Crystal) -> StrainLaw:
    """Fitted to the Cauchy–Born response of a crystal."""
    second = mandel_stiffness(elastic_tensor(potential, crystal))
    samples = cauchy_born_samples(potential, crystal, 400, STRAIN)
    e, stress = samples.strain, samples.stress
    residual_energy = samples.energy - 0.5 * np.einsum("na,ab,nb->n", e, second, e)
    third, fourth = _fit(e, residual_energy, stress - e @ second)
    third, fourth = _symmetrised(third, fourth, point_group(crystal))
    series = ElasticSeries(second, third.reshape(6, 36), fourth.reshape(36, 36))
    misfit = series.stress(e)[1] - stress
    error = float(np.sqrt((misfit**2).mean() / (stress**2).mean()))
    return StrainLaw(series, Known(np.eye(6) / (2.0 * STRAIN) ** 2), np.eye(3), error)


def _pairs(e: Array) -> Array:
    return (e[:, :, None] * e[:, None, :]).reshape(-1, 36)


def _compiled(e: Array, *factors: Array) -> tuple[Array, Array] | None:
    """W (n,) and S (6, n), in a quarter of NumPy's time; None where there is no compiled code."""
    code = library(_SOURCE)
    if code is None or e.dtype != np.float64:
        return None
    energy, stress = np.empty(e.shape[1]), np.empty_like(e)
    arrays = [e, *(np.ascontiguousarray(f) for f in factors), energy, stress]
    code.elastic_series(ctypes.c_int64(len(energy)), *(ctypes.c_void_p(a.ctypes.data) for a in arrays))
    return energy, stress


def _products(e: Array) -> tuple[Array, Array]:
    """Of the rows of e (6, n) all different products of two, (21, n), and of three, (56, n), in lexicographic order."""
    pairs = np.concatenate([e[a] * e[a:] for a in range(6)])
    first = np.cumsum([0, 6, 5, 4, 3, 2])  # of the pairs that begin with each row
    return pairs, np.concatenate([e[a] * pairs[first[a] :] for a in range(6)])


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


def _symmetrised(third: Array, fourth: Array, group: Array) -> tuple[Array, Array]:
    """Means over the point group (g, 3, 3)."""
    sums = np.zeros_like(third), np.zeros_like(fourth)
    for M in mandel_rotation(group):
        sums[0][:] += np.einsum("abc,ai,bj,ck->ijk", third, M, M, M, optimize=True) / len(group)
        sums[1][:] += np.einsum("abcd,ai,bj,ck,dl->ijkl", fourth, M, M, M, M, optimize=True) / len(group)
    return sums
