"""What `multiscale cohesive` says of a law, in users' units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.units import GPa

from coupling.cohesive import CohesiveLaw, Derived, Subtracted, Table
from coupling.cohesive.checks import checks
from coupling.cohesive.figures import (
    figures,
    fit_errors,
    landscape,
    lowest_barrier,
    straight_barriers,
)
from coupling.cohesive.held_out import held_out
from coupling.cohesive.zone import element_size, zone_length
from multiscale.cohesive_law import Source, between_bodies, miller
from multiscale.config import Case
from multiscale.material import Material
from nnp.crystal import Crystal
from nnp.observables import J_PER_M2
from nnp.separation import sliding

Array = np.ndarray
WARN_FIT = 0.03
"""Root-mean-square error of a fitted law, over the peak, above which it says so."""
LIMITS = {"area": 5e-3, "loop": 1e-10, "rest": 1e-10, "symmetry": 1e-10, "tangent": 1e-6}
"""What a law's checks must stay below."""
_SPREAD = {
    "work_of_adhesion": lambda f: f.work / J_PER_M2,
    "peak_traction": lambda f: f.peak / GPa,
    "peak_opening": lambda f: f.peak_opening,
}


def report(law: CohesiveLaw, case: Case, material: Material, source: Source | None) -> dict[str, Any]:
    """Figures, errors and checks of a law; of one that was read, without a table, only what itself can say."""
    found = figures(law)
    said: dict[str, Any] = {
        "work_of_adhesion": _quantity(found.work / J_PER_M2, "J/m^2"),
        "peak_traction": _quantity(found.peak / GPa, "GPa"),
        "peak_opening": _quantity(found.peak_opening, "Å"),
        "critical_opening": _quantity(found.critical, "Å"),
        "stiffness_at_rest": {
            name: _quantity(found.stiffness[k, k] / GPa, "GPa/Å")
            for k, name in enumerate(("normal", "first_tangent", "second_tangent"))
        },
        **_zone(law, case, material),
    }
    errors: dict[str, Any] = {}
    table = source.table if source is not None else getattr(law, "table", None)
    if table is not None:
        said["sliding"] = _sliding(law, table, material.crystal)
    if source is not None:
        errors = _errors(law, material, source)
        _add_spread(said, law, source)
    return {"figures": said, "errors": errors, "checks": checks(law)}


def findings(found: dict[str, Any], case: Case) -> list[str]:
    """What a user should be warned of."""
    said = []
    fit = found["errors"].get("fit_opening")
    if fit is not None and fit["value"] > 100.0 * WARN_FIT:
        said.append(
            f"the fit is off by {fit['value']:.2g} % of the peak, above {100 * WARN_FIT:g} %: use derive"
        )
    removed = found["errors"].get("traction_removed")
    if removed is not None and removed["value"] > 0.1:
        said.append(
            f"the crystal is under stress: {removed['value']:.3g} GPa across the plane at rest were taken out"
        )
    for name, limit in LIMITS.items():
        if not abs(found["checks"][name]) <= limit:
            said.append(f"check '{name}': {found['checks'][name]:.2g} is above {limit:g}")
    return said


def _errors(law: CohesiveLaw, material: Material, source: Source) -> dict[str, Any]:
    table = source.table
    said = {"traction_removed": _quantity(float(np.abs(table.removed).max()) / GPa, "GPa")}
    if source.bodies.strain > 1e-9:
        said["strain_of_upper_body"] = _quantity(100.0 * source.bodies.strain, "%")
    off = held_out(Derived(table), table, material.potential, source.bodies)
    said["interpolation_energy"] = _quantity(off["energy"] / J_PER_M2, "J/m^2")
    said["interpolation_traction"] = _quantity(100.0 * off["traction"], "% of the peak")
    if not isinstance(law, Derived):
        fit = fit_errors(law, table)
        said["fit_opening"] = _quantity(100.0 * fit["opening"], "% of the peak")
        said["fit_sliding"] = _quantity(100.0 * fit["sliding"], "% of the peak")
    return said


