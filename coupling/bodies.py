"""Bodies that meet at an interface, and how much of its adhesion the atoms carry along it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from coupling.regions import quintic
from nnp.crystal import Crystal
from nnp.neighbors import Pairs

Array = np.ndarray

Chi = Callable[[Array], Array]
"""χ at points (n, 3) of the interface, (n,), between 0 and 1: the share of the adhesion that atoms carry there."""


@dataclass(frozen=True)
class Bodies:
    """label: (n,) the body of each atom, a whole number. An atom keeps its body wherever it goes, so that a pair is
    a cross pair at any opening, after sliding to new neighbours, and across a period."""

    label: Array

    def same(self, pairs: Pairs) -> torch.Tensor:
        """Which pairs join atoms of one body, (P,): a nnp.neighbors.PairFilter that removes the cross pairs."""
        label = torch.from_numpy(self.label)
        return label[pairs.i] == label[pairs.j]


def sides(points: Array, height: float) -> Bodies:
    """Two bodies: atoms whose reference position (n, 3) lies below the plane y = height are 0, those above are 1.
    ValueError where an atom lies on the plane."""
    off = np.asarray(points)[:, 1] - height
    on = np.flatnonzero(np.abs(off) < 1e-6)
    if len(on):
        where = np.round(points[on[0]], 3).tolist()
        raise ValueError(f"{len(on)} atoms lie on the interface y = {height:g} Å, the first at {where} Å")
    return Bodies((off > 0.0).astype(np.int64))


@dataclass(frozen=True)
class Graded:
    """`inside` within `radius` of the centre, `outside` beyond radius + width, a C² step of the distance between.

    centre: [x] where the interface repeats along z, [x, z] where it does not, Å; distances are along the plane.
    """

    inside: float
    outside: float
    centre: Sequence[float]
    radius: float
    width: float

    def __call__(self, points: Array) -> Array:
        along = np.asarray(points)[:, [0, 2][: len(self.centre)]]
        distance = np.linalg.norm(along - np.asarray(self.centre, float), axis=1)
        step = quintic((distance - self.radius) / self.width)
        return (1.0 - step) * self.inside + step * self.outside


def uniform(value: float) -> Chi:
    """The same χ everywhere."""
    return lambda points: np.full(len(points), float(value))


def in_plane_vectors(crystal: Crystal, axis: int = 1) -> Array:
    """The shortest lattice vectors normal to a laboratory axis that span the plane, (2, 3) Å; (1, 3) of a flat
    crystal. ValueError where there are none that are short."""
    n = np.arange(-6, 7)
    k = np.stack(np.meshgrid(n, n, n, indexing="ij"), -1).reshape(-1, 3)
    k = k[(k == 0).all(axis=1, where=~np.array(crystal.pbc))]  # no period, no multiples
    vectors = k @ crystal.cell
    vectors = vectors[np.abs(vectors[:, axis]) < 1e-6 * crystal.a]
    length = np.linalg.norm(vectors, axis=1)
    order = np.lexsort((*np.round(-vectors.T, 6), np.round(length, 6)))
    vectors = vectors[order][np.sort(length) > 1e-6 * crystal.a]
    if len(vectors) and not all(crystal.pbc):
        return vectors[:1]
    off = np.linalg.norm(np.cross(vectors[:1], vectors), axis=1) > 1e-6 * crystal.a**2 if len(vectors) else []
    if not np.any(off):
        raise ValueError(f"the crystal has no short periods in the plane normal to axis {axis}")
    return np.stack([vectors[0], vectors[off][0]])


def by_surface_cell(chi: Chi, crystal: Crystal) -> Chi:
    """χ at the middle of the repeat cell of the interface (normal to y) that a point lies in.

    Each repeat cell holds one atom of every atomic layer, so that all layers have the same mean of χ and what
    masking takes from the atoms is, cell by cell, what the law of the whole surface gives: no quadrature error.
    """
    vectors = in_plane_vectors(crystal)
    inverse = np.linalg.pinv(vectors)

    def of_cell(points: Array) -> Array:
        lateral = np.array(points, float)
        lateral[:, 1] = 0.0
        cell = np.floor(lateral @ inverse + 1e-6)
        return chi((cell + 0.5) @ vectors)

    return of_cell
