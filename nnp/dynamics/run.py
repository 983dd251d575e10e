"""The loop of molecular dynamics: integrate, watch, record."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from ase import Atoms, units
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary

from nnp.calculator import NNPCalculator
from nnp.dynamics.averages import Row
from nnp.dynamics.ensembles import ENSEMBLES, Conditions, Ensemble
from nnp.dynamics.watch import DynamicsError, Watch
from nnp.potential import Potential


def run_md(
    atoms: Atoms,
    potential: Potential,
    temperature: float = 300.0,
    steps: int = 1000,
    timestep_fs: float = 1.0,
    ensemble: str = "nve",
    pressure: float = 0.0,
    thermostat_fs: float = 100.0,
    barostat_fs: float = 1000.0,
    seed: int = 0,
    every: int = 10,
    observe: Callable[[Atoms, Row], None] | None = None,
    first_step: int = 0,
    dtype: torch.dtype = torch.float64,
    lost: bool = False,
) -> list[Row]:
    """Dynamics of an ensemble (a name in nnp.dynamics.ENSEMBLES) up to step number `steps`.

    `atoms` moves in place. Atoms at rest get Maxwell–Boltzmann velocities at `temperature` (K) without
    drift; others keep theirs. pressure: eV/Å³; thermostat_fs, barostat_fs: times on which temperature and
    pressure are corrected. Every `every` steps, the first and the last included, a row is kept and
    `observe(atoms, row)` called: step, time_fs, temperature_K, potential_eV, total_eV, conserved_eV and, in a
    periodic cell, volume_A3 and pressure_GPa. The same seed gives the same trajectory. first_step: number
    of the step that `atoms` is at, for a run that goes on. lost: atoms may leave the others behind.

    ValueError for an unknown ensemble, a setting out of range or atoms that the ensemble does not take;
    DynamicsError as soon as numbers are not finite, atoms heat up without end, come closer than 0.5 Å or
    lose all their neighbours.
    """
    given = Conditions(temperature, pressure, timestep_fs, thermostat_fs, barostat_fs)
    _check(given, ensemble, steps - first_step, every)
    rng = np.random.default_rng([seed, first_step] if first_step else seed)
    calculator = NNPCalculator(potential, dtype=dtype)
    atoms.calc = calculator
    if not np.any(atoms.get_momenta()):
        MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
        Stationary(atoms)
    moving = ENSEMBLES[ensemble](atoms, given, rng)
    integrator = moving.integrator
    integrator.nsteps = first_step
    watch = Watch(atoms, calculator, temperature, lost)
    rows: list[Row] = []

    def record() -> None:
        now = integrator.nsteps
        watch.each_step(atoms, _temperature(atoms, moving))
        if now % every == 0 or now == steps:
            watch.now_and_then(atoms)
            rows.append(_row(atoms, moving, now, timestep_fs))
            if observe is not None:
                observe(atoms, rows[-1])

    integrator.attach(record, interval=1)
    try:
        integrator.run(steps - first_step)
    except (DynamicsError, FloatingPointError) as error:
        where = f"stopped at step {integrator.nsteps} ({integrator.nsteps * timestep_fs:g} fs)"
        raise DynamicsError(f"{where}: {error}. Is the time step too long, or the start unsound?") from None
    return rows


def _check(given: Conditions, ensemble: str, steps: int, every: int) -> None:
    if ensemble not in ENSEMBLES:
        raise ValueError(f"unknown ensemble '{ensemble}'; one of {', '.join(ENSEMBLES)}")
    positive = (given.timestep_fs, given.thermostat_fs, given.barostat_fs, every)
    if not (given.temperature >= 0.0 and steps >= 0 and min(positive) > 0.0):
        raise ValueError("temperature and steps must be ≥ 0; time step, thermostat, barostat, every > 0")


def _temperature(atoms: Atoms, moving: Ensemble) -> float:
    return 2.0 * float(atoms.get_kinetic_energy()) / (units.kB * max(moving.degrees_of_freedom, 1))


def _row(atoms: Atoms, moving: Ensemble, step: int, timestep_fs: float) -> Row:
    row: Row = {
        "step": step,
        "time_fs": step * timestep_fs,
        "temperature_K": _temperature(atoms, moving),
        "potential_eV": float(atoms.get_potential_energy()),
        "total_eV": float(atoms.get_total_energy()),
        "conserved_eV": moving.conserved(),
    }
    if all(atoms.pbc):
        stress = atoms.get_stress(voigt=False, include_ideal_gas=True)
        row |= {
            "volume_A3": float(atoms.get_volume()),
            "pressure_GPa": float(-np.trace(stress) / 3.0 / units.GPa),
        }
    return row
