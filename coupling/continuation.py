"""A state of one model taken over by another: the same crystal with core and mesh elsewhere.

Atoms that the old model had, free or not, and nodes at the place of an old one keep their displacement exactly. What is
new is interpolated on the old mesh, with the internal shift of a free atom added; nodes that come to lie where the old
model had only atoms take the displacement of a linear field fitted to the atoms around them, their internal shift taken
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from petsc4py import PETSc
from scipy.spatial import cKDTree

from coupling.atoms import AtomSet
from coupling.cut import Cut
from coupling.exchange import Halo
from coupling.model import Field, Model
from coupling.transfer import following, gradient_matrices

Array = np.ndarray

_SAME_SITE = 1e-3
"""Å."""

_SAME_NODE = 1e-7
"""Å: nodes on the two faces of a crack are farther apart (see coupling.assemble)."""

_OFF_FACE = 1e-3
"""How far from the crack plane the old mesh is asked for the displacement of a node on it, Å: a mesh finds points to a
rounding error of its size."""

NEIGHBOURS = 24
"""Atoms that a linear field is fitted to, at most."""

FITTED_WITHIN = 4.0
"""Lattice constants from a point beyond which atoms have no weight in the fit."""


def continued(old: Model, q: PETSc.Vec, new: Model, start: Field, cut: Cut | None = None) -> PETSc.Vec:
    """The unknowns of `new` that continue the state q of `old`, a start for relaxation. Collective.

    start: displacement field that prescribed unknowns have, and whatever lies outside the old model; cut: where the
    faces of a crack are now, across which nothing is interpolated.
    """
    state = _State.of(old, q)
    out = new.unknowns(start)
    values = out.array
    prescribed = values[new.fixed].copy()
    values[new.layout.atoms] = _atoms(state, new, values[new.layout.atoms].reshape(-1, 3)).ravel()
    if new.bulk is not None:
        values[new.layout.mesh] = _nodes(state, new, values[new.layout.mesh].reshape(-1, 3), cut).ravel()
    values[new.fixed] = prescribed
    return out


@dataclass(frozen=True)
class _State:
    """What this rank knows of the old model: its unknowns q, and the displacement moved (n, 3) of its atoms."""

    model: Model
    q: PETSc.Vec
    moved: Array

    @classmethod
    def of(cls, model: Model, q: PETSc.Vec) -> _State:
        return cls(model, q, model.displacements(q).copy())

    def near(self, points: Array, reach: float) -> tuple[AtomSet, Array]:
        """The old model's atoms within `reach` (Å) of this rank's points (n, 3) and more, and their displacements.
        Collective."""
        atoms = self.model.atoms
        halo = Halo.around(atoms.ownership.comm, atoms.reference, points, reach, atoms.dim)
        return atoms.extended(halo), halo.extended(self.moved)

    def same_nodes(self, points: Array) -> tuple[Array, Array]:
        """Which points (n, 3) are nodes of the old mesh, and their displacements (n, 3). Collective."""
        nodes, nodal = self.model.nodes, self.q.array_r[self.model.layout.mesh].reshape(-1, 3)
        halo = Halo.around(self.model.comm, nodes, points, 2.0 * _SAME_NODE)
        nodes, nodal = halo.extended(nodes), halo.extended(nodal)
        distance, index = _nearest(nodes, points)
        same, u = distance < _SAME_NODE, np.zeros((len(points), 3))
        u[same] = nodal[index[same]]
        return same, u

    def on_mesh(self, points: Array) -> tuple[Array, Array, Array]:
        """Whether points (n, 3) lie in the mesh, the displacement there (n, 3) and its gradient (n, 3, 3).
        Collective."""
        bulk: Any = self.model.bulk
        at, layout, n = bulk.tabulate(points), self.model.layout, len(points)
        found, none = np.flatnonzero(at.found), np.full(n, -1)
        here = following(self.model.comm, none, layout, at, np.zeros(n, int), None)
        slopes = gradient_matrices(self.model.comm, n, layout, at, found)
        value, *columns = ((matrix * self.q).array_r.reshape(-1, 3) for matrix in (here, *slopes))
        return at.found, value, np.stack(columns, axis=-1)


def _atoms(state: _State, new: Model, values: Array) -> Array:
    """Displacements of this rank's free atoms, (n, 3); `values` where the old model has nothing. Collective."""
    free = new.atoms.free
    x, sublattice = new.atoms.reference[free], new.atoms.sublattice[free]
    before, moved = state.near(x, _SAME_SITE)
    distance, index = _nearest(before.reference, x)
    known = distance < _SAME_SITE
    values = values.copy()
    if state.model.bulk is not None:
        found, u, gradient = state.on_mesh(x)
        if new.shift is not None:
            strain = 0.5 * (gradient + gradient.swapaxes(1, 2))
            u = u + np.einsum("icml,iml->ic", new.shift[sublattice], strain)
        values[found] = u[found]
    values[known] = moved[index[known]]
    return values


