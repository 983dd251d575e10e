"""A tip over a block, both of one crystal: which sites it has, its mesh, and how its core fits into it."""

from __future__ import annotations

import numpy as np

from coupling.atoms import Removal
from coupling.cut import Cut
from coupling.regions import Box, Mask, Shape
from meshes.data import MeshData
from meshes.tip import block_and_tip, profile
from multiscale.block import grid_spacing
from multiscale.config import Case, InputError
from nnp.crystal import Crystal

Array = np.ndarray

APART = Cut((np.inf, 0.0))
"""All bonds between the two bodies: what the tip is without the block, and the block without the tip."""

BELOW = 0.1
"""Å that sites of the tip lie above its surface at least, so that straight edges of elements leave none out."""

_BEYOND = 1.0
"""Å that the domain of the atomistic scheme reaches beyond the sides, which are free: no site there is held."""


def outside(case: Case) -> Removal:
    """Sites that belong to neither body: in the gap, and beyond the free sides."""
    radius, half = _radius(case), 0.5 * case.geometry.extent[0]

    def empty(points: Array) -> Array:
        x, y = points[:, 0], points[:, 1]
        gap = (y > 0.0) & (y < profile(x, radius) + BELOW)
        return gap | (np.abs(x) > half)

    return empty


def whole(case: Case) -> Shape:
    """The domain with both bodies and the gap; its sides are beyond those of the bodies."""
    width, height = case.geometry.extent
    return Box((0.0, 0.0), (width + 2.0 * _BEYOND, 2.0 * height))


def tip_overhang(case: Case, low: Array, high: Array) -> float:
    """How far the box around core, blend and pad, Å, reaches beyond the bodies; negative where it ends inside."""
    width, height = case.geometry.extent
    reach = np.maximum(-low, high)[:2]
    return float(np.max(reach - [0.5 * width, height]))


def tip_mesh(case: Case, crystal: Crystal, mask: Mask) -> MeshData:
    """Grids with as many nodes as lattice points at core and blend, wrapped in shells."""
    config = case.continuum.mesh
    h = np.full(2, config.h) if config.h is not None else grid_spacing(crystal, 2)
    low, high = mask.core.bounds()
    reach = np.maximum(-low, high)[:2] + mask.blend + 0.5 * h
    size, core = case.geometry.extent, mask.core.distance
    try:
        return block_and_tip(size, _radius(case), reach, h, config.growth, core, config.h_max)
    except ValueError as error:
        raise InputError("continuum.mesh", str(error)) from error


def _radius(case: Case) -> float:
    assert case.geometry.tip is not None
    return case.geometry.tip.radius
