"""The flat free surface of a crystal, y < 0, and how its outermost sites follow the unknowns of a model.

What touches the surface acts on every site of its uppermost planes, whether the site is a free atom or lies in the
mesh: then nothing has to be blended, and the same sum is exact in a coupled and in a fully atomistic model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from petsc4py import PETSc
from scipy.spatial import cKDTree

from coupling.atoms import Relaxation
from coupling.exchange import Halo
from coupling.model import Model
from coupling.transfer import following, free_numbers
from nnp.crystal import Crystal

Array = np.ndarray


def above(points: Array) -> Array:
    """Which sites (n, 3) a crystal with its free surface at y = 0 does not have, (n,)."""
    return points[:, 1] > 0.0


@dataclass(frozen=True)
class Surface:
    """Sites of the uppermost planes. points (n, 3) Å; relaxation (n, 3): displacements at rest, Å; sublattice (n,);
    top: height of the uppermost plane at rest, Å; area: of the surface for each site of that plane, Å²."""

    points: Array
    relaxation: Array
    sublattice: Array
    top: float
    area: float


def top_sites(
    crystal: Crystal, relax: Relaxation, dim: int, centre: Sequence[float], reach: float, below: float = 0.0
) -> Surface:
    """Sites, displaced at rest by `relax`, within `reach` (Å) of the axis through `centre` (x, or x and z) and at most
    `below` (Å) under the uppermost plane; in two dimensions those of one period along z."""
    if not crystal.pbc[2]:
        raise ValueError("a flat crystal has no surface")
    period = crystal.period((0.0, 1.0, 0.0))
    heights = crystal.planes(1)
    top = float(np.max(np.where(heights < -1e-6, heights, heights - period)))
    middle = np.array([centre[0], centre[1] if dim == 3 else 0.0])
    low, high = middle - reach, middle + reach
    if dim == 2:
        low[1], high[1] = 0.0, crystal.period((0.0, 0.0, 1.0))
    corner = np.array([low[0], top - below - 1e-4, low[1]])
    points, sublattice, _ = crystal.sites(corner, np.array([high[0], top + 1e-4, high[1]]))
    plane = points[:, [0, 2]] if dim == 3 else points[:, [0]]
    near = np.linalg.norm(plane - middle[: dim - 1], axis=1) < reach
    points, sublattice = points[near], sublattice[near]
    moved = relax(points)
    height = float((points + moved)[:, 1].max())
    return Surface(points, moved, sublattice, height, _area(crystal, top))


def _area(crystal: Crystal, top: float) -> float:
    """Surface per site of the plane at height `top`, Å²."""
    px, pz = crystal.period((1.0, 0.0, 0.0)), crystal.period((0.0, 0.0, 1.0))
    sites = crystal.sites(np.array([0.0, top - 1e-4, 0.0]), np.array([px, top + 1e-4, pz]))[0]
    return px * pz / len(sites)


def follow(model: Model, surface: Surface) -> tuple[Array, PETSc.Mat]:
    """This rank's share of the sites: positions at rest (m, 3) and the matrix that gives their displacements from the
    unknowns. ValueError where a site is neither a free atom nor in the mesh. Collective."""
    comm, n = model.comm, len(surface.points)
    mine = slice(n * comm.rank // comm.size, n * (comm.rank + 1) // comm.size)
    x, sublattice = surface.points[mine], surface.sublattice[mine]
    number = _free_there(model, x)
    bulk: Any = model.bulk  # the coupling's protocol names no shape functions
    interpolation = None if bulk is None else bulk.tabulate(x)
    found = number >= 0 if interpolation is None else (number >= 0) | interpolation.found
    lost = comm.allreduce(int((~found).sum()))
    if lost:
        raise ValueError(f"{lost} sites of the surface lie outside the domain")
    shift = model.shift if interpolation is not None else None
    return x + surface.relaxation[mine], following(
        comm, number, model.layout, interpolation, sublattice, shift
    )


def _free_there(model: Model, x: Array) -> Array:
    """Which free atom (global count) is at each of the sites x (m, 3) of this rank, −1 where none is. Collective."""
    atoms = model.atoms
    free = np.flatnonzero(atoms.free)
    sites, numbers = atoms.sites[free], free_numbers(atoms, model.layout)[free]
    halo = Halo.around(model.comm, sites, x, 1e-3)
    sites, numbers = halo.extended(sites), halo.extended(numbers)
    if len(sites) == 0 or len(x) == 0:
        return np.full(len(x), -1)
    distance, nearest = cKDTree(sites).query(x)
    return np.where(distance < 1e-3, numbers[nearest], -1)