def _nodes(state: _State, new: Model, values: Array, cut: Cut | None) -> Array:
    """Displacements of this rank's nodes, (n, 3); `values` where the old model has nothing. Collective."""
    x = new.nodes
    values, missing = values.copy(), np.ones(len(x), bool)
    if state.model.bulk is not None:
        above, below = _beside(x, cut)
        found, u, _ = state.on_mesh(above)
        also, v, _ = state.on_mesh(below)
        both = found & also
        values[both] = 0.5 * (u + v)[both]
        missing = ~both
        same, w = state.same_nodes(x)
        values[same], missing[same] = w[same], False
    wide = FITTED_WITHIN * state.model.crystal.a
    near, u = fitted(state.model, *state.near(x[missing], wide), x[missing], cut)
    values[np.flatnonzero(missing)[near]] = u[near]
    return values


def _beside(x: Array, cut: Cut | None) -> tuple[Array, Array]:
    """Two points near each, (n, 3): where it lies on the crack plane, one on either side of it; where it is just off
    the plane, as nodes on a face are, both on its own side."""
    if cut is None:
        return x, x
    off = x[:, 1] - cut.tip[1]
    near, on_face = np.abs(off) < _OFF_FACE, np.abs(off) > _SAME_NODE
    above, below = x.copy(), x.copy()
    above[near, 1] = cut.tip[1] + _OFF_FACE * np.where(on_face, np.sign(off), 1.0)[near]
    below[near, 1] = cut.tip[1] + _OFF_FACE * np.where(on_face, np.sign(off), -1.0)[near]
    return above, below


def _nearest(tree: Array, points: Array) -> tuple[Array, Array]:
    """Distance to the nearest of some places (n, 3), and which it is; infinite where there are none."""
    if len(tree) == 0:
        return np.full(len(points), np.inf), np.zeros(len(points), int)
    return cKDTree(tree).query(points)


def fitted(model: Model, atoms: AtomSet, moved: Array, points: Array, cut: Cut | None) -> tuple[Array, Array]:
    """Displacement (n, 3) at points (n, 3) of the linear field that fits the atoms around each best; and which points
    have atoms around them, (n,).

    u_i = a + G (X_i − x) + Λ_p : sym G by weighted least squares over the nearest atoms whose line to the point does
    not cross the cut; atoms: of the model, those around the points at least; moved: (atoms, 3) Å.
    """
    spacing, d = model.crystal.a, 3 if model.bulk is None else model.bulk.dim
    if len(points) == 0 or len(atoms) == 0:
        return np.zeros(len(points), bool), np.zeros((len(points), 3))
    distance, index = cKDTree(atoms.reference[:, :d]).query(points[:, :d], k=min(NEIGHBOURS, len(atoms)))
    r = np.zeros((*index.shape, 3))
    r[..., :d] = atoms.reference[index][..., :d] - points[:, None, :d]
    weight = np.exp(-((distance / spacing) ** 2))
    if cut is not None:
        end = (points[:, None] + r).reshape(-1, 3)
        begin = np.broadcast_to(points[:, None], r.shape).reshape(-1, 3)
        weight = np.where(cut.crosses(begin, end).reshape(weight.shape), 0.0, weight)
    matrix = _design(r, None if model.shift is None else model.shift[atoms.sublattice[index]], d)
    w = np.sqrt(weight)[:, :, None]
    rows = (w[..., None] * matrix).reshape(len(points), -1, matrix.shape[-1])
    right = (w * moved[index]).reshape(len(points), -1)
    solution = np.einsum("nij,nj->ni", np.linalg.pinv(rows, rcond=1e-6), right)
    return (weight.sum(axis=1) > 1.0) & (distance[:, 0] < spacing), solution[:, :3]


def _design(r: Array, shift: Array | None, d: int) -> Array:
    """∂u_i/∂(a, G) for atoms at r (n, k, 3) from their point, (n, k, 3, 3 + 3 d); shift: Λ (n, k, 3, 3, 3)."""
    n, k = r.shape[:2]
    out = np.zeros((n, k, 3, 3, 1 + d))
    out[..., 0] = np.eye(3)
    out[..., 1:] = np.eye(3)[:, :, None] * r[:, :, None, None, :d]
    if shift is not None:
        symmetric = 0.5 * (shift + shift.swapaxes(-1, -2))
        out[..., 1:] += symmetric[..., :d]
    return np.concatenate([out[..., 0], out[..., 1:].reshape(n, k, 3, 3 * d)], axis=-1)
