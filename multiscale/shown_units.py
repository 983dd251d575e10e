"""Units of the numbers in result.json, history.csv and the log, by the numbers' names."""

from __future__ import annotations

from multiscale.config import Case
from multiscale.config.quantities import DIMENSIONS
from multiscale.hertz import unit_of_force

_FIXED = {
    "seconds": "s",
    "energy": "eV",
    "residual": "eV/Å",
    "crack_tip": "Å",
    "external_work": "eV",
    "energy_release_rate": "J/m^2",
    "force_spread": "eV/Å",
    "site_energy_spread": "eV",
    "contact_radius": "nm",
    "indenter_bottom": "nm",
    "lateral_force": "N/m",
    "reaction": "N/m",
    "tip_x": "nm",
    "tip_y": "nm",
    "lattice_constant": "Å",
    "ghost_force": "eV/Å",
    "work_of_adhesion": "J/m^2",
    "peak_traction": "GPa",
    "cohesive_zone": "nm",
    "surface_energy": "J/m^2",
    "K_G": "MPa*sqrt(m)",
    "indentation_modulus": "GPa",
    "max_lateral_force": "N/m",
    "lateral_stiffness": "GPa",
    "work": "J/m",
    "dissipated": "J/m",
    "largest_jump": "J/m",
    "jump_x": "nm",
    "jump_y": "nm",
    "loop_work": "J/m",
}


def units_of(case: Case, dimension: str) -> dict[str, str]:
    """Unit of each number of a run that has one, by name; `energy` stands for all its parts, in a domain that is
    periodic along z of one period. dimension: of the load, a key of DIMENSIONS, "" for a plain number."""
    load = DIMENSIONS[dimension].shown if dimension else ""
    by_load = {name: load for name in ("load", "fold", "K_plus", "K_minus") if load}
    by_force = {name: unit_of_force(case) for name in ("force", "max_force", "pull_off_force")}
    return _FIXED | by_load | by_force


def with_unit(name: str, value: float, units: dict[str, str], digits: int = 5) -> str:
    """`value unit` of a named number."""
    return f"{value:.{digits}g} {units.get(name, '')}".rstrip()
