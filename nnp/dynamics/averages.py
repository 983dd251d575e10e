"""Averages over a run, with error bars that know of its correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import units

_FEWEST_BLOCKS = 16

Row = dict[str, float]
Mean = tuple[float, float]


def blocked_mean(x: Sequence[float] | np.ndarray) -> Mean:
    """Mean of a correlated series and its standard error: neighbours are averaged into blocks, and into
    blocks of blocks, until the error of the mean no longer grows (Flyvbjerg & Petersen 1989,
    doi:10.1063/1.457480); the largest of these errors with at least 16 blocks. nan for fewer than two."""
    blocks = np.asarray(x, float)
    mean, errors = float(blocks.mean()) if len(blocks) else float("nan"), [float("nan")]
    while len(blocks) > 1 and (len(blocks) >= _FEWEST_BLOCKS or len(errors) == 1):
        errors.append(float(blocks.std(ddof=1) / np.sqrt(len(blocks))))
        even = len(blocks) // 2 * 2
        blocks = 0.5 * (blocks[0:even:2] + blocks[1:even:2])
    return mean, float(np.nanmax(errors)) if len(errors) > 1 else float("nan")


def heat_capacity(potential_energy: Sequence[float], temperature: float, degrees_of_freedom: int) -> Mean:
    """C_V and its standard error, eV/K, from the fluctuations at constant temperature (K):

        C_V = ½ f k_B + ⟨(U − ⟨U⟩)²⟩ / k_B T²,

    f the degrees of freedom of the momenta, whose part of ⟨(E − ⟨E⟩)²⟩ is known without error. The variance
    about the run's own mean is too small by the square of that mean's error, which is added.
    """
    u = np.asarray(potential_energy, float)
    off, (_, error_of_mean) = u - u.mean(), blocked_mean(u)
    variance, error = blocked_mean(off**2)
    scale = 1.0 / (units.kB * temperature**2)
    return 0.5 * degrees_of_freedom * units.kB + scale * (variance + error_of_mean**2), scale * error


@dataclass(frozen=True)
class Thermodynamics:
    """Means and their standard errors. temperature: K; potential: eV; pressure: GPa; volume: Å³; both None
    without periods in three directions. heat_capacity: k_B per atom at constant volume, None where the
    ensemble does not give it. frames: how many rows they are of."""

    temperature: Mean
    potential: Mean
    pressure: Mean | None
    volume: Mean | None
    heat_capacity: Mean | None
    frames: int


def thermodynamics(
    rows: Sequence[Row], n_atoms: int, temperature: float | None, discard: float = 0.2
) -> Thermodynamics:
    """Averages of a run's rows after a first part (`discard`) in which it forgets its start. `temperature`: K,
    of a run at constant temperature and volume; None for others, which give no heat capacity."""
    kept = rows[int(discard * len(rows)) :]
    potential = [r["potential_eV"] for r in kept]
    capacity = None
    if temperature and len(kept) > 2 * _FEWEST_BLOCKS:
        value, error = heat_capacity(potential, temperature, _degrees_of_freedom(kept[-1]))
        capacity = (value / units.kB / n_atoms, error / units.kB / n_atoms)
    periodic = bool(kept) and "pressure_GPa" in kept[0]
    return Thermodynamics(
        temperature=blocked_mean([r["temperature_K"] for r in kept]),
        potential=blocked_mean(potential),
        pressure=blocked_mean([r["pressure_GPa"] for r in kept]) if periodic else None,
        volume=blocked_mean([r["volume_A3"] for r in kept]) if periodic else None,
        heat_capacity=capacity,
        frames=len(kept),
    )


def _degrees_of_freedom(row: Row) -> int:
    """How many the row's temperature counts: 2 K / k_B T."""
    return round(2.0 * (row["total_eV"] - row["potential_eV"]) / (units.kB * row["temperature_K"]))
