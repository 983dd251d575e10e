"""A time step from the highest frequency of vibration."""

from __future__ import annotations

import numpy as np
import torch
from ase import Atoms, units
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from nnp.evaluate import hessian_vector
from nnp.neighbors import find_pairs
from nnp.potential import Potential
from nnp.state import State

STEPS_PER_PERIOD = 30
FEWEST_STEPS_PER_PERIOD = 15
"""Below this, velocity Verlet's frequency is off by (ωδt)²/24 > 0.7 %; it is unstable below π."""


def highest_frequency(potential: Potential, atoms: Atoms, tolerance: float = 1e-2) -> float:
    """Highest frequency of vibration about the given positions, THz: √λ/2π with λ the largest eigenvalue of
    M^(−½) H M^(−½), by Lanczos iteration on Hessian–vector products (about twenty). `tolerance`: relative,
    of λ. Zero where nothing pulls the atoms back."""
    state = State.from_ase(atoms)
    pairs, n = find_pairs(state, potential.cutoff), 3 * len(atoms)
    scale = 1.0 / np.sqrt(np.repeat(atoms.get_masses(), 3))

    def product(v: np.ndarray) -> np.ndarray:
        u = torch.as_tensor((scale * v.ravel()).reshape(-1, 3))
        return scale * hessian_vector(potential, state, pairs, u).numpy().ravel()

    operator = LinearOperator((n, n), matvec=product, dtype=float)
    start = np.random.default_rng(0).normal(size=n)
    if not product(start).any():  # some releases of ARPACK refuse a matrix of zeros
        return 0.0
    try:
        (largest,) = eigsh(operator, k=1, which="LA", tol=tolerance, v0=start, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        largest = max(error.eigenvalues, default=0.0)
    return float(np.sqrt(max(largest, 0.0)) / (2.0 * np.pi) * units.fs * 1e3)


def suggested_timestep(frequency: float) -> float:
    """A thirtieth of the shortest period, fs, of a frequency in THz; infinite for zero."""
    return 1e3 / (STEPS_PER_PERIOD * frequency) if frequency > 0.0 else np.inf


def too_long(timestep_fs: float, frequency: float) -> bool:
    """Whether there are too few steps in the shortest period."""
    return timestep_fs * frequency * FEWEST_STEPS_PER_PERIOD > 1e3
