"""What no computer could hold is refused before anything of its size is made."""

from __future__ import annotations

import math
import os

import numpy as np
from scipy.integrate import trapezoid

from coupling.assemble import halo
from coupling.atoms import thickness
from multiscale.config import Case, InputError
from multiscale.config.quantities import to_text
from multiscale.material import Material
from nnp.crystal import Crystal
from nnp.potential import Potential

ATOM, NODE = 300.0, 300.0
"""Bytes that an atom with its neighbours, and a node of the mesh, take at the very least."""
LONGEST_REACH = 100.0
"""Of a potential, Å."""
MOST_NEIGHBOURS = 1e5
LARGEST = 1e5
"""Size of the domain over that of an element; coordinates have 16 digits."""
FINEST = 0.02
"""Smallest element, in lattice constants: nothing of a crystal is finer."""


def check_reach(potential: Potential) -> None:
    """InputError for a potential that reaches farther than any of matter does."""
    if not potential.receptive_field <= LONGEST_REACH:
        reach, most = (to_text(r, "length") for r in (potential.receptive_field, LONGEST_REACH))
        raise InputError("potential", f"reaches {reach}, must be at most {most}")


def check_packing(potential: Potential, crystal: Crystal, path: str) -> None:
    """InputError where the lattice constant puts more atoms into the potential's reach than can be meant."""
    r = potential.receptive_field
    ball = 4.0 / 3.0 * np.pi * r**3 if crystal.pbc[2] else np.pi * r**2
    others = ball / max(crystal.site_volume, 1e-300)
    if others > MOST_NEIGHBOURS:
        message = f"is too small: an atom has some {others:.0e} others in the potential's reach, "
        more = f"{r / 10:.3g} nm; {to_text(crystal.a, 'length')} came, at most {MOST_NEIGHBOURS:.0e} others are allowed"
        raise InputError(f"{path}.a", message + more)


def check_memory(case: Case, material: Material, ranks: int) -> None:
    """InputError where the least memory that atoms and mesh need is more than `ranks` computers like this have."""
    have = float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE") * ranks
    if case.coupling.scheme != "continuum":
        key = "geometry" if case.coupling.scheme == "atomistic" else "regions"
        _check(key, "atoms", _atoms(case, material), ATOM, have)
    if case.coupling.scheme != "atomistic" and case.continuum.mesh.file is None:
        _check_elements(case, material.crystal.a)
        _check("continuum.mesh", "nodes", _nodes(case, material), NODE, have)


def _check_elements(case: Case, a: float) -> None:
    mesh = case.continuum.mesh
    for key in ("h", "h_max", "interface_h"):
        size = getattr(mesh, key)
        if size is not None and size < FINEST * a:
            least = f"{FINEST:g} lattice constants = {FINEST * a / 10:.3g} nm"
            raise InputError(
                f"continuum.mesh.{key}", f"must be at least {least}, got {to_text(size, 'length')}"
            )


def _check(key: str, what: str, count: float, size: float, have: float) -> None:
    if count * size > have:
        need = f"need at least {count * size / 1e9:.0e} GB of memory, there is {have / 1e9:.3g}"
        raise InputError(key, f"some {count:.0e} {what} {need}; make it smaller or coarser")


def _atoms(case: Case, material: Material) -> float:
    """About how many atoms there are."""
    dim, pad = case.geometry.dim, halo(material.potential, material.crystal)
    if case.coupling.scheme == "atomistic" or case.regions is None:
        volume = _volume(case.geometry.size, case.geometry.outer, pad, dim)
    else:
        core = case.regions.core
        volume = _volume(core.size, core.radius or 0.0, case.regions.blend + pad, dim)
    return volume * thickness(material.crystal, dim) / material.crystal.site_volume


def _volume(size: tuple[float, ...] | None, radius: float, margin: float, dim: int) -> float:
    """Of a box, disc or ball with a margin, Å^dim."""
    if size is not None:
        return math.prod(s + 2.0 * margin for s in size)
    return (np.pi if dim == 2 else 4.0 / 3.0 * np.pi) * (radius + margin) ** dim


def _nodes(case: Case, material: Material) -> float:
    """About how many nodes a mesh has whose elements grow from the core outwards. InputError where the domain is too
    large to tell nodes apart."""
    geometry, mesh, dim = case.geometry, case.continuum.mesh, case.geometry.dim
    h = mesh.h or material.crystal.a
    inner = 0.0
    if case.regions is not None:
        core = case.regions.core
        inner = (core.radius if core.size is None else 0.5 * min(core.size)) or 0.0
    outer = geometry.outer if geometry.size is None else 0.5 * max(geometry.size)
    if outer > LARGEST * h:
        most = f"must be at most {LARGEST:.0e} elements of {h / 10:.3g} nm from the middle outwards"
        key = "radius" if geometry.size is None else "size"
        raise InputError(f"geometry.{key}", f"{most}, got {to_text(outer, 'length')}")
    r = np.geomspace(max(inner, 1e-3 * h), max(outer, inner + h), 400)
    grown = np.minimum(h + (mesh.growth - 1.0) * (r - r[0]), mesh.h_max or np.inf)
    density = 2.0 * np.pi * r / grown**2 if dim == 2 else 4.0 * np.pi * r**2 / grown**3
    ahead = (mesh.interface_length or 0.0) / (mesh.interface_h or h)
    return float(trapezoid(density, r)) + ahead
