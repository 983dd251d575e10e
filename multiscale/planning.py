"""What a case would take, without running it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from coupling.atoms import thickness
from coupling.model import Model
from multiscale.build import make_material
from multiscale.config import Case
from multiscale.config.parallel import ParallelConfig
from multiscale.config.quantities import DIMENSIONS, parse_unit
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.mismatch import elastic_mismatch
from multiscale.device import on_processor
from multiscale.extent import with_radius
from multiscale.loads import LOADS, Load
from multiscale.material import Material
from multiscale.model import make_model
from multiscale.schedule import Schedule
from nnp.crystal import Crystal


def plan(case: Case, comm: Any) -> dict[str, Any]:
    """What a case would take: sizes and constants, from its objects built but nothing solved. Collective."""
    case = replace(on_processor(case), parallel=ParallelConfig())  # what it will run on is seldom there
    material = make_material(case)
    case = with_radius(case, material)
    load = LOADS[case.load.type](case.load, material, case.geometry)
    model = make_model(case, material, comm)
    n = model.atoms.ownership.total
    evaluated = int(model.atoms.ownership.sum(int((model.atoms.weights != 0).sum())))
    volume = _volume(case, material.crystal)
    pairs = (
        4 / 3 * np.pi * (material.potential.cutoff + model.atomistic.skin) ** 3 / material.crystal.site_volume
    )
    return {
        "lattice constant": {"value": material.crystal.a, "unit": "Å"},
        **_extent(case),
        "receptive field": {"value": material.potential.receptive_field, "unit": "Å"},
        "atoms": n,
        "free atoms": int(model.layout.free_starts[-1]),
        "site energies per evaluation": evaluated,
        "atoms of the same domain, fully atomistic": round(volume / material.crystal.site_volume),
        "mesh nodes": int(model.layout.mesh_starts[-1]),
        "unknowns": model.layout.n_global,
        **_misfit(model, material),
        **_load(load, material),
        "load steps, there and back" if load.floor is not None else "load steps": Schedule(load).total,
        "memory": {
            "value": round((model.layout.n_global * 9e3 + n * pairs * 1.5e3) / 1e6),
            "unit": "MB, about",
        },
    }


def _load(load: Load, material: Material) -> dict[str, Any]:
    """First and last value of the load, and the Griffith value where it is a stress intensity."""
    unit = DIMENSIONS[load.dimension].shown if load.dimension else ""
    factor = parse_unit(unit).factor if unit else 1.0
    ends = {"first": load.values[0], "last": load.values[-1]}
    if load.dimension == "stress intensity":
        ends["Griffith"] = material.griffith
    return {f"{name} {load.name}": {"value": value / factor, "unit": unit} for name, value in ends.items()}


def _extent(case: Case) -> dict[str, Any]:
    """What is chosen where the case does not say: the radius of a disc or ball."""
    if case.geometry.size is not None:
        return {}
    return {"domain radius": {"value": case.geometry.outer / 10.0, "unit": "nm"}}


def _volume(case: Case, crystal: Crystal) -> float:
    """Of the whole domain, Å³."""
    geometry = case.geometry
    if geometry.shape == "ball":
        return 4.0 / 3.0 * np.pi * geometry.outer**3
    plane = np.pi * geometry.outer**2 if geometry.size is None else float(np.prod(geometry.extent))
    plane *= 2.0 if geometry.shape == "tip" else 1.0
    return plane * thickness(crystal, geometry.dim)


def _misfit(model: Model, material: Material) -> dict[str, Any]:
    if not isinstance(model.bulk, Bulk):
        return {}
    percent = 100.0 * elastic_mismatch(model.bulk.law, material.elastic)
    return {"elastic mismatch of the bulk": {"value": round(percent, 6), "unit": "%"}}
