"""The opening of an interface between the two atomic planes next to it, and what of it a law holds for masked atoms.

At each atom of either plane Δ is the displacement of the upper plane less that of the lower one, the other plane's
interpolated between its nearest atoms:

    Δ_i = ± [u_i − Σ_j N_j(X_i) u_j],      E = Σ_i A_i w̄_i (1 − χ_i) Γ(Δ_i)

with A_i half the area of an atom in its plane and w̄ the mean weight of the atoms that hold the adhesion there. Δ is
measured from plane to plane, and masked atoms have no elasticity across the gap: Γ is the law of rigid bodies as it is,
without a compliance subtracted. Where slaved atoms have a relaxed shift beyond the linear one, Δ is without that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from petsc4py import PETSc
from scipy.sparse import coo_matrix, csr_matrix
from scipy.spatial import Delaunay

from coupling.atoms import AtomSet
from coupling.bodies import Bodies, in_plane_vectors
from coupling.faces import Faces, Law
from coupling.layers import Layers
from coupling.masking import Masking
from coupling.model import Model
from coupling.regions import Mask
from coupling.term import Part
from nnp.crystal import Crystal

Array = np.ndarray

AXES = np.array([1, 0, 2])
"""Laboratory axes of an opening (δ_n, δ_t1, δ_t2): the interface is normal to y."""
FLAT = 0.05
"""Å within which atoms are of one plane."""


@dataclass(frozen=True)
class Planes:
    """The atoms of the two planes that face each other, the same on every rank: number (k,) of each (global), x (k, 3)
    Å, upper (k,) boolean, and whether it is chosen, (k,)."""

    number: Array
    x: Array
    upper: Array
    chosen: Array

    @classmethod
    def of(cls, atoms: AtomSet, bodies: Bodies, chosen: Array) -> Planes:
        """Of body 0 below and 1 above an interface normal to y. In an order that does not depend on the ranks, so that
        neither does what is drawn between them. Collective."""
        x, upper, own = atoms.reference, bodies.label == 1, atoms.ownership
        top = -own.largest(-float(x[upper, 1].min(initial=np.inf)))
        bottom = own.largest(float(x[~upper, 1].max(initial=-np.inf)))
        faces = np.where(upper, x[:, 1] < top + FLAT, x[:, 1] > bottom - FLAT)
        table = np.column_stack([own.low + np.arange(len(x)), x, upper, chosen])[faces]
        table = np.concatenate(own.comm.allgather(table))
        keys = np.round(table[:, 1:4], 4)
        table = table[np.lexsort((keys[:, 1], keys[:, 2], keys[:, 0]))]
        return cls(table[:, 0].astype(np.int64), table[:, 1:4], table[:, 4] != 0.0, table[:, 5] != 0.0)


@dataclass(frozen=True)
class PlanePoints:
    """atom: (m,) the atom at each point (global number); area: (m,) Å² of the interface that the point stands for;
    jump: (3m, 3n) displacements of all atoms → (δ_n, δ_t1, δ_t2) of each point. The same on every rank."""

    atom: Array
    area: Array
    jump: csr_matrix

    def openings(self, displacements: Array) -> Array:
        """displacements (n, 3) of all atoms → (m, 3), Å."""
        return (self.jump @ np.asarray(displacements).ravel()).reshape(-1, 3)

    def matrix(self, atoms: AtomSet, transfer: PETSc.Mat) -> tuple[Array, PETSc.Mat]:
        """The points whose atoms this rank owns, (m_local,), and J: unknowns → their openings, distributed.
        Collective."""
        own = atoms.ownership
        mine = np.flatnonzero((self.atom >= own.low) & (self.atom < own.low + own.count))
        rows = self.jump[(3 * mine[:, None] + np.arange(3)).ravel()]
        local = (3 * len(mine), 3 * own.count)
        selection = PETSc.Mat().createAIJ(
            ((local[0], None), (local[1], None)),
            csr=(rows.indptr.astype(PETSc.IntType), rows.indices.astype(PETSc.IntType), rows.data),
            comm=own.comm,
        )
        return mine, selection.matMult(transfer)


@dataclass(frozen=True)
class PlaneLaw:
    """A coupling.term.Term: the law's share of masked atoms, (1 − χ) w of each point's area."""

    faces: Faces

    @property
    def part(self) -> Part:
        return self.faces.part

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> float:
        return self.faces.energy_gradient(q, g)

    def stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        return self.faces.stiffness(q)

    def convex_stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        return self.faces.convex_stiffness(q)

    def remasked(self, mask: Mask) -> PlaneLaw:
        """The same under another mask of the atoms."""
        faces = self.faces
        return PlaneLaw(replace(faces, share=(1.0 - faces.chi) * faces.weight(mask)))


def plane_law(
    model: Model, masking: Masking, law: Law, height: float = 0.0, layers: Layers | None = None
) -> PlaneLaw | None:
    """What the law holds for the masked atoms of a model, None where none are masked. height: of the interface, Å;
    layers: over which the mask is averaged, None: the weight of the atom at each point. Collective."""
    atoms, weights = model.atoms, model.atoms.weights
    left = (1.0 - masking.chi) * weights
    if not atoms.ownership.any(bool((left > 0.0).any())):
        return None
    points = plane_points(atoms, masking.bodies, model.crystal, left > 0.0)
    mine, jump = points.matrix(atoms, model.transfer)
    atom = points.atom[mine] - atoms.ownership.low
    closed, chi = np.zeros((len(mine), 3)), masking.chi[atom]
    where = atoms.reference[atom]
    if layers is not None:
        where[:, 1] = height
    faces = Faces(jump, points.area[mine], law, where, left[atom], closed, chi, layers)
    term = PlaneLaw(faces)
    return term if model.mask is None else term.remasked(model.mask)


def plane_points(atoms: AtomSet, bodies: Bodies, crystal: Crystal, chosen: Array) -> PlanePoints:
    """Points at the chosen ones (n,) boolean of this rank's atoms in the two planes that face each other, of body 0
    below and 1 above an interface normal to y. ValueError where a chosen atom lies beyond the atoms of the other plane.
    Collective."""
    planes = Planes.of(atoms, bodies, chosen)
    below, above = ~planes.upper, planes.upper
    parts = [
        _on(atoms, planes, below & planes.chosen, above, 1.0),
        _on(atoms, planes, above & planes.chosen, below, -1.0),
    ]
    point = np.concatenate([p[0] for p in parts])
    area = np.concatenate([np.full(len(p[0]), 0.5 * _area(crystal, planes.x[p[0]])) for p in parts])
    row = np.concatenate([parts[0][1], parts[1][1] + len(parts[0][0])])
    column, value = (np.concatenate([p[k] for p in parts]) for k in (2, 3))
    c = np.arange(3)
    entries = (3 * row[:, None] + c).ravel(), (3 * planes.number[column][:, None] + AXES).ravel()
    shape = (3 * len(point), 3 * atoms.ownership.total)
    jump = coo_matrix((np.repeat(value, 3), entries), shape=shape).tocsr()
    return PlanePoints(planes.number[point], area, jump)


def _area(crystal: Crystal, plane: Array) -> float:
    """Å² of an atom in the plane of the crystal that holds the points (k, 3); per Å of depth of a flat crystal."""
    if len(plane) == 0:
        return 0.0
    vectors = in_plane_vectors(crystal)
    cell = float(np.linalg.norm(np.cross(*vectors))) if len(vectors) == 2 else float(np.linalg.norm(vectors))
    height = plane[:, 1].mean()
    span = np.abs(vectors).sum(axis=0) + 1e-3
    low, high = plane[0] - span - 1e-3, plane[0] + span + 1e-3
    low[1], high[1] = height - FLAT, height + FLAT
    near = crystal.sites(low, high)[0] - plane[0]
    k = near @ np.linalg.pinv(vectors) + 1e-6
    return cell / int(((k >= 0.0) & (k < 1.0)).all(axis=1).sum())


def _on(
    atoms: AtomSet, planes: Planes, at: Array, other: Array, sign: float
) -> tuple[Array, Array, Array, Array]:
    """The points `at` and the entries (point, atom, value) of sign · [Σ_j N_j u_j − u_i], j of the plane `other`, as
    places among the atoms of both planes."""
    point, partner = np.flatnonzero(at), np.flatnonzero(other)
    image, node, value = _interpolation(atoms, planes.x[partner], planes.x[point])
    k = np.arange(len(point))
    row = np.concatenate([image, k])
    column = np.concatenate([partner[node], point])
    return point, row, column, sign * np.concatenate([value, np.full(len(point), -1.0)])


def _interpolation(atoms: AtomSet, nodes: Array, points: Array) -> tuple[Array, Array, Array]:
    """(point, node, N) of linear interpolation in the plane between nodes (k, 3), periods included: exact for what
    is linear in x and z."""
    copies = nodes[None]
    for vector in atoms.cell[list(atoms.pbc)]:
        copies = np.concatenate([copies - vector, copies, copies + vector])
    number = np.tile(np.arange(len(nodes)), len(copies))
    lateral, wanted = copies.reshape(-1, 3)[:, [0, 2]], points[:, [0, 2]]
    if np.ptp(lateral[:, 1]) < 1e-6:
        corner, value = _between(lateral[:, 0], wanted[:, 0])
    else:
        corner, value = _barycentric(lateral, wanted)
    row = np.repeat(np.arange(len(points)), corner.shape[1])
    kept = np.abs(value.ravel()) > 1e-9
    return row[kept], number[corner.ravel()[kept]], value.ravel()[kept]


def _between(nodes: Array, points: Array) -> tuple[Array, Array]:
    """Neighbours (m, 2) of points on a line and their weights."""
    order = np.argsort(nodes)
    right = np.searchsorted(nodes[order], points)
    if ((right == 0) | (right == len(nodes))).any():
        raise ValueError("an atom next to the interface has none opposite: the atoms end too close to it")
    a, b = order[right - 1], order[right]
    t = (points - nodes[a]) / (nodes[b] - nodes[a])
    return np.stack([a, b], axis=1), np.stack([1.0 - t, t], axis=1)


def _barycentric(nodes: Array, points: Array) -> tuple[Array, Array]:
    """Corners (m, 3) of the Delaunay triangle around each point, and the barycentric coordinates in it."""
    mesh = Delaunay(nodes)
    simplex = mesh.find_simplex(points, tol=1e-9)
    if (simplex < 0).any():
        raise ValueError("an atom next to the interface has none opposite: the atoms end too close to it")
    transform = mesh.transform[simplex]
    first = np.einsum("mij,mj->mi", transform[:, :2], points - transform[:, 2])
    return mesh.simplices[simplex], np.concatenate([first, 1.0 - first.sum(axis=1, keepdims=True)], axis=1)
