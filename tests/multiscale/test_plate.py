"""Plates without atoms, pulled apart: a strip against its exact energy release rate, a beam that debonds."""

import json

import numpy as np
import pytest
from ase import units

from multiscale.build import make_material
from multiscale.cli import main
from multiscale.cohesive_law import named_law, upper_crystal
from multiscale.config import load_case
from nnp.homogeneous import elastic_tensor

PLATE = """
title: A plate
crystal: {{structure: fcc, symbol: Ar, orientation: {{x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}}}
potential: {{type: lennard-jones, parameters: {{epsilon: 0.0104, sigma: 3.405, cutoff: 8.0}}}}
geometry: {{shape: plate, size: {size}, crack: {{tip: {tip}, plane: y}}}}
continuum: {{law: linear, degree: 2, mesh: {{h: {h}, {mesh}growth: 1.3}}}}
coupling: {{scheme: continuum}}
interface: {{law: {law}, surfaces: rigid, upper: {upper}}}
load: {{type: opening, grips: {grips}, opening: {opening}}}
solver: {{force_tolerance: 3.0e-6}}
output: {{pictures: false}}
"""


def run(folder, **values) -> list[dict]:
    case = folder / "plate.yaml"
    case.write_text(PLATE.format(**{"upper": "null", "mesh": "", **values}))
    assert main(["run", str(case), "-o", str(folder / "out")]) == 0
    return json.loads((folder / "out" / "result.json").read_text())["steps"]


TILTED = "{structure: fcc, symbol: Ar, orientation: {x: [1, 1, 0], y: [0, 0, 1], z: [1, -1, 0]}}"


@pytest.mark.parametrize("upper", ["null", TILTED])
def test_strip_releases_the_energy_that_its_unbroken_end_stores(tmp_path, upper) -> None:
    """G = ½ Δ² / ∫ dy / C_yyyy of a long clamped strip, whatever the crack's length; nothing is lost on the way."""
    below, above, opening = 40.0, 20.0, 0.6
    step = run(
        tmp_path, size="[30 nm, 6 nm]", tip="[0, 1 nm]", h="0.15 nm", law="none", grips="edges", upper=upper,
        opening="{from: 0.03 nm, to: 0.06 nm, steps: 2}",
    )[-1]  # fmt: skip
    case = load_case(str(tmp_path / "plate.yaml"))
    material = make_material(case)
    upper_C = elastic_tensor(material.potential, upper_crystal(case, material))
    compliance = below / material.elastic[1, 1, 1, 1] + above / upper_C[1, 1, 1, 1]
    exact = 0.5 * opening**2 / compliance / (units.J / units.m**2)
    assert step["energy_release_rate"] == pytest.approx(exact, rel=5e-3)
    assert step["external_work"] == pytest.approx(
        step["energy"]["total"], rel=2e-4
    )  # the forces left at 3e-6 eV/Å


def test_beam_debonds_at_the_work_of_its_law_and_loses_no_energy(tmp_path) -> None:
    """While the crack grows G = 2γ of the law, and what the grips put in is stored or in the new surface."""
    steps = run(
        tmp_path, size="[24 nm, 8 nm]", tip="[-6 nm, 0]", h="0.5 nm",
        mesh="interface_h: 0.5 nm, interface_length: 6 nm, ", law="uber", grips="ends",
        opening="{from: 0.7 nm, to: 3.5 nm, steps: 9}",
    )  # fmt: skip
    tip, rate = (np.array([s[key] for s in steps]) for key in ("crack_tip", "energy_release_rate"))
    case = load_case(str(tmp_path / "plate.yaml"))
    work = named_law(case, make_material(case)).work / (units.J / units.m**2)
    assert (np.diff(tip) >= 0.0).all() and tip[0] == -60.0 and tip[-1] > -50.0
    assert rate[-1] == pytest.approx(work, rel=0.02)
    assert steps[-1]["external_work"] == pytest.approx(steps[-1]["energy"]["total"], rel=3e-3)
    assert steps[-1]["energy"]["interface"] > 0.2 * steps[-1]["energy"]["total"]
