"""What a potential says of a material: the figures that experiments and first principles also give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.units import GPa, J, m

from nnp.crystal import STRUCTURES, Crystal, make_crystal
from nnp.equilibrium import bulk_modulus_derivative, cohesive_energy, lattice_constant
from nnp.homogeneous import bulk_modulus, elastic_tensor, internal_shift
from nnp.phonons import force_constants, wave_vectors
from nnp.potential import Potential
from nnp.separation import Sliding, separation, sliding
from nnp.stroh import griffith_k
from nnp.surfaces import NotRelaxedError, oriented, surface_energy, vacancy_energy

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

VACANCY_REPEATS = 3
_TETRAHEDRAL = ("diamond", "zincblende")


def griffith(potential: Potential, crystal: Crystal, relaxed: bool = False) -> float:
    """K_I (eV/Å^2.5) at which the energy released by a crack on the plane normal to y with its front along z
    pays for both surfaces, G = 2γ (Griffith), in anisotropic plane strain."""
    two_gamma = 2.0 * surface_energy(potential, crystal, relaxed)
    return griffith_k(elastic_tensor(potential, crystal), two_gamma)


def report(
    potential: Potential, structure: str, symbol: str | list[str], full: bool = False
) -> dict[str, Any]:
    """Figures of a cubic crystal in users' units, ready for JSON: each is {"value", "unit"}.

    Lattice constant, cohesive energy, elastic constants (basis relaxed, and clamped), bulk modulus and its
    pressure derivative, internal shift Λ_x,yz of the last basis atom against the first (per engineering
    shear γ_yz) and Kleinman's ζ, surface energies (cut, and relaxed within one surface repeat), Griffith K of
    three crack systems (with the energy of the cut surfaces, and of the relaxed ones as crack runs take
    it), rigid separation, stacking energies of (111), phonons, vacancy (cut; relaxed in 3³ cubic cells).
    full: stacking energies with the atoms relaxed along the normal too; takes a minute.
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
        "griffith_K_cut": _griffith(potential, cracks, relaxed=False),
        "griffith_K_relaxed": _griffith(potential, cracks, relaxed=True),
        "separation": {name: _separation(potential, c) for name, c in surfaces.items()},
        **_stacking(potential, surfaces["(111)"], full),
        "phonons": _phonons(potential, crystal),
        "vacancy": _vacancy(potential, crystal),
    }


def _griffith(potential: Potential, cracks: dict[str, Crystal], relaxed: bool) -> dict[str, Any]:
    return {
        name: _relaxable(lambda c=crystal: griffith(potential, c, relaxed) / MPA_SQRT_M, "MPa*sqrt(m)")
        for name, crystal in cracks.items()
    }


def _elasticity(potential: Potential, crystal: Crystal) -> dict[str, Any]:
    relaxed = elastic_tensor(potential, crystal) / GPa
    clamped = elastic_tensor(potential, crystal, relaxed=False) / GPa
    lambda_ = internal_shift(potential, crystal)
    shift = (lambda_[-1] - lambda_[0])[0, 1, 2]
    found = {
        "C11": _quantity(relaxed[0, 0, 0, 0], "GPa"),
        "C12": _quantity(relaxed[0, 0, 1, 1], "GPa"),
        "C44": _quantity(relaxed[1, 2, 1, 2], "GPa"),
        "C44_clamped": _quantity(clamped[1, 2, 1, 2], "GPa"),
        "bulk_modulus": _quantity(bulk_modulus(relaxed), "GPa"),
        "bulk_modulus_derivative": _quantity(bulk_modulus_derivative(potential, crystal)[1], ""),
        "internal_shift": _quantity(shift, "Å"),
    }
    if crystal.structure in _TETRAHEDRAL:  # ζ = 1 keeps all bonds of equal length (Kleinman)
        found["kleinman_zeta"] = _quantity(-4.0 * shift / crystal.a, "")
    return found


def _surface_energies(potential: Potential, crystals: dict[str, Crystal], relaxed: bool) -> dict[str, Any]:
    return {
        name: _relaxable(lambda c=crystal: surface_energy(potential, c, relaxed) / J_PER_M2, "J/m^2")
        for name, crystal in crystals.items()
    }


