"""Constants of a crystal by differences of energies and forces, where a potential gives no more than these.

Energies of the primitive cell under F = 1 + e with its basis held, and the forces on the basis, give

    W_ee, W_es, W_ss;      C = (W_ee − W_es W_ss⁻¹ W_se) / V,      Λ = −W_ss⁻¹ W_se .
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms

from nnp.crystal import Crystal
from nnp.external import CalculatorError, External

Array = np.ndarray

STRAIN = 2e-3
"""Differences are taken over this strain and twice that; what is left is of fourth order."""
STEP = 2e-3
"""Å, of atoms."""

_HALF = np.sqrt(0.5)
_PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def _mandel() -> Array:
    """Six orthonormal symmetric matrices, (6, 3, 3)."""
    out = np.zeros((6, 3, 3))
    for k, (i, j) in enumerate(_PAIRS):
        out[k, i, j] = out[k, j, i] = 1.0 if i == j else _HALF
    return out


MANDEL = _mandel()


@dataclass
class Cell:
    """The primitive cell of a crystal under homogeneous strain, its basis carried along."""

    potential: External
    crystal: Crystal
    calculator: Any = field(init=False)

    def __post_init__(self) -> None:
        self.calculator = self.potential.make()

    def atoms(self, e: Array, shifts: Array | float = 0.0) -> Atoms:
        F, c = np.eye(3) + e, self.crystal
        return Atoms(
            c.numbers, c.basis @ F.T + shifts, cell=c.cell @ F.T, pbc=c.pbc, calculator=self.calculator
        )

    def energy(self, e: Array) -> float:
        return float(self.atoms(e).get_potential_energy())

    def forces(self, e: Array, shifts: Array | float = 0.0) -> Array:
        """(3 b,)."""
        return np.asarray(self.atoms(e, shifts).get_forces()).ravel()


def energy_and_slope(potential: External, crystal: Crystal) -> tuple[float, float]:
    """Energy of a primitive cell, eV, and its derivative in the logarithm of the lattice constant. CalculatorError
    where the calculator refuses the crystal."""
    cell, h = Cell(potential, crystal), 1e-3
    try:
        e = [cell.energy(np.expm1(s * h) * np.eye(3)) for s in (-2, -1, 0, 1, 2)]
    except (NotImplementedError, LookupError, RuntimeError) as error:
        name = type(cell.calculator).__name__
        raise CalculatorError("calculator", f"{name} gives no energy of this crystal: {error}") from error
    return e[2], (e[0] - 8.0 * e[1] + 8.0 * e[3] - e[4]) / (12.0 * h)


def elastic_tensor(potential: External, crystal: Crystal, relaxed: bool = True) -> Array:
    """As nnp.homogeneous.elastic_tensor."""
    cell = Cell(potential, crystal)
    stiffness, stress = _strain_derivatives(cell)
    if relaxed and len(crystal.basis) > 1:
        wes, wss = _basis_derivatives(cell)
        stiffness = stiffness - wes.T @ np.linalg.pinv(wss, rcond=1e-6, hermitian=True) @ wes
    C = np.einsum("kij,lmn,kl->ijmn", MANDEL, MANDEL, stiffness) / crystal.volume
    sigma = np.einsum("kij,k->ij", MANDEL, stress) / crystal.volume
    C = C - np.einsum("ik,jl->ijkl", np.eye(3), sigma)
    C = 0.5 * (C + C.transpose(1, 0, 2, 3))
    C = 0.5 * (C + C.transpose(0, 1, 3, 2))
    return 0.5 * (C + C.transpose(2, 3, 0, 1))


def internal_shift(potential: External, crystal: Crystal) -> Array:
    """As nnp.homogeneous.internal_shift."""
    b = len(crystal.basis)
    if b == 1:
        return np.zeros((1, 3, 3, 3))
    wes, wss = _basis_derivatives(Cell(potential, crystal))
    change = -np.linalg.pinv(wss, rcond=1e-6, hermitian=True) @ wes
    return np.einsum("pck,kml->pcml", change.reshape(b, 3, 6), MANDEL)


def force_constants(potential: External, crystal: Crystal, p: int, reach: float) -> tuple[Array, Array]:
    """Vectors (m, 3) Å from basis atom p to all sites closer than `reach`, and ∂²E/∂u_p∂u_j (m, 3, 3), eV/Å²."""
    height = 1.0 / np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)
    repeat = np.where(crystal.pbc, np.ceil(3.0 * reach / height), 1).astype(int)
    atoms = crystal.bulk_state(repeat.tolist()).to_ase()
    atoms.calc, start, block = potential.make(), atoms.get_positions(), []
    for c in range(3):
        forces = []
        for sign in (1.0, -1.0):
            moved = start.copy()
            moved[p, c] += sign * STEP
            atoms.set_positions(moved)
            forces.append(np.asarray(atoms.get_forces()))
        block.append(-(forces[0] - forces[1]) / (2.0 * STEP))
    atoms.set_positions(start)
    vectors = atoms.get_distances(p, np.arange(len(atoms)), mic=True, vector=True)
    length = np.linalg.norm(vectors, axis=1)
    near = (length < reach) & (length > 1e-6)
    return vectors[near], np.stack(block, 1)[near]


def _strain_derivatives(cell: Cell) -> tuple[Array, Array]:
    """∂²E/∂e² (6, 6) in Mandel components and ∂E/∂e (6,), basis held, eV."""
    rest = cell.energy(np.zeros((3, 3)))

    def along(d: Array) -> tuple[float, float]:
        up, down = ([cell.energy(s * h * d) for h in (STRAIN, 2 * STRAIN)] for s in (1.0, -1.0))
        second = [(up[k] + down[k] - 2.0 * rest) / ((k + 1) * STRAIN) ** 2 for k in (0, 1)]
        first = [(up[k] - down[k]) / (2.0 * (k + 1) * STRAIN) for k in (0, 1)]
        return (4.0 * second[0] - second[1]) / 3.0, (4.0 * first[0] - first[1]) / 3.0

    single = np.array([along(m) for m in MANDEL])
    H = np.diag(single[:, 0])
    for k in range(6):
        for m in range(k):
            H[k, m] = H[m, k] = 0.5 * (along(MANDEL[k] + MANDEL[m])[0] - H[k, k] - H[m, m])
    return H, single[:, 1]


def _basis_derivatives(cell: Cell) -> tuple[Array, Array]:
    """∂²E/∂s∂e (3b, 6), eV/Å, and ∂²E/∂s² (3b, 3b), eV/Å²; s are the positions of the basis carried along by F."""
    rest, b = np.zeros((3, 3)), len(cell.crystal.basis)

    def slope(f: Any, h: float) -> Array:
        return -(8.0 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12.0 * h)

    wes = np.stack([slope(lambda h, m=m: cell.forces(h * m), STRAIN) for m in MANDEL], 1)
    unit = np.eye(3 * b).reshape(-1, b, 3)
    wss = np.stack([slope(lambda h, d=d: cell.forces(rest, h * d), STEP) for d in unit], 1)
    return wes, 0.5 * (wss + wss.T)
