"""Atoms from a file: defects in the core, whole models of atoms, and what is said where they do not fit."""

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.constraints import FixAtoms
from matscipy.calculators.eam import EAM
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import StillingerWeber as form
from matscipy.calculators.manybody.explicit_forms import stillinger_weber as published

import multiscale
from multiscale.cli import main
from tests.mpi import run_ranks
from tests.nnp.setfl_files import made_up_alloy

CASE = """
title: strained disc
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 4.5 nm}
regions: {core: {shape: disc, radius: 1.4 nm}, blend: 0.8 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0.005, 0], [0, 0, 0]], steps: 1}
solver: {force_tolerance: 0.01 meV/Å}
output: {pictures: false}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("given")
    (path / "case.yaml").write_text(CASE)
    for scheme in ("atomistic", "bgfc"):
        out = str(path / f"{scheme}.extxyz")
        assert main(["atoms", str(path / "case.yaml"), "-o", out, "--set", f"coupling.scheme={scheme}"]) == 0
    return path


def run(folder, name, scheme, atoms=None, **more):
    """The case with atoms, if any, and its energy."""
    change = {"coupling.scheme": scheme, **more}
    if atoms is not None:
        ase.io.write(folder / f"{name}.extxyz", atoms, format="extxyz")
        change["atoms"] = {"file": folder / f"{name}.extxyz"}
    return multiscale.run(folder / "case.yaml", folder / name, change, quiet=True)


def energy(result):
    assert result.status == "done"
    return result.array("energy.total")[-1]


def middle(atoms):
    return int(np.argmin(np.linalg.norm(atoms.positions[:, :2], axis=1)))


def perfect(atoms):
    return atoms.copy()


def vacancy(atoms):
    atoms = atoms.copy()
    del atoms[middle(atoms)]
    return atoms


def dumbbell(atoms):
    """Two atoms on one site."""
    atoms, k, half = atoms.copy(), middle(atoms), np.array([0.0, 1.1, 0.3])
    atoms += atoms[[k]]
    atoms.positions[-1] += half
    atoms.positions[k] -= half
    return atoms


def shifted_order(atoms):
    """The same atoms in another order, one a period away, one wandered off its site."""
    atoms = atoms[np.random.default_rng(0).permutation(len(atoms))]
    atoms.positions[3, 2] += 5 * atoms.cell[2, 2]
    atoms.positions[middle(atoms)] += [0.3, -0.2, 0.1]
    return atoms


@pytest.mark.parametrize("scheme", ["atomistic", "bgfc", "bqcf"])
def test_the_crystals_own_atoms_change_nothing(folder, scheme):
    atoms = ase.io.read(folder / ("atomistic.extxyz" if scheme == "atomistic" else "bgfc.extxyz"))
    plain, given = run(folder, f"{scheme}0", scheme), run(folder, f"{scheme}1", scheme, shifted_order(atoms))
    assert energy(given) == pytest.approx(energy(plain), abs=1e-5)
    assert given.record["counts"] == plain.record["counts"]


@pytest.fixture(scope="module")
def changes(folder):
    """Energies above the perfect crystal's under the same load, by scheme and defect."""
    found = {}
    for scheme in ("atomistic", "bgfc"):
        atoms = ase.io.read(folder / f"{scheme}.extxyz")
        each = {make.__name__: energy(run(folder, f"{scheme}-{make.__name__}", scheme, make(atoms)))
                for make in (perfect, vacancy, dumbbell)}  # fmt: skip
        found[scheme] = {name: value - each["perfect"] for name, value in each.items()}
    return found


@pytest.mark.parametrize("defect", ["vacancy", "dumbbell"])
def test_another_code_finds_the_defect_at_rest_with_the_same_energy(folder, changes, defect):
    sums = []
    for name in ("perfect", defect):
        atoms = multiscale.Result.load(folder / f"atomistic-{name}").atoms()
        moved = atoms.arrays["displacement"]
        atoms.calc = Manybody(**form(published.Stillinger_Weber_PRB_31_5262_Si))
        sums.append((atoms.get_potential_energy(), len(atoms)))
        inner = np.linalg.norm((atoms.positions - moved)[:, :2], axis=1) < 44.0
        assert np.abs(atoms.get_forces()[inner]).max() < 5e-5
    bulk = 4.336600 * (sums[1][1] - sums[0][1])  # energies here are above the bulk's
    assert changes["atomistic"][defect] == pytest.approx(sums[1][0] - sums[0][0] + bulk, abs=2e-5)


