"""A plane that runs through atoms, blend and mesh: its energy on rigid openings, whatever χ and w (double_counting)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from mpi4py import MPI

from coupling.bodies import in_plane_vectors
from coupling.cohesive.law import Response
from coupling.model import Model
from coupling.planes import AXES
from multiscale.build import make_material
from multiscale.config import parse_case
from multiscale.interface import with_interface
from multiscale.masking import with_masking
from multiscale.model import make_model

Array = np.ndarray
Law = Callable[[Array], Response]

CASE = """
crystal: {{structure: diamond, symbol: Si, orientation: {orientation}}}
potential: {potential}
geometry: {{shape: disc, radius: {radius} nm, crack: {{tip: [0.1 nm, 0], plane: y}}}}
regions: {{core: {{shape: disc, center: tip, radius: 1 nm}}, blend: {blend} nm}}
interface: {{law: derive, where: plane, compliance: keep, surfaces: rigid}}
load: {{type: k-field, mode: I, K: {{from: 0.4, to: 0.5, steps: 2}}}}
"""
CHI = {
    "χ = 1": [],
    "χ = 0": ["interface.chi=0"],
    "graded χ": ["interface.chi=0.93", "interface.fade={radius: 3 Å, width: 1 nm, to: 0.08}"],
}


def openings(model: Model) -> dict[str, Array]:
    """(δ_n, δ_t1, δ_t2), Å, by name."""
    a, b = in_plane_vectors(model.crystal)[:, AXES]
    n = np.array([1.0, 0.0, 0.0])
    out = {f"{d:g} Å open": d * n for d in (0.3, 0.6, 1.0, 2.0, 8.0)}
    return out | {"0.8 Å open, half slid along the first": 0.8 * n + 0.5 * a,
                  "0.8 Å open, half slid along the second": 0.8 * n + 0.5 * b,
                  "0.2 Å compressed": -0.2 * n}  # fmt: skip


def whole_plane(
    potential: dict[str, str], orientation: dict[str, Any], blend: float, exact: Callable[..., Law]
) -> dict[str, dict[str, float]]:
    """By opening: energy per area of the law, and of the model less that for each χ, J/m². blend: nm; exact: of
    potential and crystal the law that both mesh and masked atoms have."""
    text = CASE.format(
        potential=potential,
        orientation={k: list(v) for k, v in orientation.items()},
        radius=5.5 + blend,
        blend=blend,
    )
    case = parse_case(text)
    material = make_material(case)
    model, interface = with_interface(case, material, make_model(case, material, MPI.COMM_SELF))
    assert interface is not None
    law = exact(material.potential, material.crystal)
    model = replace(model, terms=(replace(interface.faces, law=law),))
    area = float(np.ptp(interface.faces.points[:, 0])) * model.atoms.cell[2, 2]
    masked = {name: with_masking(parse_case(text, keys), material, model, law) for name, keys in CHI.items()}
    rows = {}
    for name, opening in openings(model).items():
        wanted = float(law(opening[None]).energy[0])
        off = {chi: (_energy(m, opening) / area - wanted) * 16.02176634 for chi, m in masked.items()}
        rows[name] = {"law": wanted * 16.02176634, **off}
    return rows


def _energy(model: Model, opening: Array) -> float:
    q = model.unknowns(lambda p: np.where(p[:, 1:2] > 0.0, opening[AXES], 0.0))
    return model.energy_gradient(q, model.vector()).total


def lines(title: str, rows: dict[str, dict[str, float]]) -> str:
    """A table for people, J/m²."""
    out = [f"\n### {title}\n", "| opening | law | " + " | ".join(f"{c} − law" for c in CHI) + " |"]
    out.append("|" + " --- |" * (2 + len(CHI)))
    for name, row in rows.items():
        off = " | ".join(f"{row[c]:+.1e}" for c in CHI)
        out.append(f"| {name} | {row['law']:.4f} | {off} |")
    return "\n".join(out)
