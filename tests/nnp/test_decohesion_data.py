"""The first-principles frames of opened silicon that come with the project."""

from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.units import GPa

from nnp.data import Frame, read_frames

TRAINING = Path(__file__).parents[2] / "examples" / "training"
FILE = TRAINING / "data" / "si_decohesion.xyz"
spec = spec_from_file_location("decohesion_table", TRAINING / "decohesion_table.py")
assert spec is not None and spec.loader is not None
table = module_from_spec(spec)
spec.loader.exec_module(table)


@pytest.fixture(scope="module")
def images() -> Sequence[Atoms]:
    return ase.io.read(FILE, ":")


@pytest.fixture(scope="module")
def frames() -> Sequence[Frame]:
    return read_frames(FILE)


def test_frames_read_and_no_net_force_acts(frames: Sequence[Frame]) -> None:
    assert {f.group for f in frames} >= {"Bulk", "Decohesion", "Stretched", "VacancyDense"}
    assert all(f.stress is not None for f in frames)
    assert max(np.abs(f.forces.sum(axis=0)).max() for f in frames) < 5e-3


def test_rigid_blocks_are_even_about_the_cut(images: Sequence[Atoms]) -> None:
    """The origin is a centre of inversion of the opened crystal: forces are odd about it."""
    for atoms in images:
        if "opening" not in atoms.info or "rattle" in atoms.info:
            continue
        mirrored = -atoms.get_scaled_positions(wrap=False)
        apart = mirrored[:, None] - atoms.get_scaled_positions(wrap=False)[None]
        distance = np.linalg.norm((apart - np.round(apart)) @ atoms.cell.array, axis=-1)
        image = distance.argmin(axis=1)
        assert distance.min(axis=1).max() < 1e-3, atoms.info["description"]
        forces = atoms.arrays["REF_forces"]
        np.testing.assert_allclose(forces[image], -forces, atol=2e-3)


@pytest.mark.parametrize(("plane", "published"), [("(111)", 1.57), ("(100)", 2.17)])
def test_separation_costs_two_surfaces(images: Sequence[Atoms], plane: str, published: float) -> None:
    """Surface energies, J/m², of cut crystals (PW91; Bartók et al. 2018, doi:10.1103/PhysRevX.8.041048)."""
    _, energy, _ = table.curve(images, plane)
    assert 0.5 * energy[-1] / table.J_PER_M2 == pytest.approx(published, rel=0.05)


def test_opening_110_costs_what_other_codes_say(images: Sequence[Atoms]) -> None:
    """0.1152, 0.1152, 0.1148 eV/Å²: rigid opening by 1 Å in Quantum ESPRESSO, ABINIT and GPAW, blocks twice as high."""
    opening, energy, _ = table.curve(images, "(110)")
    assert energy[np.isclose(opening, 1.0)] == pytest.approx(0.1151, rel=0.015)


@pytest.mark.parametrize("plane", ["(111)", "(110)", "(100)"])
def test_stress_and_forces_are_slopes_of_the_energy(images: Sequence[Atoms], plane: str) -> None:
    """Tractions against differences of energies where the curve is flattest: sign, unit and order of the stress."""
    opening, energy, traction = table.curve(images, plane)
    between = np.diff(energy) / np.diff(opening)
    mean = 0.5 * (traction[1:] + traction[:-1])
    near = (opening[1:] <= 1.0) & (opening[:-1] >= 0.4)
    assert near.any()
    np.testing.assert_allclose(mean[near], between[near], rtol=0.06)


def test_crystal_of_the_settings(images: Sequence[Atoms]) -> None:
    """The same code and pseudopotential with denser k-points: 5.4695 Å and 88.6 GPa."""
    lattice, modulus, _ = table.crystal_fit(images)
    assert lattice == pytest.approx(5.4695, abs=0.003)
    assert modulus / GPa == pytest.approx(88.6, abs=1.0)
