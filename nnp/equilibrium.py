"""Lattice constant and cohesive energy of perfect crystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from ase.data import atomic_numbers, covalent_radii, reference_states
from scipy.optimize import brentq

from nnp.crystal import STRUCTURES, Crystal, make_crystal
from nnp.evaluate import evaluate
from nnp.external import External
from nnp.measured import energy_and_slope
from nnp.neighbors import find_pairs
from nnp.potential import Potential
from nnp.state import State


def lattice_constant(
    potential: Potential, structure: str, symbols: str | Sequence[str], guess: float | None = None
) -> float:
    """Lattice constant (Å) at which the hydrostatic stress vanishes: the minimum of the energy per cell
    nearest to `guess`, or to what tables say of the element (or else the deepest minimum in the
    potential's reach). ValueError when the energy has no minimum there."""

    def slope(a: float) -> float:
        return _energy_and_slope(potential, make_crystal(structure, symbols, a))[1]

    low, high = _bracket(potential, structure, symbols, guess)
    return float(brentq(slope, low, high, xtol=1e-13 * high, rtol=8.9e-16))


def cohesive_energy(potential: Potential, crystal: Crystal) -> float:
    """Energy per atom of the crystal less that of the isolated atoms, eV (negative when bound)."""
    bulk = _energy_and_slope(potential, crystal)[0] / len(crystal.basis)
    alone = [_isolated(potential, int(z)) for z in crystal.numbers]
    return bulk - float(np.mean(alone))


def bulk_modulus_derivative(
    potential: Potential, crystal: Crystal, strain: float = 4e-3
) -> tuple[float, float]:
    """Bulk modulus B = −V dp/dV (eV/Å³) and dB/dp at the crystal's volume, from the exact pressure p at five
    lattice constants (fourth-order differences in ln V, steps of three times `strain`). The basis is held by
    symmetry in every cubic structure."""
    x = 3.0 * strain * np.arange(-2, 3)
    scaled = [replace(crystal, cell=s * crystal.cell, basis=s * crystal.basis) for s in np.exp(x / 3.0)]
    volumes = np.array([c.volume for c in scaled])
    p = np.array([-_energy_and_slope(potential, c)[1] for c in scaled]) / (3.0 * volumes)
    first = (p[0] - 8.0 * p[1] + 8.0 * p[3] - p[4]) / (12.0 * (x[1] - x[0]))
    second = (-p[0] + 16.0 * p[1] - 30.0 * p[2] + 16.0 * p[3] - p[4]) / (12.0 * (x[1] - x[0]) ** 2)
    return float(-first), float(-second / first)


def _isolated(potential: Potential, number: int) -> float:
    one = State(
        torch.zeros((1, 3), dtype=torch.float64),
        torch.tensor([number]),
        torch.zeros((3, 3), dtype=torch.float64),
        (False, False, False),
    )
    return evaluate(potential, one, find_pairs(one, potential.cutoff)).energy


def _energy_and_slope(potential: Potential, crystal: Crystal) -> tuple[float, float]:
    """Energy of a primitive cell, eV, and its derivative in the logarithm of the lattice constant."""
    if isinstance(potential, External):
        return energy_and_slope(potential, crystal)
    state = crystal.bulk_state()
    found = evaluate(potential, state, find_pairs(state, potential.cutoff))
    return found.energy, float(torch.trace(found.virial))


Bracket = tuple[float, float, float]  # two lattice constants with a minimum between, energy at the first


def _bracket(
    potential: Potential, structure: str, symbols: str | Sequence[str], guess: float | None
) -> tuple[float, float]:
    """Two neighbouring lattice constants between which the energy has a minimum."""
    if structure not in STRUCTURES:
        raise ValueError(f"unknown structure '{structure}'; one of {', '.join(sorted(STRUCTURES))}")

    def minima(scan: np.ndarray) -> list[Bracket]:
        rows = [_energy_and_slope(potential, make_crystal(structure, symbols, float(a))) for a in scan]
        energy, slope = np.array(rows).T
        found = np.flatnonzero((slope[:-1] < 0.0) & (slope[1:] > 0.0))
        return [(float(scan[k]), float(scan[k + 1]), float(energy[k])) for k in found]

    around = guess if guess is not None else _tabulated(structure, symbols)
    if around is not None:
        near = minima(around * np.geomspace(0.8, 1.25, 25))
        if near:
            return min(near, key=lambda m: abs(m[0] - around))[:2]
        if guess is not None:
            raise ValueError(f"the energy of {structure} has no minimum within 20 % of a = {guess:g} Å")
    for low, high in ((0.2, 0.999), (0.05, 0.2)):  # nearest-neighbour distance in units of the cutoff
        found = minima(np.geomspace(low, high, 81) * potential.cutoff / _nearest(structure))
        if found:
            return min(found, key=lambda m: m[2])[:2]
    raise ValueError(f"the energy of {structure} has no minimum in the reach of the potential")


def _nearest(structure: str) -> float:
    """Nearest-neighbour distance in units of the lattice constant."""
    unit = make_crystal(structure, "H", 1.0)
    p, q, lattice = unit.environment(1.2, 0.0)
    return float(np.linalg.norm(lattice + unit.basis[q] - unit.basis[p], axis=1).min())


def _tabulated(structure: str, symbols: str | Sequence[str]) -> float | None:
    """The element's own lattice constant, or one that makes covalent radii touch; None if unknown."""
    names = [symbols] if isinstance(symbols, str) else list(symbols)
    z = [atomic_numbers[s] for s in names]
    known: dict[str, Any] = reference_states[z[0]] or {}
    if len(set(z)) == 1 and known.get("symmetry") == structure:
        return float(known["a"])
    if min(z) == 0:
        return None
    return float(covalent_radii[z[0]] + covalent_radii[z[-1]]) / _nearest(structure)
