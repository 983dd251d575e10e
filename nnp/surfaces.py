"""Energies of defects of a perfect crystal: free surfaces and vacancies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from scipy.spatial import cKDTree

from nnp.calculator import calculator_of
from nnp.crystal import Crystal, make_crystal
from nnp.potential import Potential
from nnp.relaxation import relax

Array = np.ndarray

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


@dataclass(frozen=True)
class FreeSurface:
    """Displacements of the atoms of a half crystal y < 0 whose surface has relaxed, the same in every surface repeat.

    period: (px, pz) Å; points (m, 3), displacement (m, 3): of the atoms of one repeat down to where nothing moves, Å.
    """

    period: Array
    points: Array
    displacement: Array

    def __call__(self, points: Array) -> Array:
        """Displacements (n, 3), Å, of the sites at points (n, 3)."""
        tree = cKDTree(self._wrapped(self.points), boxsize=[self.period[0], 0.0, self.period[1]])
        distance, nearest = tree.query(self._wrapped(np.asarray(points)))
        return np.where((distance < 1e-3)[:, None], self.displacement[nearest], 0.0)

    def _wrapped(self, points: Array) -> Array:
        x, z = (points[:, k] % p for k, p in zip((0, 2), self.period))
        x, z = np.where(x >= self.period[0], 0.0, x), np.where(z >= self.period[1], 0.0, z)
        return np.column_stack([x, points[:, 1], z])


def free_surface(potential: Potential, crystal: Crystal, fmax: float = 1e-3) -> FreeSurface:
    """The relaxed surface y = 0 of a crystal with a gap between its planes there, within one surface repeat: no larger
    reconstruction is found. Below `fmax` (eV/Å) Newton's method takes the forces to rounding. NotRelaxedError when
    the optimiser gives up."""
    reach = potential.receptive_field
    px, pz = crystal.period((1.0, 0.0, 0.0)), crystal.period((0.0, 0.0, 1.0))
    depth = max(4.0 * reach, 25.0)
    points, _, numbers = crystal.sites(np.array([0.0, -depth - 2.0 * reach, 0.0]), np.array([px, 0.0, pz]))
    atoms = Atoms(numbers, points, cell=[px, depth + 4.0 * reach, pz], pbc=(True, False, True))
    held = points[:, 1] < -depth
    atoms.set_constraint(FixAtoms(mask=held))
    found = relax(atoms, potential, fmax=fmax)
    if not found.converged:
        raise NotRelaxedError(f"forces of {found.fmax:.2g} eV/Å are left under the free surface")
    _finish(found.atoms, ~held)
    return FreeSurface(np.array([px, pz]), points, found.atoms.positions - points)


def _finish(atoms: Atoms, free: Array, iterations: int = 8, step: float = 1e-3) -> None:
    """Newton's method for the free atoms (n,), with the stiffness by central differences of `step` Å. Without effect
    on a surface that is stable in no other way than by its symmetry, where the steps are not small."""
    start, n = atoms.positions.copy(), 3 * int(free.sum())

    def forces(off: Array) -> Array:
        moved = start.copy()
        moved[free] += off.reshape(-1, 3)
        atoms.positions = moved
        return atoms.get_forces(apply_constraint=False)[free].ravel()

    off, before = np.zeros(n), np.linalg.norm(forces(np.zeros(n)))
    stiffness = np.stack([(forces(-step * e) - forces(step * e)) / (2.0 * step) for e in np.eye(n)], axis=1)
    for _ in range(iterations):
        off = off + np.linalg.lstsq(stiffness, forces(off), rcond=1e-8)[0]
    if np.linalg.norm(forces(off)) > before:
        atoms.positions = start


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
