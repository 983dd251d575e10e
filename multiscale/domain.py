"""The whole domain of a case, and whether core, blend and pad fit into it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coupling.assemble import halo
from coupling.least_mask import least_second_difference
from coupling.regions import OPTIMAL, Ball, Box, Mask, Shape
from multiscale.block import block_overhang, projected_lattice
from multiscale.config import Case, InputError
from multiscale.meshing import node_origin
from multiscale.tip import tip_overhang, whole
from nnp.crystal import Crystal
from nnp.potential import Potential

Array = np.ndarray


def domain(case: Case) -> Shape:
    """The whole domain; a block with its mirror image, so that its surface is no rim."""
    geometry = case.geometry
    if geometry.shape == "block":
        return Box(geometry.middle, [(2.0 if k == 1 else 1.0) * s for k, s in enumerate(geometry.extent)])
    if geometry.shape == "plate":
        return Box(geometry.middle, geometry.extent)
    if geometry.shape == "tip":
        return whole(case)
    return Ball(geometry.middle, geometry.outer)


def overhang(case: Case, mask: Mask, potential: Potential, crystal: Crystal) -> float:
    """How far the pad reaches beyond the domain, Å; negative where it ends inside."""
    low, high = mask.core.bounds()
    need = mask.blend + halo(potential, crystal)
    if case.geometry.shape == "block":
        return block_overhang(case, low - need, high + need)
    if case.geometry.shape == "tip":
        return tip_overhang(case, low - need, high + need)
    centre = np.asarray(case.geometry.middle, float)
    if case.geometry.shape == "plate":
        beyond = (
            np.maximum(high[:2] - centre, centre - low[:2]) + need - 0.5 * np.asarray(case.geometry.extent)
        )
        return float(beyond.max())
    corner = np.maximum(np.abs(low[: len(centre)] - centre), np.abs(high[: len(centre)] - centre))
    reach = corner.max() if isinstance(mask.core, Ball) else float(np.linalg.norm(corner))
    return float(reach + need - case.geometry.outer)


def on_lattice(case: Case, mask: Mask, crystal: Crystal) -> Mask:
    """With its values on the lattice where the mask is made there."""
    if mask.step != OPTIMAL:
        return mask
    solid = case.geometry.dim == 3
    vectors = crystal.cell if solid else projected_lattice(crystal)
    origin = np.zeros(3) if solid else node_origin(case)
    return replace(mask, table=least_second_difference(mask.core, mask.blend, vectors, origin))


def check_fit(case: Case, mask: Mask, potential: Potential, crystal: Crystal) -> None:
    """The pad must end inside the domain."""
    beyond = overhang(case, mask, potential, crystal)
    if beyond >= 0.0 and case.geometry.size is not None:
        pad = halo(potential, crystal) / 10
        message = (
            f"the pad, {pad:.3g} nm wide with this potential, reaches {beyond / 10:.3g} nm beyond the domain"
        )
        raise InputError("geometry.size", message)
    if beyond >= 0.0:
        radius = case.geometry.outer
        raise InputError(
            "geometry.radius",
            f"the pad leaves the mesh: core, blend and pad reach {(radius + beyond) / 10:.3g} nm from the centre, the "
            f"domain {radius / 10:.3g} nm; the pad of this potential is {halo(potential, crystal) / 10:.3g} nm wide",
        )
