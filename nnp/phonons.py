"""Lattice vibrations of a perfect crystal, from its exact force constants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from ase import units
from ase.cell import Cell
from ase.data import atomic_masses

from nnp.crystal import Array, Crystal
from nnp.evaluate import hessian_vector
from nnp.neighbors import find_pairs
from nnp.potential import Potential

THZ = 1e3 * units.fs / (2.0 * np.pi)
"""THz for an angular frequency of one in ASE's unit of time."""
_NOTHING = 1e-10  # eV/Å²


@dataclass(frozen=True)
class ForceConstants:
    """Φ = ∂²E/∂y_i∂y_j between an atom of the basis and every atom that feels it, one row for each pair.

    first, second: (n,) places in the basis; vectors: (n, 3) from the one to the other, Å; values: (n, 3, 3)
    eV/Å²; masses: (b,) amu. Complete: nothing is cut off, nothing is counted twice.
    """

    first: Array
    second: Array
    vectors: Array
    values: Array
    masses: Array

    def dynamical_matrix(self, k: Array) -> Array:
        """D(k) = Σ Φ e^{ik·r} / √(m_p m_q), (m, 3b, 3b) Hermitian, for wave vectors k (m, 3), 1/Å."""
        k = np.atleast_2d(np.asarray(k, float))
        b = len(self.masses)
        D = np.zeros((b, b, len(k), 3, 3), complex)
        phase = np.exp(1j * self.vectors @ k.T)
        np.add.at(D, (self.first, self.second), phase[:, :, None, None] * self.values[:, None])
        D = D / np.sqrt(np.multiply.outer(self.masses, self.masses))[:, :, None, None, None]
        D = D.transpose(2, 0, 3, 1, 4).reshape(len(k), 3 * b, 3 * b)
        return 0.5 * (D + D.conj().transpose(0, 2, 1))

    def frequencies(self, k: Array) -> Array:
        """(m, 3b) THz, ascending; an imaginary frequency is given as a negative number."""
        squared = np.linalg.eigvalsh(self.dynamical_matrix(k))
        return np.sign(squared) * np.sqrt(np.abs(squared)) * THZ


def force_constants(potential: Potential, crystal: Crystal) -> ForceConstants:
    """Force constants at rest from Hessian–vector products, three for each atom of the basis, in a block of
    the crystal so large that no atom is felt along two ways round: at least four receptive fields high."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)
    repeat = np.ceil(4.0 * potential.receptive_field / heights).astype(int)
    state, b = crystal.bulk_state(repeat.tolist()), len(crystal.basis)
    pairs, n = find_pairs(state, potential.cutoff), len(state)
    rows = np.empty((b, 3, n, 3))
    for p in range(b):
        for i in range(3):
            unit = torch.zeros((n, 3), dtype=torch.float64)
            unit[p, i] = 1.0
            rows[p, i] = hessian_vector(potential, state, pairs, unit).numpy()
    points, block = state.positions.numpy(), crystal.cell * repeat[:, None]
    turns = (points - points[:b, None]) @ np.linalg.inv(block)
    vectors = (turns - np.round(turns)) @ block
    felt, j = np.nonzero(np.abs(rows).max(axis=(1, 3)) > _NOTHING)
    return ForceConstants(
        first=felt,
        second=j % b,
        vectors=vectors[felt, j],
        values=rows[felt, :, j],
        masses=atomic_masses[crystal.numbers],
    )


def wave_vectors(crystal: Crystal, density: int = 40) -> Array:
    """Points (m, 3), 1/Å, that a band structure is looked at on: ASE's standard path of special points through
    the Brillouin zone of the primitive cell, and an even mesh with the zone's centre left out."""
    cell = Cell(crystal.cell)
    path = cell.bandpath(npoints=4 * density).kpts
    axis = np.arange(8) / 8.0
    mesh = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    fractions = np.concatenate([path, mesh])
    fractions = fractions[np.abs(fractions - np.round(fractions)).max(axis=1) > 1e-9]
    return 2.0 * np.pi * fractions @ np.linalg.inv(crystal.cell).T


def sound_velocities(constants: ForceConstants, direction: Array, k: float = 1e-3) -> Array:
    """Speeds of the three acoustic waves along a laboratory direction, ascending, Å per ASE time unit, from
    frequencies at the wave number k (1/Å)."""
    unit = np.asarray(direction, float) / np.linalg.norm(direction)
    return constants.frequencies(k * unit)[0, :3] / THZ / k


def acoustic_velocities(C: Array, density: float, direction: Array) -> Array:
    """The same of an elastic solid: √ of the eigenvalues of n·C·n/ρ (Christoffel). C: (3, 3, 3, 3) eV/Å³;
    density: amu/Å³."""
    unit = np.asarray(direction, float) / np.linalg.norm(direction)
    acoustic = np.einsum("j,ijkl,l->ik", unit, C, unit) / density
    return np.sqrt(np.linalg.eigvalsh(acoustic))
