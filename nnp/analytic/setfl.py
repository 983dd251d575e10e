"""Reader of embedded-atom tables in the setfl format (DYNAMO, LAMMPS `eam/alloy`).

Three lines of comment; the elements; n_ρ, Δρ, n_r, Δr, cutoff; for each element a line (atomic number, mass,
lattice constant, lattice), F at n_ρ densities and ρ at n_r distances; then r φ(r) of the pairs of elements
(1,1), (2,1), (2,2), (3,1) … at n_r distances. Both grids start at zero. eV and Å.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

Array = np.ndarray


class SetflError(ValueError):
    """A file that is missing or is no setfl table; the message names it."""


@dataclass(frozen=True)
class Setfl:
    """numbers: (k,) atomic numbers; embedding: (k, n_ρ) eV at densities 0, d_rho, …; density: (k, n_r) and
    r_phi: (k, k, n_r) eV·Å, symmetric, at distances 0, d_r, … ; cutoff: Å."""

    numbers: tuple[int, ...]
    embedding: Array
    density: Array
    r_phi: Array
    d_rho: float
    d_r: float
    cutoff: float


def read_setfl(path: str | Path) -> Setfl:
    """SetflError for a file that is missing, ends early, or holds what is no number."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise SetflError(f"{path}: cannot be read ({error.strerror})") from None
    words = iter(" ".join(lines[3:]).split())
    try:
        return _parsed(words)
    except StopIteration:
        raise SetflError(f"{path}: ends before its tables do; is it an eam/alloy (setfl) file?") from None
    except (ValueError, KeyError, IndexError) as error:
        raise SetflError(f"{path}: no eam/alloy (setfl) file ({error})") from None


def _parsed(words) -> Setfl:  # type: ignore[no-untyped-def]
    names = [next(words) for _ in range(int(next(words)))]
    unknown = [name for name in names if name not in atomic_numbers]
    if unknown or not names:
        raise ValueError(f"its elements are {', '.join(names) or 'none'}")
    n_rho, d_rho, n_r, d_r = int(next(words)), float(next(words)), int(next(words)), float(next(words))
    cutoff = float(next(words))
    if min(n_rho, n_r) < 4 or not min(d_rho, d_r, cutoff) > 0.0:
        raise ValueError("its grids have fewer than four points, or steps that are not positive")

    def column(n: int) -> Array:
        return np.array([float(next(words)) for _ in range(n)])

    embedding, density = [], []
    for _ in names:
        for _ in range(4):  # atomic number, mass, lattice constant, lattice
            next(words)
        embedding.append(column(n_rho))
        density.append(column(n_r))
    r_phi = np.zeros((len(names), len(names), n_r))
    for i in range(len(names)):
        for j in range(i + 1):
            r_phi[i, j] = r_phi[j, i] = column(n_r)
    return Setfl(
        numbers=tuple(atomic_numbers[name] for name in names),
        embedding=np.array(embedding),
        density=np.array(density),
        r_phi=r_phi,
        d_rho=d_rho,
        d_r=d_r,
        cutoff=min(cutoff, (n_r - 1) * d_r),
    )