@pytest.mark.parametrize("defect", ["vacancy", "dumbbell"])
def test_a_coupled_core_holds_defects(changes, defect):
    assert changes["bgfc"][defect] == pytest.approx(changes["atomistic"][defect], rel=2e-3)
    assert 3.0 < changes["bgfc"][defect] < 5.0


def test_atoms_that_the_file_fixes_are_held(folder):
    atoms = ase.io.read(folder / "bgfc.extxyz")
    k = middle(atoms)
    atoms.positions[k] += [0.4, 0.0, 0.0]
    free = run(folder, "wandered", "bgfc", atoms)
    atoms.set_constraint(FixAtoms([k]))
    held = run(folder, "fixed", "bgfc", atoms)
    assert energy(held) > energy(free) + 0.2
    moved = held.atoms().arrays["displacement"]
    start = held.atoms().positions - moved
    here = int(np.argmin(np.linalg.norm(start[:, :2] - atoms.positions[k, :2], axis=1)))
    assert moved[here] == pytest.approx(start[here] * [0.01, 0.005, 0.0], abs=0.03)  # and its internal shift


def test_two_ranks_find_the_same(folder, changes):
    atoms = ase.io.read(folder / "bgfc.extxyz")
    ase.io.write(folder / "two.extxyz", dumbbell(atoms), format="extxyz")
    run_ranks(2, "multiscale", "run", folder / "case.yaml", "-o", folder / "two",
              "--set", f"atoms.file={folder / 'two.extxyz'}")  # fmt: skip
    one = multiscale.Result.load(folder / "bgfc-dumbbell")
    assert energy(multiscale.Result.load(folder / "two")) == pytest.approx(energy(one), abs=1e-6)


def wrong(atoms, what):
    if what == "rotated":
        atoms.rotate(30, "z")
    elif what == "periodic":
        atoms.pbc = True
    elif what == "long":
        atoms.cell[2, 2] *= 2.0
    elif what == "element":
        atoms.symbols[middle(atoms)] = "C"
    elif what == "away":
        atoms.positions += [500.0, 0.0, 0.0]
    elif what == "at the edge":
        atoms += atoms[[int(np.argmin(np.abs(np.linalg.norm(atoms.positions[:, :2], axis=1) - 13.0)))]]
        atoms.positions[-1] += [0.9, 0.9, 0.0]
    return atoms


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("rotated", "atoms.file: only .* are near a site of the crystal"),
        ("periodic", r"atoms.file: must be periodic along z only \(pbc F F T\), got T T T"),
        ("long", "atoms.file: must be one repeat of the crystal along z, 5.43"),
        ("element", "atoms.file: the potential knows Si, not C"),
        ("away", "atoms.file: has no atom in the core"),
        ("at the edge", "regions: the atom of the file at .* lies where atoms follow the mesh"),
    ],
)
def test_what_does_not_fit_is_said(folder, what, message):
    with pytest.raises(multiscale.InputError, match=message):
        run(folder, f"bad {what}", "bgfc", wrong(ase.io.read(folder / "bgfc.extxyz"), what))


def test_files_that_are_no_atoms(folder):
    (folder / "text.xyz").write_text("no atoms\n")
    with pytest.raises(multiscale.InputError, match="cannot be read as atoms"):
        multiscale.run(folder / "case.yaml", folder / "text", {"atoms.file": folder / "text.xyz"}, quiet=True)
    with pytest.raises(multiscale.InputError, match=r"atoms\.file: no such file"):
        multiscale.run(folder / "case.yaml", folder / "none", {"atoms.file": "none.xyz"}, quiet=True)
    with pytest.raises(multiscale.InputError, match=r"^case\.yaml: regions\.core\.adaptive: must be false"):
        change = {"atoms.file": folder / "bgfc.extxyz", "regions.core.adaptive": True}
        change["geometry.crack"] = {"tip": [0, 0], "plane": "y"}
        multiscale.run(folder / "case.yaml", folder / "moving", change, quiet=True)


ALLOY = """
crystal: {structure: fcc, symbol: Cu}
potential: {type: eam, parameters: {file: FILE}}
geometry: {shape: disc, radius: 1.2 nm}
coupling: {scheme: atomistic}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0.005, 0], [0, 0, 0]], steps: 1}
output: {pictures: false}
"""


