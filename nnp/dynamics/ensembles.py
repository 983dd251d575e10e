"""Ensembles by name: ASE's integrators, each with the quantity that it conserves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.md.md import MolecularDynamics
from ase.md.verlet import VelocityVerlet


@dataclass(frozen=True)
class Conditions:
    """temperature: K; pressure: eV/Å³; timestep_fs, thermostat_fs, barostat_fs: the step and the times on
    which temperature and pressure are corrected, fs."""

    temperature: float = 300.0
    pressure: float = 0.0
    timestep_fs: float = 1.0
    thermostat_fs: float = 100.0
    barostat_fs: float = 1000.0


@dataclass(frozen=True)
class Ensemble:
    """integrator: moves the atoms. conserved(): eV, constant but for the error of the time step.
    degrees_of_freedom: of the momenta, so that the mean of 2 K is that many k_B T."""

    integrator: MolecularDynamics
    conserved: Callable[[], float]
    degrees_of_freedom: int


class Langevin(VelocityVerlet):
    """Velocity Verlet between two exact half steps of friction and noise, p → c p + √((1 − c²) m k_B T) R with
    c = exp(−δt / 2τ)  (Bussi & Parrinello 2007, doi:10.1103/PhysRevE.75.056707). `heat` is what friction and
    noise have given, eV: the total energy less it is conserved up to the error of the time step."""

    def __init__(
        self, atoms: Atoms, timestep: float, temperature_K: float, tau: float, rng: np.random.Generator
    ):
        super().__init__(atoms, timestep)
        self.rng, self.heat = rng, 0.0
        self.keep = np.exp(-0.5 * timestep / tau)
        self.noise = np.sqrt((1.0 - self.keep**2) * self.masses * units.kB * temperature_K)

    def step(self, forces: np.ndarray | None = None) -> np.ndarray:
        self._exchange()
        forces = super().step(forces)
        self._exchange()
        return forces

    def _exchange(self) -> None:
        before = self.atoms.get_kinetic_energy()
        momenta = self.keep * self.atoms.get_momenta()
        self.atoms.set_momenta(momenta + self.noise * self.rng.standard_normal(momenta.shape))
        self.heat += self.atoms.get_kinetic_energy() - before


def _nve(atoms: Atoms, given: Conditions, rng: np.random.Generator) -> Ensemble:
    step = VelocityVerlet(atoms, given.timestep_fs * units.fs)
    return Ensemble(step, lambda: float(atoms.get_total_energy()), _degrees(atoms))


def _langevin(atoms: Atoms, given: Conditions, rng: np.random.Generator) -> Ensemble:
    step = Langevin(
        atoms, given.timestep_fs * units.fs, given.temperature, given.thermostat_fs * units.fs, rng
    )
    free = int(atoms.get_number_of_degrees_of_freedom())
    return Ensemble(step, lambda: float(atoms.get_total_energy() - step.heat), free)


def _nose_hoover(atoms: Atoms, given: Conditions, rng: np.random.Generator) -> Ensemble:
    from ase.md.nose_hoover_chain import NoseHooverChainNVT

    _require(atoms, given, periodic=False)
    step = NoseHooverChainNVT(
        atoms,
        given.timestep_fs * units.fs,
        temperature_K=_felt(atoms, given),
        tdamp=given.thermostat_fs * units.fs,
    )
    return Ensemble(step, step.get_conserved_energy, _degrees(atoms))


def _npt(atoms: Atoms, given: Conditions, rng: np.random.Generator) -> Ensemble:
    from ase.md.nose_hoover_chain import IsotropicMTKNPT

    return _barostatted(IsotropicMTKNPT, atoms, given)


def _npt_cell(atoms: Atoms, given: Conditions, rng: np.random.Generator) -> Ensemble:
    from ase.md.nose_hoover_chain import MTKNPT

    return _barostatted(MTKNPT, atoms, given)


def _barostatted(kind: Callable[..., MolecularDynamics], atoms: Atoms, given: Conditions) -> Ensemble:
    _require(atoms, given, periodic=True)
    step = kind(
        atoms,
        given.timestep_fs * units.fs,
        temperature_K=_felt(atoms, given),
        pressure_au=given.pressure,
        tdamp=given.thermostat_fs * units.fs,
        pdamp=given.barostat_fs * units.fs,
    )
    return Ensemble(step, step.get_conserved_energy, _degrees(atoms))  # type: ignore[attr-defined]


ENSEMBLES: dict[str, Callable[[Atoms, Conditions, np.random.Generator], Ensemble]] = {
    "nve": _nve,
    "langevin": _langevin,
    "nose-hoover": _nose_hoover,
    "npt": _npt,
    "npt-cell": _npt_cell,
}
"""Constant energy; constant temperature by friction and noise, and by a Nosé–Hoover chain (Martyna et al.,
doi:10.1063/1.463940); constant pressure with a volume that breathes, and with a cell that also changes its
shape (Martyna, Tobias & Klein, doi:10.1063/1.467468). The last three move no centre of mass. A chain acts on all
momenta alike and leaves the exchange among vibrations to their anharmonicity: in 64 atoms of silicon at 300 K
pressure and heat capacity are still 6 and 15 % off after 40 ps, where friction and noise have them right."""


def _degrees(atoms: Atoms) -> int:
    """Degrees of freedom where nothing but the potential and a common factor acts on the momenta: a centre
    of mass at rest (to the digits of a file) stays at rest."""
    free = int(atoms.get_number_of_degrees_of_freedom())
    scale = np.abs(atoms.get_momenta()).sum() + 1e-300
    still = np.abs(atoms.get_momenta().sum(0)).max() < 1e-6 * scale
    return free - 3 if still and not atoms.constraints and len(atoms) > 1 else free


def _felt(atoms: Atoms, given: Conditions) -> float:
    """ASE's chains hold 2 K at 3 n k_B T; with the centre of mass at rest the atoms have fewer degrees of
    freedom, so the temperature told to the chain is as much lower."""
    return given.temperature * _degrees(atoms) / (3 * len(atoms))


def _require(atoms: Atoms, given: Conditions, periodic: bool) -> None:
    if atoms.constraints:
        raise ValueError("a Nosé–Hoover chain moves all atoms; with constraints use 'langevin' or 'nve'")
    if not given.temperature > 0.0:
        raise ValueError("a Nosé–Hoover chain needs a temperature above zero")
    if periodic and not all(atoms.pbc):
        raise ValueError("constant pressure needs atoms that are periodic in three directions")
