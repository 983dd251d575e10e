"""Molecular dynamics by ASE's integrators."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.md import MolecularDynamics
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
from ase.md.verlet import VelocityVerlet

from nnp.calculator import NNPCalculator
from nnp.potential import Potential

ENSEMBLES = ("langevin", "nve")


def run_md(
    atoms: Atoms,
    potential: Potential,
    temperature: float = 300.0,
    steps: int = 1000,
    timestep_fs: float = 1.0,
    ensemble: str = "nve",
    friction_per_fs: float = 0.01,
    seed: int = 0,
    every: int = 10,
    observe: Callable[[Atoms], None] | None = None,
) -> list[dict[str, float]]:
    """Dynamics at constant energy ('nve', velocity Verlet) or temperature ('langevin').

    `atoms` moves in place. Atoms at rest get Maxwell–Boltzmann velocities at `temperature` (K) without
    drift; others keep theirs. Every `every` steps, the first and the last included, a row is kept
    (time_fs, temperature_K, potential_eV, total_eV) and `observe(atoms)` called. The same seed gives the
    same trajectory. ValueError for an unknown ensemble or a setting out of range.
    """
    if ensemble not in ENSEMBLES:
        raise ValueError(f"unknown ensemble '{ensemble}'; one of {', '.join(ENSEMBLES)}")
    if not (temperature >= 0.0 and timestep_fs > 0.0 and friction_per_fs > 0.0 and steps >= 0 and every > 0):
        raise ValueError("temperature, steps must be ≥ 0; time step, friction, every must be > 0")
    rng = np.random.default_rng(seed)
    atoms.calc = NNPCalculator(potential)
    if not np.any(atoms.get_momenta()):
        MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
        Stationary(atoms)
    integrator = _integrator(atoms, temperature, timestep_fs, ensemble, friction_per_fs, rng)
    rows: list[dict[str, float]] = []

    def record() -> None:
        if integrator.nsteps % every == 0 or integrator.nsteps == steps:
            rows.append(_row(atoms, integrator.nsteps * timestep_fs))
            if observe is not None:
                observe(atoms)

    integrator.attach(record, interval=1)
    integrator.run(steps)
    return rows


def _integrator(
    atoms: Atoms,
    temperature: float,
    timestep_fs: float,
    ensemble: str,
    friction_per_fs: float,
    rng: np.random.Generator,
) -> MolecularDynamics:
    step = timestep_fs * units.fs
    if ensemble == "nve":
        return VelocityVerlet(atoms, step)
    friction = friction_per_fs / units.fs
    return Langevin(atoms, step, temperature_K=temperature, friction=friction, rng=rng, fixcm=False)


def _row(atoms: Atoms, time_fs: float) -> dict[str, float]:
    potential = float(atoms.get_potential_energy())
    return {
        "time_fs": time_fs,
        "temperature_K": float(atoms.get_temperature()),
        "potential_eV": potential,
        "total_eV": potential + float(atoms.get_kinetic_energy()),
    }
