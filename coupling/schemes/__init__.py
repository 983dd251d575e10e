"""Coupling schemes: one file each, one line here."""

from __future__ import annotations

from collections.abc import Callable

from coupling.model import Model
from coupling.schemes.base import Reference, Scheme
from coupling.schemes.bgfc import Bgfc
from coupling.schemes.bqce import Bqce
from coupling.schemes.bqcf import Bqcf
from coupling.schemes.schwarz import Schwarz
from coupling.schemes.sharp import Sharp

SCHEMES: dict[str, Callable[[Model, Reference], Scheme]] = {
    "bgfc": Bgfc,
    "bqce": Bqce,
    "bqcf": Bqcf,
    "sharp": Sharp,
    "schwarz": Schwarz,
    "continuum": Bqce,  # without atoms
    "atomistic": Bqce,  # the same energy; its model has no mesh and weight one on every atom
}

__all__ = ["SCHEMES", "Reference", "Scheme"]

FORCE_BASED = tuple(name for name, scheme in SCHEMES.items() if not getattr(scheme, "has_energy", True))
"""Schemes that have no energy."""
