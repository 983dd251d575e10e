"""Polynomial invariants of the strain under a crystal's point group, with exact derivatives.

Every function of the strain with the symmetry of the crystal is a function of these, and every function of these
has the symmetry. Under the cubic groups, all of which turn a strain in the same ways, there are nine (A. E. Green,
J. E. Adkins, Large Elastic Deformations, Oxford 1960, ch. 1); the flat hexagonal crystal has three.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

from multiscale.continuum.laws.strain import Array, mandel_rotation
from nnp.crystal import Crystal
from nnp.symmetry import point_group

Powers = tuple[int, ...]
Polynomial = dict[Powers, float]
"""Coefficients by the powers of the six Mandel components."""


@dataclass
class Invariants:
    """polynomials: the one of degree one first, then the `quadratic` ones of degree two, then the others. order: in
    how many ways the group turns a strain. active: the components that occur."""

    name: str
    polynomials: list[Polynomial]
    quadratic: int
    order: int
    active: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    _table: _Table = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._table = _Table(self.polynomials)

    def __len__(self) -> int:
        return len(self.polynomials)

    def values(self, z: Array) -> tuple[Array, Array]:
        """I (n, k) and ∂I/∂z (n, k, 6) at z (n, 6)."""
        monomials = self._table.monomials(z)
        slopes = (self._table.first @ monomials).reshape(len(self), 6, -1)
        return (self._table.zeroth @ monomials).T, np.ascontiguousarray(np.moveaxis(slopes, -1, 0))

    def curvature(self, z: Array, weight: Array) -> Array:
        """Σ_k weight_k ∂²I_k/∂z² (n, 6, 6); weight (n, k)."""
        second = (self._table.second @ self._table.monomials(z)).reshape(len(self), 36, -1)
        return np.einsum("nk,kin->ni", weight, second, optimize=True).reshape(-1, 6, 6)


class _Table:
    """All monomials that the polynomials and their first two derivatives need, each one product of a shorter one
    with one component; sparse matrices from monomials to polynomials."""

    def __init__(self, polynomials: list[Polynomial]):
        first = [_derivative(p, i) for p in polynomials for i in range(6)]
        second = [_derivative(p, i) for p in first for i in range(6)]
        self.powers: dict[Powers, int] = {(0,) * 6: 0}
        self.parents: list[tuple[int, int]] = []
        for polynomial in (*polynomials, *first, *second):
            for powers in polynomial:
                self._add(powers)
        self.zeroth, self.first, self.second = (self._matrix(p) for p in (polynomials, first, second))

    def _add(self, powers: Powers) -> int:
        if powers not in self.powers:
            i = next(i for i, n in enumerate(powers) if n)
            parent = self._add(_lowered(powers, i))
            self.parents.append((parent, i))
            self.powers[powers] = len(self.parents)
        return self.powers[powers]

    def _matrix(self, polynomials: list[Polynomial]) -> csr_matrix:
        entries = [(c, row, self.powers[p]) for row, q in enumerate(polynomials) for p, c in q.items()]
        value, row, column = zip(*entries)
        return csr_matrix((value, (row, column)), shape=(len(polynomials), len(self.powers)))

    def monomials(self, z: Array) -> Array:
        """(monomials, n)."""
        out = np.empty((len(self.powers), len(z)), z.dtype)
        out[0], components = 1.0, np.ascontiguousarray(z.T)
        for k, (parent, i) in enumerate(self.parents):
            np.multiply(out[parent], components[i], out=out[k + 1])
        return out


def _lowered(powers: Powers, i: int) -> Powers:
    return (*powers[:i], powers[i] - 1, *powers[i + 1 :])


def _derivative(p: Polynomial, i: int) -> Polynomial:
    return {_lowered(powers, i): c * powers[i] for powers, c in p.items() if powers[i]}


def _cyclic(*seed: int) -> Polynomial:
    """A monomial in E11 E22 E33 E23 E13 E12 summed over the cyclic permutations of the axes."""
    shear = 2.0 ** (-0.5 * sum(seed[3:]))  # Mandel components are √2 E
    normal, off = list(seed[:3]), list(seed[3:])
    orbit = {(*np.roll(normal, k).tolist(), *np.roll(off, k).tolist()) for k in range(3)}
    return {powers: shear for powers in orbit}


CUBIC = Invariants(
    "cubic",
    [
        _cyclic(1, 0, 0, 0, 0, 0),
        _cyclic(1, 1, 0, 0, 0, 0),
        _cyclic(0, 0, 0, 2, 0, 0),
        _cyclic(1, 1, 1, 0, 0, 0),
        _cyclic(0, 0, 0, 1, 1, 1),
        _cyclic(1, 0, 0, 2, 0, 0),
        _cyclic(1, 1, 0, 0, 0, 2),
        _cyclic(0, 0, 0, 2, 2, 0),
        _cyclic(1, 0, 0, 0, 2, 2),
    ],
    quadratic=2,
    order=24,
)

# With p = (E11 − E22)/2 and q = E12: E11 + E22, p² + q², Re (p + iq)³ = p³ − 3pq².
FLAT_HEXAGONAL = Invariants(
    "flat hexagonal",
    [
        {(1, 0, 0, 0, 0, 0): 1.0, (0, 1, 0, 0, 0, 0): 1.0},
        {
            (2, 0, 0, 0, 0, 0): 0.25,
            (1, 1, 0, 0, 0, 0): -0.5,
            (0, 2, 0, 0, 0, 0): 0.25,
            (0, 0, 0, 0, 0, 2): 0.5,
        },
        {
            (3, 0, 0, 0, 0, 0): 0.125,
            (2, 1, 0, 0, 0, 0): -0.375,
            (1, 2, 0, 0, 0, 0): 0.375,
            (0, 3, 0, 0, 0, 0): -0.125,
            (1, 0, 0, 0, 0, 2): -0.75,
            (0, 1, 0, 0, 0, 2): 0.75,
        },
    ],
    quadratic=1,
    order=6,
    active=(0, 1, 5),
)

INVARIANTS = {basis.name: basis for basis in (CUBIC, FLAT_HEXAGONAL)}


def turns(crystal: Crystal) -> Array:
    """The different ways (g, 6, 6) in which the crystal's point group turns a strain, in the crystal's axes."""
    Q = crystal.frame.T @ point_group(crystal) @ crystal.frame
    return _different(mandel_rotation(Q))


def _different(matrices: Array) -> Array:
    return np.unique(np.round(matrices, 9) + 0.0, axis=0)  # no −0, which is another pattern of bits


def invariants_of(crystal: Crystal) -> Invariants:
    """Those that the crystal's point group leaves alone, in the crystal's own axes. ValueError where the group is
    none that is known here."""
    group = turns(crystal)
    for basis in INVARIANTS.values():
        seen = np.zeros((8, 6))
        seen[:, basis.active] = np.random.default_rng(0).normal(size=(8, len(basis.active)))
        moved = np.array([basis.values(seen @ M.T)[0] for M in group])
        ways = _different(group[:, basis.active][:, :, basis.active])
        if len(ways) == basis.order and np.abs(moved - basis.values(seen)[0]).max() < 1e-6:
            return basis
    raise ValueError(
        f"no strain invariants for the point group of this crystal ({len(group)} ways to turn it)"
    )