def _sliding(law: CohesiveLaw, table: Table, crystal: Crystal) -> dict[str, Any]:
    """Unstable stacking energies: rigid along straight ways, and on the best way, rigid and free to open."""
    surface = landscape(law, table.cell)
    straight = {
        way_name(crystal.frame, crystal.a, way): _quantity(energy / J_PER_M2, "J/m^2")
        for way, energy in straight_barriers(law, table.cell)
    }
    return {
        "straight": straight,
        "best_way_rigid": _quantity(lowest_barrier(surface.rigid) / J_PER_M2, "J/m^2"),
        "best_way_opening": _quantity(lowest_barrier(surface.open) / J_PER_M2, "J/m^2"),
    }


def add_relaxed(said: dict[str, Any], material: Material, table: Table) -> None:
    """Largest energy on the straight way to the nearest copy with all atoms free to move along the normal."""
    way = table.cell[int(np.argmin(np.linalg.norm(table.cell, axis=1)))]
    line = sliding(material.potential, material.crystal, np.array([way[0], 0.0, way[1]]), relaxed=True)
    name = way_name(material.crystal.frame, material.crystal.a, way)
    said["sliding"]["straight_relaxed"] = {name: _quantity(line.unstable[0] / J_PER_M2, "J/m^2")}


def way_name(frame: Array, a: float, way: Array) -> str:
    """A sliding displacement (2,), Å, as a/n[hkl]; frame: as nnp.crystal.Crystal has it, a: lattice constant, Å."""
    full = np.array([way[0], 0.0, way[1]]) @ frame / a
    for n in range(1, 7):
        if np.abs(n * full - np.round(n * full)).max() < 1e-3:
            digits = "".join(f"{int(v)}" for v in np.round(n * full))
            return f"a[{digits}]" if n == 1 else f"a/{n}[{digits}]"
    return str([float(v) for v in miller(frame, np.array([way[0], 0.0, way[1]]))])


def _zone(law: CohesiveLaw, case: Case, material: Material) -> dict[str, Any]:
    planes = case.interface.planes
    size = element_size(material.elastic, law, planes)
    left = between_bodies(law, case, material)
    said: dict[str, Any] = {
        "cohesive_zone": _quantity(0.1 * zone_length(material.elastic, law.work, figures(law).peak), "nm"),
        "largest_element": _quantity(0.1 * size, "nm"),
    }
    if isinstance(left, Subtracted):
        rest = np.zeros((1, 3))
        ratio = left(rest).stiffness[0, 0, 0] / left.law(rest).stiffness[0, 0, 0]
        said["stiffness_left_over_lattice"] = _quantity(float(ratio), "")
    return said


def _add_spread(said: dict[str, Any], law: CohesiveLaw, source: Source) -> None:
    """Standard deviations over a committee, beside the figures."""
    if len(source.members) < 2:
        return
    each = [figures(type(law).fit(table)) for table in source.members]  # type: ignore[attr-defined]
    for name, pick in _SPREAD.items():
        values = np.array([pick(f) for f in each])
        said[name]["committee_mean"] = float(values.mean())
        said[name]["committee_std"] = float(values.std(ddof=1))
        said[name]["note"] = f"members {values.mean():.4g} ± {values.std(ddof=1):.2g}"


def table_rows(law: CohesiveLaw, table: Table, members: Sequence[Table]) -> tuple[list[str], Array]:
    """Columns and rows of table.csv: the table's points in users' units, what the law says there, and the standard
    deviation over a committee's members at the same sliding in units of the period."""
    δ, energy, traction = table.points()
    names = ["opening_A", "sliding_x_A", "sliding_z_A", "energy_J_per_m2", "traction_n_GPa", "traction_x_GPa",
             "traction_z_GPa", "law_energy_J_per_m2", "law_traction_n_GPa"]  # fmt: skip
    at = law(δ)
    columns = [δ, energy / J_PER_M2, traction / GPa, at.energy / J_PER_M2, at.traction[:, 0] / GPa]
    if len(members) > 1:
        s = δ[:, 1:] @ np.linalg.inv(table.cell)
        each = [Derived(m)(np.column_stack([δ[:, 0], s @ m.cell])) for m in members]
        columns += [np.std([r.energy for r in each], axis=0, ddof=1) / J_PER_M2]
        columns += [np.std([r.traction[:, 0] for r in each], axis=0, ddof=1) / GPa]
        names += ["committee_std_energy_J_per_m2", "committee_std_traction_n_GPa"]
    return names, np.column_stack(columns)


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": float(f"{value:.8g}") + 0.0, "unit": unit}
