"""Keys of interface.chi: what a case builds from them, and what happens where they are wrong."""

from __future__ import annotations

from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase import units

from coupling.cohesive import Subtracted, layer_compliance
from coupling.faces import Faces
from coupling.planes import PlaneLaw
from multiscale.build import make_material
from multiscale.cli import main
from multiscale.config import InputError, parse_case
from multiscale.interface import with_interface
from multiscale.masking import adhesion, with_masking
from multiscale.model import make_model
from multiscale.result import read_result
from nnp.external import External
from tests.mpi import COMM, gathered

CASE = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm, crack: {tip: [0, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1 nm}, blend: 1 nm}
interface: {law: derive, where: plane, compliance: keep, surfaces: rigid}
load: {type: k-field, mode: I, K: {from: 0.4, to: 0.5, steps: 2}}
"""


@pytest.fixture(scope="module")
def made():
    """Material, model with the law on the whole plane of its mesh, and the law."""
    case = parse_case(CASE)
    material = make_material(case)
    model, interface = with_interface(case, material, make_model(case, material, COMM))
    return material, model, interface.law


def _masked(made, *overrides: str):
    material, model, law = made
    return with_masking(parse_case(CASE, list(overrides)), material, model, law)


def test_atoms_carry_it_all_unless_told_otherwise(made) -> None:
    model = _masked(made)
    assert model.terms == made[1].terms and adhesion(model) == 1.0
    energies = [m.atomistic(m.atoms.reference)[0] for m in (model, made[1])]
    assert energies[0] == energies[1]
    np.testing.assert_array_equal(model.atomistic.masking.chi, 1.0)


def test_chi_fades_from_the_tip_along_the_plane(made) -> None:
    fade = "interface.fade={radius: 5 Å, width: 1 nm, to: 0.1}"
    model = _masked(made, "interface.chi=0.9", fade)
    x, chi = gathered(model.atoms.reference[:, 0]), gathered(model.atomistic.masking.chi)
    assert (chi[np.abs(x) < 3.0] == 0.9).all() and (chi[np.abs(x) > 17.0] == 0.1).all()
    assert len(np.unique(chi[(x > 7.0) & (x < 13.0)])) > 1
    aside = _masked(made, "interface.chi=0.9", fade[:-1] + ", center: 1 nm}").atomistic.masking.chi
    assert gathered(aside)[np.abs(x - 10.0).argmin()] == 0.9


@pytest.mark.parametrize(
    "options", [["chi=1"], ["chi=0"], ["chi=0.9", "fade={radius: 2 Å, width: 9 Å, to: 0.2}"]]
)
def test_the_whole_plane_has_the_energy_of_the_law_by_atoms_blend_and_mesh(made, options) -> None:
    """Rigid halves at openings where the derived law is that of the potential: area times Γ for any χ and w, to
    1e-6 J/m². Compressed, and half slid, when second layers take part, to 2e-4."""
    _, plain, law = made
    model = _masked(made, *[f"interface.{option}" for option in options])
    table = law.table
    pulled = table.openings[table.rest + np.array([1, 4, 9, len(table.openings) - 1 - table.rest])]
    pressed = [[table.openings[0], 0.0, 0.0], [table.openings[table.rest + 2], *(0.5 * table.cell[0])]]
    states = np.concatenate([np.outer(pulled, [1.0, 0.0, 0.0]), pressed])
    area = np.ptp(gathered(plain.terms[0].points[:, 0])) * model.atoms.cell[2, 2]
    energies = np.array([_rigid(model, state) for state in states])
    off = np.abs(energies / area - law(states).energy) * units.m**2 / units.J
    assert off[: len(pulled)].max() < 1e-6 and off.max() < 2e-4


def _rigid(model, opening) -> float:
    """Energy of two rigid halves, eV."""
    apart = opening[[1, 0, 2]]
    q = model.unknowns(lambda p: np.where(p[:, 1:2] > 0.0, apart, 0.0))
    return model.energy_gradient(q, model.vector()).total


@pytest.mark.parametrize("chi", [0.0, 0.4])
def test_adhesion_is_counted_once_with_masking_and_again_without(made, chi) -> None:
    """But for the quadrature of the mask's step in a blend of three atoms along the plane."""
    right = _masked(made, f"interface.chi={chi}")
    assert [type(term) for term in right.terms] == [Faces, PlaneLaw]
    assert adhesion(right) == pytest.approx(1.0, abs=3e-4)
    wrong = _masked(made, f"interface.chi={chi}", "interface.masked=false")
    assert adhesion(wrong) == pytest.approx(2.0 - chi, abs=3e-4)