def test_an_atom_of_another_element_as_another_code_has_it(tmp_path):
    file, runs = str(made_up_alloy()), []
    (tmp_path / "case.yaml").write_text(ALLOY.replace("FILE", file))
    assert main(["atoms", str(tmp_path / "case.yaml"), "-o", str(tmp_path / "cu.extxyz")]) == 0
    start = ase.io.read(tmp_path / "cu.extxyz")
    for name, symbol in (("copper", "Cu"), ("aluminium", "Al")):
        start.symbols[middle(start)] = symbol
        runs.append(run(tmp_path, name, "atomistic", start))
    sums = []
    for atoms in (*(r.atoms() for r in runs), bulk("Cu", a=runs[0]["lattice_constant"])):
        atoms.calc = EAM(file)
        sums.append(atoms.get_potential_energy())
    found = energy(runs[1]) - energy(runs[0])
    assert found == pytest.approx(
        sums[1] - sums[0] + sums[2], abs=1e-4
    )  # tables are interpolated in two ways


BLOCK = """
crystal: {structure: fcc, symbol: Ar}
potential: {type: lennard-jones, parameters: {epsilon: 0.1, sigma: 2.4, cutoff: 5.0}}
geometry: {shape: block, size: [111.095, 54.621]}
regions: {core: {shape: box, size: [2.6 nm, 2.6 nm]}, blend: 0.9 nm}
load: {type: indent, shape: cylinder, radius: 10 nm, depth: {from: 0.02 nm, to: 0.06 nm, steps: 2}}
solver: {force_tolerance: 0.01 meV/Å, max_iterations: 2000}
output: {pictures: false, atoms: false}
"""
PLANE = """
crystal: {structure: fcc, symbol: Ar}
potential: {type: lennard-jones, parameters: {epsilon: 0.1, sigma: 2.4, cutoff: 5.0}}
geometry: {shape: disc, radius: 8 nm, crack: {tip: [0.2, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1.4 nm}, blend: 0.9 nm}
load: {type: k-field, mode: I, K: {from: 0.9, to: 0.9, steps: 1, unit: K_G}}
solver: {force_tolerance: 0.01 meV/Å, max_iterations: 2000}
output: {pictures: false, atoms: false}
"""


def missing(folder, changes, at):
    """What the atom nearest to `at` (x, y), Å, costs where it is taken out, eV in each step."""
    words = [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
    assert main(["atoms", str(folder / "case.yaml"), "-o", str(folder / "all.extxyz"), *words]) == 0
    atoms = ase.io.read(folder / "all.extxyz")
    del atoms[int(np.argmin(np.linalg.norm(atoms.positions[:, :2] - at, axis=1)))]
    whole = multiscale.run(folder / "case.yaml", folder / "whole", changes, quiet=True, force=True)
    less = run(folder, "less", changes.get("coupling.scheme", "bgfc"), atoms, **changes)
    assert whole.status == less.status == "done"
    return less.array("energy.total") - whole.array("energy.total")


def test_a_vacancy_under_an_indenter_is_the_atomistic_ones(tmp_path):
    found = {}
    for scheme in ("bgfc", "atomistic"):
        (tmp_path / scheme).mkdir()
        (tmp_path / scheme / "case.yaml").write_text(BLOCK)
        found[scheme] = missing(tmp_path / scheme, {"coupling.scheme": scheme}, (0.1, -6.0))
    assert found["bgfc"] == pytest.approx(found["atomistic"], abs=1e-3)
    assert np.diff(found["atomistic"])[0] == pytest.approx(np.diff(found["bgfc"])[0], rel=0.2)
    assert abs(np.diff(found["atomistic"])[0]) > 1e-3  # the indenter feels it


def test_a_vacancy_beside_a_cohesive_plane_costs_what_it_does_without_a_law(tmp_path):
    found = {}
    for law in ("none", "derive"):
        (tmp_path / law).mkdir()
        (tmp_path / law / "case.yaml").write_text(PLANE)
        found[law] = missing(tmp_path / law, {"interface.law": law}, (6.0, 3.0))
    assert found["derive"] == pytest.approx(found["none"], rel=5e-3) and found["none"][0] > 0.1
    with pytest.raises(multiscale.InputError, match=r"interface\.chi: must be 1, without fade"):
        missing(tmp_path / "derive", {"interface.law": "derive", "interface.chi": 0.5}, (6.0, 3.0))