def _separation(potential: Potential, crystal: Crystal) -> dict[str, Any]:
    found = separation(potential, crystal)
    peak, opening = found.peak
    return {
        "work": _quantity(found.work / J_PER_M2, "J/m^2"),
        "peak_traction": _quantity(peak / GPa, "GPa"),
        "peak_opening": _quantity(opening, "Å"),
        "curve": {
            "opening_A": np.round(found.opening, 6).tolist(),
            "energy_J_per_m2": np.round(found.energy / J_PER_M2, 8).tolist(),
            "traction_GPa": np.round(found.traction / GPa, 8).tolist(),
        },
    }


def _stacking(potential: Potential, crystal: Crystal, full: bool) -> dict[str, Any]:
    """Lines of the γ-surface of (111), normal to y with x along [11-2] and z along [1-10]: of fcc, and of the
    glide set of diamond, a/6[11-2] to the stacking fault; of the shuffle set of diamond, a/2[1-10]."""
    partial, whole = np.array([crystal.a / 6**0.5, 0.0, 0.0]), np.array([0.0, 0.0, crystal.a / 2**0.5])
    if crystal.structure in _TETRAHEDRAL:
        sets = {"glide": (partial, True), "shuffle": (whole, False)}
    elif crystal.structure == "fcc":
        sets = {"glide": (partial, False)}
    else:
        return {}
    found: dict[str, Any] = {}
    for relaxed in (False, True)[: 2 if full else 1]:
        lines: dict[str, Any] = {}
        for name, (way, narrow) in sets.items():
            line = _softer(potential, crystal, way, narrow)
            if relaxed:
                line = sliding(potential, crystal, line[1], narrow, points=9, relaxed=True), line[1]
            lines[f"{name}_unstable"] = _quantity(line[0].unstable[0] / J_PER_M2, "J/m^2")
            if name == "glide":
                lines["stacking_fault"] = _quantity(line[0].fault / J_PER_M2, "J/m^2")
        found[f"stacking_{'relaxed' if relaxed else 'rigid'}"] = lines
    return found


def _softer(
    potential: Potential, crystal: Crystal, way: np.ndarray, narrow: bool
) -> tuple[Sliding, np.ndarray]:
    """The rigid line along ±way that has the lower barrier: [11-2] and its opposite differ."""
    lines = [(sliding(potential, crystal, s * way, narrow), s * way) for s in (1.0, -1.0)]
    return min(lines, key=lambda line: line[0].unstable[0])


def _phonons(potential: Potential, crystal: Crystal) -> dict[str, Any]:
    constants = force_constants(potential, crystal)
    everywhere = constants.frequencies(wave_vectors(crystal))
    found = {"highest": everywhere.max(), "lowest": everywhere.min()}
    if len(crystal.basis) > 1:
        found["optical(Γ)"] = constants.frequencies(np.zeros(3))[0].max()
    if crystal.structure in _TETRAHEDRAL:
        special = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.5]]) @ crystal.frame.T
        X, L = constants.frequencies(2.0 * np.pi / crystal.a * special)
        found |= {"TA(X)": X[0], "LA(X)": X[2], "TO(X)": X[5], "TA(L)": L[0], "TO(L)": L[5]}
    rows = {name: _quantity(value, "THz") for name, value in found.items()}
    if found["lowest"] < 0.0:
        rows["lowest"]["note"] = f"{int((everywhere < 0.0).sum())} imaginary modes: the crystal is not stable"
    return rows


def _vacancy(potential: Potential, crystal: Crystal) -> dict[str, Any]:
    cut, relaxed = (
        _relaxable(lambda r=r: vacancy_energy(potential, crystal, VACANCY_REPEATS, relaxed=r), "eV")
        for r in (False, True)
    )
    sites = VACANCY_REPEATS**3 * len(crystal.basis) * round(crystal.a**3 / crystal.volume)
    return {"cut": cut, "relaxed": relaxed, "sites": sites}


def _relaxable(compute: Any, unit: str) -> dict[str, Any]:
    try:
        return _quantity(compute(), unit)
    except NotRelaxedError as error:
        return {"value": None, "unit": unit, "note": str(error)}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": float(np.round(value, 12)) + 0.0, "unit": unit}
