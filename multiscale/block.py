"""The mesh of a block under a free surface, as its crystal and its core ask for."""

from __future__ import annotations

import numpy as np

from coupling.regions import Mask
from meshes.block import graded_block
from meshes.data import MeshData
from multiscale.config import Case, InputError
from nnp.crystal import Crystal

Array = np.ndarray


def block_overhang(case: Case, low: Array, high: Array) -> float:
    """How far the box around core, blend and pad, Å, reaches beyond the block; negative where it ends inside."""
    room = [size if axis == 1 else 0.5 * size for axis, size in enumerate(case.geometry.extent)]
    reach = [-low[1] if axis == 1 else max(-low[axis], high[axis]) for axis in range(len(room))]
    return float(np.max(np.subtract(reach, room)))


def block_mesh(case: Case, crystal: Crystal, mask: Mask) -> MeshData:
    """A grid with as many nodes as lattice points under the surface, wrapped in shells."""
    config, size = case.continuum.mesh, case.geometry.extent
    h = np.full(len(size), config.h) if config.h is not None else grid_spacing(crystal, len(size))
    low, high = mask.core.bounds()
    reach = np.maximum(-low, high)[: len(size)] + mask.blend
    try:
        return graded_block(size, reach + 0.5 * h, h, config.growth, mask.core.distance, config.h_max)
    except ValueError as error:
        raise InputError("continuum.mesh", str(error)) from error


def grid_spacing(crystal: Crystal, dim: int) -> Array:
    """Spacings (dim,) of a regular grid with one node for each lattice point (seen along z in two dimensions), its
    rows at the distance of lattice planes or a multiple of it, Å."""
    cell = crystal.cell if dim == 3 else projected_lattice(crystal)
    share = float(abs(np.linalg.det(cell)))
    steps = np.stack(np.meshgrid(*[np.arange(-6, 7)] * dim, indexing="ij"), -1).reshape(-1, dim)
    heights = np.abs((steps @ cell)[:, 1])
    row = float(heights[heights > 1e-6 * crystal.a].min())
    height = row * max(1, round(share ** (1.0 / dim) / row))
    width = (share / height) ** (1.0 / (dim - 1))
    return np.array([width, height, width][:dim])


def projected_lattice(crystal: Crystal) -> Array:
    """Two shortest vectors (2, 2) of the lattice seen along z, Å."""
    n = np.arange(-3, 4)
    points = (np.stack(np.meshgrid(n, n, n, indexing="ij"), -1).reshape(-1, 3) @ crystal.cell)[:, :2]
    length = np.linalg.norm(points, axis=1)
    points = points[np.argsort(np.round(length, 6), kind="stable")]
    points = points[np.linalg.norm(points, axis=1) > 1e-6 * crystal.a]
    first = points[0]
    off_line = np.abs(first[0] * points[:, 1] - first[1] * points[:, 0]) > 1e-6 * crystal.a**2
    return np.stack([first, points[off_line][0]])