def test_masked_atoms_have_the_law_without_what_the_mesh_needs(made) -> None:
    material, model, law = made
    adapted = Subtracted(law, layer_compliance(material.elastic, 2.35))
    term = with_masking(parse_case(CASE, ["interface.chi=0"]), material, model, adapted).terms[-1]
    assert term.faces.law is law


def test_the_plane_of_the_tip_must_be_the_one_of_the_law(made) -> None:
    material, model, law = made
    off = replace(material, tip=(0.0, 1.6))  # in the glide set
    with pytest.raises(
        InputError, match=r"geometry\.crack\.tip: its plane lies between atomic planes 0\.784 Å apart"
    ):
        with_masking(parse_case(CASE), off, model, law)


def test_a_run_says_that_adhesion_is_counted_twice_and_writes_body_and_chi(tmp_path) -> None:
    """The same crack with and without masking: one warning."""
    (tmp_path / "case.yaml").write_text(CASE + "output: {pictures: false}\n")
    options = ["--set", "interface.chi=0.25", "--set", "load.K={from: 0.4, to: 0.4, steps: 1}"]
    results, frames = {}, {}
    for masked in ("true", "false"):
        out = tmp_path / masked
        arguments = ["run", str(tmp_path / "case.yaml"), "-o", str(out), *options]
        assert main([*arguments, "--set", f"interface.masked={masked}"]) == 0
        results[masked], frames[masked] = read_result(out), ase.io.read(out / "atoms.extxyz")
    said = {k: [w for w in r["warnings"] if w["kind"] == "adhesion"] for k, r in results.items()}
    assert said["true"] == []
    (warning,) = said["false"]
    assert (warning["kind"], warning["step"], warning["stops"]) == ("adhesion", 1, False)
    assert warning["value"] == pytest.approx(1.75, abs=5e-3) and "counted 1.75 times" in warning["message"]
    atoms = frames["true"]
    np.testing.assert_array_equal(atoms.arrays["chi"], 0.25)
    opened = atoms.positions[:, 1] - atoms.arrays["displacement"][:, 1]
    np.testing.assert_array_equal(atoms.arrays["body"], opened > 0.0)


def test_a_calculator_cannot_be_masked(made) -> None:
    """There are no site energies; with χ = 1 nothing is asked of it."""
    material, model, law = made
    calculated = replace(material, potential=External(lambda: None, 5.0))
    assert with_masking(parse_case(CASE), calculated, model, law) is model
    with pytest.raises(InputError, match=r"interface\.chi: must be 1: a calculator has no site energies"):
        with_masking(parse_case(CASE, ["interface.chi=0.5"]), calculated, model, law)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{law: derive, chi: 1.5}", "interface.chi: must be at most 1, got 1.5"),
        (
            "{law: derive, fade: {radius: 0, width: 1 nm, to: 2}}",
            "interface.fade.to: must be at most 1, got 2",
        ),
        ("{chi: 0.5}", "interface.chi: must be 1 without a law"),
        ("{fade: {radius: 0, width: 1 nm}}", "interface.fade.to: must be 1 without a law"),
        ("{law: derive, masked: false}", "interface.masked: false says nothing where chi is 1"),
    ],
)
def test_wrong_values_of_chi(text, message) -> None:
    with pytest.raises(InputError) as caught:
        parse_case(CASE.replace("{law: derive, where: plane, compliance: keep, surfaces: rigid}", text))
    assert message in str(caught.value)
