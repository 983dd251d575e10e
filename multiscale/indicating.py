"""Error indicators of a state: of the cells beyond the blend zone, and of the atoms in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from petsc4py import PETSc

from coupling.cut import Cut
from coupling.exchange import Halo
from coupling.indicator import bulk_indicator, force_indicator, strain_gradient
from multiscale.build import Simulation

Array = np.ndarray

AROUND = 8.0
"""Radii of a cell within which its nearest neighbours lie."""


@dataclass(frozen=True)
class Indication:
    """cells: η (nc,) of this rank's cells, zero where the continuum carries nothing. largest: beyond the blend zone,
    of all ranks, or of atoms in the blend zone where a committee knows less. beyond: (n, d) centres of cells beyond
    the blend zone, uncertain: (m, d) places of atoms in it, where η is above the tolerance; the same on every rank."""

    cells: Array
    largest: float
    beyond: Array
    uncertain: Array


def indication(sim: Simulation, q: PETSc.Vec, tolerance: float, cut: Cut | None) -> Indication:
    """Of the state q. cut: the crack's faces as they are. Collective."""
    model = sim.model
    bulk: Any = model.bulk
    assert bulk is not None and model.mask is not None
    strain, stress = bulk.cell_response(q.array_r[model.layout.mesh].copy())
    moduli = bulk.law.tangent(np.eye(3)[None]).reshape(3, 3, 3, 3)
    centres = bulk.cell_geometry().mean(axis=1)
    carried = bulk.fraction > 0.0
    eta = np.zeros(len(centres))
    gradient = _gradient(model.comm, bulk.cell_geometry(), strain, carried, cut)
    eta[carried] = bulk_indicator(sim.material.crystal.a, gradient, strain[carried], stress[carried], moduli)
    far = model.mask(centres) == 0.0
    atoms, where = _uncertain(sim, q, moduli, cut)
    largest = model.atoms.ownership.largest(float(max(eta[far].max(initial=0.0), atoms.max(initial=0.0))))
    above = far & (eta > tolerance)
    found = model.comm.allgather((centres[above], where[atoms > tolerance]))
    places, at = (np.concatenate(parts) for parts in zip(*found))
    return Indication(eta, largest, places, at)


def _gradient(comm: Any, vertices: Array, strain: Array, carried: Array, cut: Cut | None) -> Array:
    """|∇E| of this rank's cells that carry something, from those around them on all ranks; vertices (nc, dim + 1, dim),
    strain (nc, 3, 3)."""
    x = vertices[carried]
    centres = x.mean(axis=1)
    size = np.linalg.norm(x - centres[:, None], axis=2).max(axis=1)
    halo = Halo.around(comm, centres, centres, AROUND * size, centres.shape[1])
    return strain_gradient(
        halo.extended(centres), halo.extended(strain[carried]), np.arange(len(centres)), cut
    )


def _uncertain(sim: Simulation, q: PETSc.Vec, moduli: Array, cut: Cut | None) -> tuple[Array, Array]:
    """η (n,) and places (n, d) of this rank's atoms in the blend zone; none without a committee. Atoms that feel the
    faces of a crack are left out: the faces run on through the blend zone of any core."""
    model, spread = sim.model, sim.trust.spread
    d = 2 if model.bulk is None else model.bulk.dim
    w, x = model.atoms.weights, model.atoms.reference
    if spread is None:
        return np.zeros(0), np.zeros((0, d))
    between = (w > 0.0) & (w < 1.0)
    if cut is not None:
        reach = sim.material.potential.receptive_field
        between &= (np.abs(x[:, 1] - cut.tip[1]) > reach) | (x[:, 0] > cut.tip[0] + reach)
    forces, _ = spread(model.positions(q))
    return force_indicator(forces[between], moduli, sim.material.crystal.site_volume), x[between, :d]
