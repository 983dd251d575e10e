"""Two rigid half crystals, pulled apart and slid over each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from ase.constraints import FixedLine
from scipy.interpolate import CubicSpline

from nnp.crystal import Array, Crystal
from nnp.evaluate import evaluate
from nnp.neighbors import find_pairs
from nnp.potential import Potential
from nnp.relaxation import relax
from nnp.state import State

_THICK = 2.1
"""Receptive fields on each side of the cut: no site sees both the cut and the outer face."""


@dataclass(frozen=True)
class Halves:
    """A slab with faces normal to y, and the atoms of its upper part. area: Å²."""

    atoms: Atoms
    upper: Array
    area: float

    def moved(self, displacement: Array) -> Atoms:
        """The slab with its upper part displaced by (3,) Å."""
        atoms = self.atoms.copy()
        atoms.positions[self.upper] += displacement
        return atoms


@dataclass(frozen=True)
class Separation:
    """Energy per area (eV/Å²) and traction (eV/Å³), its exact derivative, over openings (Å), from zero to the
    end of the interaction. work: the energy at the end, 2γ of the cut surfaces."""

    opening: Array
    energy: Array
    traction: Array

    @property
    def work(self) -> float:
        return float(self.energy[-1])

    @property
    def peak(self) -> tuple[float, float]:
        """Largest traction (eV/Å³) and its opening (Å), of the cubic spline through the points."""
        return _top(self.opening, self.traction)


@dataclass(frozen=True)
class Sliding:
    """Energy per area (eV/Å²) over the way slid (Å), relative to the perfect crystal. fault: the energy at the
    end of the way; unstable: the highest on it, and where."""

    way: Array
    energy: Array

    @property
    def fault(self) -> float:
        return float(self.energy[-1])

    @property
    def unstable(self) -> tuple[float, float]:
        return _top(self.way, self.energy)


def halves(crystal: Crystal, reach: float, narrow: bool = False) -> Halves:
    """The crystal cut in the widest gap between its planes normal to y, or in the narrowest (of (111) of
    diamond: shuffle and glide set), with at least `reach` (Å) of it on each side and one repeat wide."""
    centred = crystal.cleavage_centred(1)
    px, py, pz = (centred.period(e) for e in np.eye(3))
    half = py * np.ceil(reach / py)
    points, _, numbers = centred.sites(np.array([0.0, -half, 0.0]), np.array([px, half, pz]))
    atoms = Atoms(numbers, points, cell=[px, 4.0 * half, pz], pbc=(True, False, True))
    heights = np.unique(np.round(points[:, 1], 6))
    inner = heights[np.abs(heights) < 0.5 * py + 1e-3]
    gaps = np.diff(inner)
    best = np.argmin(np.round(gaps, 5)) if narrow else np.argmax(np.round(gaps, 5))
    level = 0.5 * (inner[best] + inner[best + 1])
    return Halves(atoms, points[:, 1] > level, px * pz)


def separation(potential: Potential, crystal: Crystal, step: float = 0.1) -> Separation:
    """Rigid separation normal to y across the widest gap, in even steps of about `step` (Å)."""
    cut = halves(crystal, _THICK * potential.receptive_field)
    end = potential.receptive_field - _gap(cut)
    openings = np.linspace(0.0, end, max(3, 1 + int(np.ceil(end / step))))
    rows = np.array([_pulled(potential, cut, np.array([0.0, d, 0.0])) for d in openings])
    return Separation(openings, rows[:, 0] - rows[0, 0], rows[:, 1])


def sliding(
    potential: Potential,
    crystal: Crystal,
    way: Array,
    narrow: bool = False,
    points: int = 13,
    relaxed: bool = False,
    fmax: float = 2e-3,
) -> Sliding:
    """A line of the γ-surface (Vitek 1968, doi:10.1080/14786436808227500): the upper half slides by fractions
    of `way` (3,) (laboratory axes, in the plane normal to y, Å). Rigid, or with all atoms free to move along
    the normal until forces on them are below `fmax` (eV/Å)."""
    cut = halves(crystal, _THICK * potential.receptive_field, narrow)
    t = np.linspace(0.0, 1.0, points)
    energy = np.array([_slid(potential, cut, x * np.asarray(way, float), relaxed, fmax) for x in t])
    return Sliding(t * float(np.linalg.norm(way)), energy - energy[0])


def _slid(potential: Potential, cut: Halves, displacement: Array, relaxed: bool, fmax: float) -> float:
    atoms = cut.moved(displacement)
    if relaxed:
        atoms.set_constraint(FixedLine(np.arange(len(atoms)), [0.0, 1.0, 0.0]))
        return float(relax(atoms, potential, fmax=fmax).atoms.get_potential_energy()) / cut.area
    return _pulled(potential, cut, displacement)[0]


def _pulled(potential: Potential, cut: Halves, displacement: Array) -> tuple[float, float]:
    """Energy per area, and the traction along y that holds the upper half there."""
    state = State.from_ase(cut.moved(displacement))
    found = evaluate(potential, state, find_pairs(state, potential.cutoff))
    pull = -float(found.forces[torch.as_tensor(cut.upper), 1].sum())
    return found.energy / cut.area, pull / cut.area


def _gap(cut: Halves) -> float:
    y = cut.atoms.positions[:, 1]
    return float(y[cut.upper].min() - y[~cut.upper].max())


def _top(x: Array, y: Array) -> tuple[float, float]:
    """Value and place of the highest maximum of the cubic spline through a curve, its ends included."""
    spline = CubicSpline(x, y)
    places = np.append(spline.derivative().roots(extrapolate=False), [x[0], x[-1]])
    best = places[np.argmax(spline(places))]
    return float(spline(best)), float(best)
