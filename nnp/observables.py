"""What a potential says of a material: the figures that experiments and first principles also give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.units import GPa, J, m

from nnp.crystal import STRUCTURES, Crystal, make_crystal
from nnp.homogeneous import bulk_modulus, cohesive_energy, elastic_tensor, internal_shift, lattice_constant
from nnp.potential import Potential
from nnp.stroh import griffith_k
from nnp.surfaces import NotRelaxedError, oriented, surface_energy

PLANES = {"(100)": (1, 0, 0), "(110)": (1, 1, 0), "(111)": (1, 1, 1)}

CRACKS: dict[str, dict[str, Sequence[float]]] = {
    "(111)[1-10]": {"y": (1, 1, 1), "z": (1, -1, 0)},
    "(110)[1-10]": {"y": (1, 1, 0), "z": (1, -1, 0)},
    "(110)[001]": {"y": (1, 1, 0), "z": (0, 0, 1)},
}
"""Crack systems: cleavage plane (normal y) and front (z)."""

MPA_SQRT_M = 1e-3 * GPa * (m**0.5)
"""1 MPa√m in eV/Å^2.5."""
J_PER_M2 = J / m**2
"""1 J/m² in eV/Å²."""


def griffith(potential: Potential, crystal: Crystal, relaxed: bool = False) -> float:
    """K_I (eV/Å^2.5) at which the energy released by a crack on the plane normal to y with its front along z
    pays for both surfaces, G = 2γ (Griffith), in anisotropic plane strain."""
    two_gamma = 2.0 * surface_energy(potential, crystal, relaxed)
    return griffith_k(elastic_tensor(potential, crystal), two_gamma)


def report(potential: Potential, structure: str, symbol: str | list[str]) -> dict[str, Any]:
    """Figures of a cubic crystal in users' units, ready for JSON: each is {"value", "unit"}.

    Lattice constant, cohesive energy, elastic constants (basis relaxed, and clamped), bulk modulus,
    internal shift Λ_x,yz of the last basis atom against the first (per engineering shear γ_yz), surface
    energies (cut, and relaxed within one surface repeat), Griffith K of three crack systems (with the
    energy of the cut surfaces).
    ValueError for the flat crystal.
    """
    if structure not in STRUCTURES:
        raise ValueError(f"unknown structure '{structure}'; one of {', '.join(sorted(STRUCTURES))}")
    if structure == "triangular":
        raise ValueError("the report is of cubic crystals; 'triangular' is flat")
    a = lattice_constant(potential, structure, symbol)
    crystal = make_crystal(structure, symbol, a)
    surfaces = {name: oriented(structure, symbol, a, plane) for name, plane in PLANES.items()}
    cracks = {name: make_crystal(structure, symbol, a, o) for name, o in CRACKS.items()}
    return {
        "structure": structure,
        "symbol": symbol,
        "lattice_constant": _quantity(a, "Å"),
        "cohesive_energy": _quantity(cohesive_energy(potential, crystal), "eV/atom"),
        **_elasticity(potential, crystal),
        "surface_energy_cut": _surface_energies(potential, surfaces, relaxed=False),
        "surface_energy_relaxed": _surface_energies(potential, surfaces, relaxed=True),
        "griffith_K": {
            name: _quantity(griffith(potential, crystal) / MPA_SQRT_M, "MPa*sqrt(m)")
            for name, crystal in cracks.items()
        },
    }


def _elasticity(potential: Potential, crystal: Crystal) -> dict[str, Any]:
    relaxed = elastic_tensor(potential, crystal) / GPa
    clamped = elastic_tensor(potential, crystal, relaxed=False) / GPa
    shift = internal_shift(potential, crystal)
    return {
        "C11": _quantity(relaxed[0, 0, 0, 0], "GPa"),
        "C12": _quantity(relaxed[0, 0, 1, 1], "GPa"),
        "C44": _quantity(relaxed[1, 2, 1, 2], "GPa"),
        "C44_clamped": _quantity(clamped[1, 2, 1, 2], "GPa"),
        "bulk_modulus": _quantity(bulk_modulus(relaxed), "GPa"),
        "internal_shift": _quantity((shift[-1] - shift[0])[0, 1, 2], "Å"),
    }


def _surface_energies(potential: Potential, crystals: dict[str, Crystal], relaxed: bool) -> dict[str, Any]:
    return {name: _surface(potential, crystal, relaxed) for name, crystal in crystals.items()}


def _surface(potential: Potential, crystal: Crystal, relaxed: bool) -> dict[str, Any]:
    try:
        gamma = surface_energy(potential, crystal, relaxed) / J_PER_M2
    except NotRelaxedError as error:
        return {"value": None, "unit": "J/m^2", "note": str(error)}
    return _quantity(gamma, "J/m^2")


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": float(np.round(value, 12)), "unit": unit}
