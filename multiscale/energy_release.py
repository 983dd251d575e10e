"""The energy release rate of a crack along x, from the fields of the mesh around it.

    G = −∫ b_1j ∂q/∂x_j dA − ∫ Γ ∂q/∂x_1 ds,      b = W 1 − (F − 1)ᵀ P

is what a unit advance of everything within the inner circle, where q = 1, would release; q falls to zero on the outer
one (C. F. Shih, B. Moran, T. Nakamura, Int. J. Fract. 30, 79, 1986, doi:10.1007/BF00034019). The second part is that of
a cohesive surface which crosses the ring; faces free of traction have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from petsc4py import PETSc

from coupling.model import Model
from multiscale.interface import Interface

Array = np.ndarray


@dataclass(frozen=True)
class Ring:
    """Between two circles around a point of the plane, Å."""

    centre: Array
    inner: float
    outer: float

    def weight(self, points: Array) -> Array:
        """q at points (…, 2 or more)."""
        r = np.linalg.norm(points[..., :2] - self.centre, axis=-1)
        return np.clip((self.outer - r) / (self.outer - self.inner), 0.0, 1.0)


def ring_of(model: Model, centre: Any, radius: float) -> Ring | None:
    """The ring in the outer half of a disc, around all cells that atoms share; None without a mesh, or where they
    reach into it. Collective."""
    bulk: Any = model.bulk
    if bulk is None or bulk.dim != 2:
        return None
    if not radius > 0.0:
        return None
    ring = Ring(np.asarray(centre, float)[:2], 0.6 * radius, 0.9 * radius)
    cells, _ = _slopes(bulk, ring)
    touched = bool((bulk.fraction[cells] < 1.0).any())
    return None if model.comm.allreduce(int(touched)) else ring


def ring_place(sim: Any, tip: float) -> tuple[tuple[float, float], float]:
    """Centre and radius of the domain of the integral: a whole disc, or as much of a plate as there is around its tip,
    Å."""
    geometry = sim.case.geometry
    if geometry.size is None:
        return geometry.middle[:2], geometry.outer
    centre = (tip, sim.material.tip[1])
    room = [0.5 * s - abs(c - m) for c, m, s in zip(centre, geometry.middle, geometry.extent)]
    return centre, max(min(room), 0.0)


def energy_release(model: Model, q: PETSc.Vec, ring: Ring, interface: Interface | None = None) -> float:
    """G, eV/Å². Collective."""
    bulk: Any = model.bulk
    cells, slopes = _slopes(bulk, ring)
    b = bulk.eshelby(q.array_r[model.layout.mesh].copy(), cells)[:, 0, :2]
    total = -float(np.einsum("c,cj,cj->", bulk.volumes[cells], b, slopes))
    if interface is not None:
        total -= _of_surface(bulk, interface, q, ring)
    return float(model.comm.allreduce(total))


def _slopes(bulk: Any, ring: Ring) -> tuple[Array, Array]:
    """Owned cells (k,) where q changes, and ∇q there, (k, 2), of the function that has q at the corners and is linear
    between."""
    x = bulk.cell_geometry()
    w = ring.weight(x)
    cells = np.flatnonzero(np.ptp(w, axis=1) > 0.0)
    edges, rises = x[cells, 1:] - x[cells, :1], w[cells, 1:] - w[cells, :1]
    return cells, np.linalg.solve(edges, rises[..., None])[..., 0]


def _of_surface(bulk: Any, interface: Interface, q: PETSc.Vec, ring: Ring) -> float:
    """∫ Γ ∂q/∂x_1 ds of this rank's facets."""
    surface, faces = interface.surface, interface.faces
    energy = (faces.share * faces.response(q).energy).reshape(len(surface.corners), len(surface.rule[1]))
    x = surface.corners[..., 0]
    slope = np.diff(ring.weight(surface.corners), axis=1)[:, 0] / np.diff(x, axis=1)[:, 0]
    return float(surface.measure / bulk.thickness @ (slope * (energy @ surface.rule[1])))
