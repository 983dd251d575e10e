"""Energies of defects of a perfect crystal: free surfaces and vacancies."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from nnp.calculator import calculator_of
from nnp.crystal import Crystal, make_crystal
from nnp.potential import Potential
from nnp.relaxation import relax

_NUDGE = 0.02
"""Å by which atoms start off their sites: a cut crystal is often a saddle, kept by its symmetry."""

_PAIRED = 0.5
"""Å by which neighbours of a vacancy start toward each other."""


class NotRelaxedError(RuntimeError):
    """The optimiser stopped before the forces were small enough."""


def oriented(structure: str, symbols: str | list[str], a: float, plane: tuple[int, int, int]) -> Crystal:
    """The crystal with the normal of `plane` (Miller indices of a cubic crystal) along y."""
    h, k, _ = plane
    front = (k, -h, 0) if (h, k) != (0, 0) else (1, 0, 0)
    return make_crystal(structure, symbols, a, {"y": plane, "z": front})


def slab(crystal: Crystal, thickness: float, vacuum: float) -> Atoms:
    """Slab with faces normal to y, cut in the widest gaps between atomic planes, one crystal repeat wide and
    at least `thickness` (Å) thick, with `vacuum` (Å) above."""
    px, py, pz = (crystal.period(e) for e in np.eye(3))
    height = py * np.ceil(thickness / py)
    points, _, numbers = crystal.cleavage_centred(1).sites(np.zeros(3), np.array([px, height, pz]))
    return Atoms(numbers, points, cell=[px, height + vacuum, pz], pbc=(True, False, True))


def surface_energy(
    potential: Potential, crystal: Crystal, relaxed: bool = False, fmax: float = 1e-4
) -> float:
    """Energy of one free surface normal to y, eV/Å²: (E_slab − E_bulk) / 2A.

    Unrelaxed, the slab is thicker than the potential sees, so the figure is exact. Relaxed, atoms move
    until forces are below `fmax` within one surface repeat: no larger reconstruction is found. The mean of
    both faces, where they differ. NotRelaxedError when the optimiser gives up.
    """
    reach = potential.receptive_field
    atoms = slab(crystal, max(4.0 * reach, 30.0) if relaxed else 2.1 * reach, 2.0 * reach)
    energy = _relaxed_energy(atoms, potential, fmax) if relaxed else _energy(atoms, potential)
    area = atoms.cell[0, 0] * atoms.cell[2, 2]
    return float((energy - len(atoms) * bulk_energy(potential, crystal)) / (2.0 * area))


def vacancy_energy(
    potential: Potential, crystal: Crystal, repeat: int = 3, relaxed: bool = True, fmax: float = 1e-3
) -> float:
    """Formation energy of a vacancy, eV: E(N − 1) − (N − 1)/N E(N), in a block of `repeat`³ repeats along the
    laboratory axes at constant volume. Relaxed, it is the lowest of what is found from atoms near their
    sites and, where the atom had four neighbours, from these drawn together in pairs (in silicon the
    neighbours pair up, and potentials may keep a barrier in between)."""
    box = repeat * np.array([crystal.period(e) for e in np.eye(3)])
    points, _, numbers = crystal.sites(np.zeros(3), box)
    whole = Atoms(numbers, points, cell=box, pbc=True)
    starts = [whole.copy(), *_paired(whole)] if relaxed else [whole.copy()]
    energies = []
    for atoms in starts:
        del atoms[0]
        energies.append(_relaxed_energy(atoms, potential, fmax) if relaxed else _energy(atoms, potential))
    return float(min(energies) - (len(whole) - 1) * bulk_energy(potential, crystal))


def _paired(whole: Atoms) -> list[Atoms]:
    """A copy with the four neighbours of atom 0 drawn together two by two; none where there are not four."""
    away = whole.get_distances(0, np.arange(len(whole)), mic=True, vector=True)
    distance = np.linalg.norm(away, axis=1)
    distance[0] = np.inf
    near = np.flatnonzero(distance < 1.1 * distance.min())
    if len(near) != 4:
        return []
    atoms = whole.copy()
    for i, j in (near[:2], near[2:]):
        toward = away[j] - away[i]
        step = _PAIRED * toward / np.linalg.norm(toward)
        atoms.positions[i] += step
        atoms.positions[j] -= step
    return [atoms]


def bulk_energy(potential: Potential, crystal: Crystal) -> float:
    """Energy per atom of the perfect crystal, eV."""
    return _energy(crystal.bulk_state().to_ase(), potential) / len(crystal.basis)


def _energy(atoms: Atoms, potential: Potential) -> float:
    atoms.calc = calculator_of(potential)
    return float(atoms.get_potential_energy())


def _relaxed_energy(atoms: Atoms, potential: Potential, fmax: float) -> float:
    atoms.rattle(_NUDGE, seed=0)
    found = relax(atoms, potential, fmax=fmax)
    if not found.converged:
        raise NotRelaxedError(f"forces of {found.fmax:.2g} eV/Å are left after {found.steps} steps")
    return float(found.atoms.get_potential_energy())
