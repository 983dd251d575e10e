"""Hertz's contact on the anisotropic half-space, in the units of the results: what an indentation is compared with."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from ase import units

from multiscale.config import Case
from nnp.indentation import contact_radius, sphere_force

Array = np.ndarray

NEWTON = units.J / units.m
"""eV/Å in one newton."""


def unit_of_force(case: Case) -> str:
    """nN of a sphere, N/m of a cylinder."""
    return "nN" if case.geometry.dim == 3 else "N/m"


def hertz_curve(case: Case, depths: Array, modulus: float) -> Array | None:
    """Force (in `unit_of_force`) on a sphere at depths, nm, on a half-space with an indentation modulus, eV/Å³, without
    adhesion; None of a cylinder, whose depth depends on the size of the body, and of an adhesive contact."""
    load: Any = case.load
    if case.geometry.dim == 2 or load.contact.law == "adhesive":
        return None
    return sphere_force(10.0 * depths, load.radius, modulus) / NEWTON * 1e9


def hertz_radius(case: Case, force: Array, modulus: float) -> Array:
    """Contact radius or half width, nm, of a force in `unit_of_force`."""
    line, load = case.geometry.dim == 2, cast(Any, case.load)
    unit = NEWTON / units.m if line else NEWTON * 1e-9
    return contact_radius(force * unit, load.radius, modulus, line) / 10.0
