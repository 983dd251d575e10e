"""Perfect crystals: lattice, basis and orientation in the laboratory frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from ase.data import atomic_numbers

from nnp.state import State

Array = np.ndarray

# Cubic structures in units of a: primitive lattice vectors (rows) and basis.
_FCC = ((0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0))
_BCC = ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5))
_QUARTER = ((0.0, 0.0, 0.0), (0.25, 0.25, 0.25))
_ORIGIN = ((0.0, 0.0, 0.0),)
STRUCTURES: dict[str, tuple[Any, Any]] = {
    "sc": (np.eye(3), _ORIGIN),
    "fcc": (_FCC, _ORIGIN),
    "bcc": (_BCC, _ORIGIN),
    "diamond": (_FCC, _QUARTER),
    "zincblende": (_FCC, _QUARTER),
    "rocksalt": (_FCC, ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))),
    "triangular": (((1.0, 0.0, 0.0), (0.5, 0.75**0.5, 0.0), (0.0, 0.0, 1.0)), _ORIGIN),
}
"""`triangular` is the flat 2D crystal: its third vector is no period and the `volume` is an area."""


@dataclass(frozen=True)
class Crystal:
    """A perfect crystal in the laboratory frame.

    cell: (3, 3) primitive lattice vectors as rows, Å; basis: (b, 3) Å; numbers: (b,) atomic numbers;
    frame: (3, 3) rows are the laboratory axes in the crystal's cubic axes; a: lattice constant, Å;
    pbc: which lattice vectors are periods.
    """

    cell: Array
    basis: Array
    numbers: Array
    frame: Array
    a: float
    structure: str
    pbc: tuple[bool, bool, bool] = (True, True, True)

    @property
    def volume(self) -> float:
        """Volume of the primitive cell, Å³ (area, Å², of the flat crystal)."""
        if not self.pbc[2]:  # the third vector only completes the basis
            return float(np.linalg.norm(np.cross(self.cell[0], self.cell[1])))
        return float(abs(np.linalg.det(self.cell)))

    @property
    def site_volume(self) -> float:
        """Volume of one atom, Å³."""
        return self.volume / len(self.basis)

    def sites(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """Sites in the half-open laboratory box [low, high): positions (n, 3), sublattice (n,), numbers (n,)."""
        low, high = np.asarray(low, float), np.asarray(high, float)
        corners = np.stack(np.meshgrid(*np.stack([low, high], 1), indexing="ij"), -1).reshape(-1, 3)
        k = (corners[:, None] - self.basis) @ np.linalg.inv(self.cell)
        first, last = np.floor(k.min((0, 1))).astype(int) - 1, np.ceil(k.max((0, 1))).astype(int) + 1
        if not self.pbc[2]:
            first[2], last[2] = 0, 0
        axes = [np.arange(m, n + 1) for m, n in zip(first, last)]
        lattice = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) @ self.cell
        points = (lattice[:, None] + self.basis).reshape(-1, 3)
        sublattice = np.tile(np.arange(len(self.basis)), len(lattice))
        eps = 1e-6 * self.a  # a site on the boundary belongs to the lower side in spite of rounding
        inside = np.all((points >= low - eps) & (points < high - eps), axis=1)
        return points[inside], sublattice[inside], self.numbers[sublattice[inside]]

    def environment(self, cutoff: float, strain: float = 0.2) -> tuple[Array, Array, Array]:
        """Pairs (p, q, R) from each basis atom p to atom q of the cell at lattice vector R, closer than
        cutoff·(1 + strain) at rest: enough for any deformation that shortens nothing by more."""
        reach = cutoff * (1.0 + strain)
        n = np.ceil(reach * np.linalg.norm(np.linalg.inv(self.cell), axis=0)).astype(int) + 1
        n = np.where(self.pbc, n, 0)
        axes = [np.arange(-m, m + 1) for m in n]
        lattice = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) @ self.cell
        b = len(self.basis)
        p, q, r = np.meshgrid(np.arange(b), np.arange(b), np.arange(len(lattice)), indexing="ij")
        p, q, lattice = p.ravel(), q.ravel(), lattice[r.ravel()]
        d = np.linalg.norm(lattice + self.basis[q] - self.basis[p], axis=1)
        keep = (d < reach) & (d > 1e-8)
        return p[keep], q[keep], lattice[keep]

    def period(self, direction: Sequence[float]) -> float:
        """Shortest lattice translation along a laboratory direction, Å; ValueError where there is none."""
        d = np.asarray(direction, float) / np.linalg.norm(direction)
        n = np.arange(-6, 7)
        lattice = np.stack(np.meshgrid(n, n, n, indexing="ij"), -1).reshape(-1, 3) @ self.cell
        along = lattice @ d
        on_axis = np.linalg.norm(lattice - np.outer(along, d), axis=1) < 1e-6 * self.a
        steps = along[on_axis & (along > 1e-6 * self.a)]
        if len(steps) == 0:
            raise ValueError(f"the crystal has no short period along {np.round(d @ self.frame, 4).tolist()}")
        return float(steps.min())

    def planes(self, axis: int) -> Array:
        """Heights of the atomic planes along a laboratory axis within one period, ascending, Å."""
        unit = np.eye(3)[axis]
        box = [self.period(e) for e in np.eye(3)]
        heights = self.sites(np.zeros(3), np.asarray(box))[0] @ unit
        return np.unique(np.round(heights, 6))

    def cleavage_centred(self, axis: int = 1) -> Crystal:
        """Shifted so that the widest gap between atomic planes lies at zero height along `axis`, and the
        centre of the shortest bond across it (or the atom above it) at zero along the other axes."""
        h, period = self.planes(axis), self.period(np.eye(3)[axis])
        gaps = np.diff(np.append(h, h[0] + period))
        k = int(np.argmax(np.round(gaps, 6)))
        up = np.eye(3)[axis] * (h[k] + 0.5 * gaps[k])
        lifted = replace(self, basis=self.basis - up)
        return lifted._bond_centred(axis, gaps[k])

    def _bond_centred(self, axis: int, gap: float) -> Crystal:
        box = np.asarray([self.period(e) for e in np.eye(3)])
        points = self.sites(-box, box)[0]
        y = points[:, axis]
        above, below = points[np.abs(y - gap / 2) < 1e-4], points[np.abs(y + gap / 2) < 1e-4]
        d = above[:, None] - below[None, :]
        length = np.linalg.norm(d, axis=-1)
        middle = 0.5 * (above[:, None] + below[None, :])[length < length.min() + 1e-4]
        nearest = middle[np.argmin(np.round(np.linalg.norm(middle, axis=1), 5))]
        return replace(self, basis=self.basis - nearest)

    def bulk_state(self, repeat: Sequence[int] = (1, 1, 1)) -> State:
        """A periodic block of primitive cells."""
        n = [np.arange(m) for m in repeat]
        lattice = np.stack(np.meshgrid(*n, indexing="ij"), -1).reshape(-1, 3) @ self.cell
        points = (lattice[:, None] + self.basis).reshape(-1, 3)
        return State(
            torch.as_tensor(points),
            torch.as_tensor(np.tile(self.numbers, len(lattice)), dtype=torch.long),
            torch.as_tensor(self.cell * np.asarray(repeat)[:, None]),
            self.pbc,
        )


def make_crystal(
    structure: str,
    symbols: str | Sequence[str],
    a: float,
    orientation: Mapping[str, Sequence[float]] | None = None,
) -> Crystal:
    """Crystal of a named structure.

    symbols: one element, or one for each basis atom. orientation: crystal directions along x, y and z of the
    laboratory (two suffice); they must be orthogonal and right-handed. ValueError otherwise.
    """
    if structure not in STRUCTURES:
        raise ValueError(f"unknown structure '{structure}'; one of {', '.join(sorted(STRUCTURES))}")
    cell, basis = (np.asarray(v, float) * a for v in STRUCTURES[structure])
    names = [symbols] * len(basis) if isinstance(symbols, str) else list(symbols)
    if len(names) != len(basis):
        raise ValueError(f"{structure} has {len(basis)} atoms in its basis, {len(names)} elements given")
    frame = _frame(orientation or {})
    pbc = (True, True, structure != "triangular")
    return Crystal(
        cell=cell @ frame.T,
        basis=basis @ frame.T,
        numbers=np.asarray([atomic_numbers[s] for s in names]),
        frame=frame,
        a=a,
        structure=structure,
        pbc=pbc,
    )


def _frame(orientation: Mapping[str, Sequence[float]]) -> Array:
    """Rows: unit vectors along x, y, z of the laboratory, in crystal axes."""
    given = {k: np.asarray(v, float) for k, v in orientation.items()}
    if not given:
        return np.eye(3)
    if set(given) - set("xyz") or len(given) < 2:
        raise ValueError("orientation needs at least two of x, y, z")
    if any(v.shape != (3,) or not np.linalg.norm(v) > 0 for v in given.values()):
        raise ValueError("each direction of an orientation is three numbers, not all zero")
    unit = {k: v / np.linalg.norm(v) for k, v in given.items()}
    for k, p, q in (("x", "y", "z"), ("y", "z", "x"), ("z", "x", "y")):
        if k not in unit:
            unit[k] = np.cross(unit[p], unit[q])
    frame = np.stack([unit[k] for k in "xyz"])
    if np.abs(frame @ frame.T - np.eye(3)).max() > 1e-6:
        raise ValueError("the directions of an orientation must be orthogonal to each other")
    if np.linalg.det(frame) < 0:
        raise ValueError("the directions of an orientation are left-handed; change the sign of one")
    return frame
