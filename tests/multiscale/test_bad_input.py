"""Every kind of wrong input ends with exit code 2, one message and no traceback."""

# ruff: noqa: E501 (a row of a table is one line)

import pytest

from multiscale.cli import main

GOOD = """\
title: crack
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 40 nm, crack: {tip: [0, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 2.5 nm}, blend: 1 nm}
load: {type: k-field, mode: I, K: {from: 0.7, to: 1.4, steps: 15, unit: MPa*sqrt(m)}}
"""

# What is replaced in the good file, by what, and the message after "case.yaml: ".
REPLACED = [
    ("radius: 2.5 nm", "radius: -2 nm", "regions.core.radius: must be positive, got -2 nm"),
    ("radius: 2.5 nm", "radius: 0", "regions.core.radius: must be positive, got 0"),
    ("radius: 2.5 nm", "radius: 2.5 GPa", "regions.core.radius: must be a length, got 2.5 GPa (a stress)"),
    ("radius: 2.5 nm", "radius: 2.5 nmm", "regions.core.radius: unknown unit 'nmm', did you mean nm?"),
    ("radius: 2.5 nm", "radius: 2.5 nm/", "regions.core.radius: cannot read the unit 'nm/'"),
    ("radius: 2.5 nm", "radius: big", "regions.core.radius: cannot read 'big' as a number with a unit; write for example 3 nm"),
    ("radius: 2.5 nm", "radius: [1, 2]", "regions.core.radius: must be a length such as 3 nm, got [1, 2]"),
    ("radius: 2.5 nm", "radius: true", "regions.core.radius: must be a length such as 3 nm, got true"),
    ("radius: 2.5 nm", "radius: .nan", "regions.core.radius: must be a finite number, got nan"),
    ("radius: 40 nm", "radius: .inf", "geometry.radius: must be a finite number, got inf"),
    ("radius: 40 nm", "radius: inf nm", "geometry.radius: must be a finite number, got inf nm"),
    ("radius: 40 nm", "radius: 3 nm", "regions: core and blend reach 3.5 nm from the centre of the domain, whose geometry.radius is 3 nm"),
    ("radius: 40 nm", "raduis: 40 nm", "geometry.raduis: unknown key; did you mean radius?; allowed: shape, radius, size, tip, center, crack"),
    ("shape: disc, radius: 40 nm", "shape: disk, radius: 40 nm", "geometry.shape: must be one of disc, ball, block, plate, tip, got disk; did you mean disc?"),
    ("tip: [0, 0]", "tip: [0, 0, 0]", "geometry.crack.tip: must have 2 entries, got 3: [0, 0, 0]"),
    ("tip: [0, 0]", "tip: 0", "geometry.crack.tip: must be a list, got 0"),
    ("tip: [0, 0]", "tip: [50 nm, 0]", "geometry.crack.tip: must lie inside the domain of radius 40 nm, got [50 nm, 0 nm]"),
    ("tip: [0, 0]", "tip: [x, 0]", "geometry.crack.tip[0]: cannot read 'x' as a number with a unit; write for example 3 nm"),
    (", crack: {tip: [0, 0], plane: y}", "", "regions.core.center: is tip, but geometry.crack is not given"),
    ("center: tip", "center: top", "regions.core.center: must be one of tip, origin, got top; did you mean tip?"),
    ("core: {shape: disc, center: tip, radius: 2.5 nm}", "core: {shape: disc}", "regions.core.radius: is missing; a disc needs it"),
    ("center: tip, radius", "center: tip, size: [1, 1], radius", "regions.core.size: does not belong to a disc, which has a radius"),
    ("core: {shape: disc", "core: {shape: ball", "regions.core.shape: must be disc or box in a 2D domain, got ball"),
    ("core: {shape: disc, center: tip, radius: 2.5 nm}", "core: 3 nm", "regions.core: must be a section (key: value), got 3 nm"),
    ("regions:", "region:", "region: unknown key; did you mean regions?"),
    ("regions: {core: {shape: disc, center: tip, radius: 2.5 nm}, blend: 1 nm}\n", "", "regions: is missing; only coupling.scheme atomistic or continuum does without"),
    ("structure: diamond", "structure: dimond", "crystal.structure: must be one of sc, fcc, bcc, diamond, zincblende, rocksalt, triangular, got dimond; did you mean diamond?"),
    ("symbol: Si", "symbol: Sj", "crystal.symbol: 'Sj' is no chemical element"),
    ("symbol: Si", "symbol: [Si, C, Ge]", "crystal.symbol: diamond has 2 atoms in its basis, got 3"),
    ("symbol: Si", "symbol: Si, a: 5.43, a: 5.44", "line 2: the key 'a' is given twice, first in line 2"),
    ("x: [1, 1, -2]", "x: [1, 1, -1]", "crystal.orientation: x [1, 1, -1] and y [1, 1, 1] must be orthogonal"),
    ("z: [1, -1, 0]", "z: [-1, 1, 0]", "crystal.orientation: x, y, z are left-handed; change the sign of one"),
    ("z: [1, -1, 0]", "z: [0, 0, 0]", "crystal.orientation.z: must be a direction, got [0, 0, 0]"),
    ("x: [1, 1, -2]", "x: [1, 1.5, -2]", "crystal.orientation.x[1]: must be a whole number, got 1.5"),
    (", z: [1, -1, 0]", "", "crystal.orientation.z: is missing;"),
    ("type: stillinger-weber", "type: nnp", "potential.model: is missing; type nnp needs a shipped model's name or a path"),
    ("type: stillinger-weber", "type: nnp, model: ./none.safetensors", "potential.model: no such file: ./none.safetensors"),
    ("type: stillinger-weber", "type: stilinger-weber", "potential.type: must be one of "),
    ("type: stillinger-weber", "type: ase, cutoff: 5 Å", "potential.calculator: is missing"),
    ("type: stillinger-weber", "type: ase, calculator: ase.calculators.emt.EMT", "potential.cutoff: is missing"),
    ("type: stillinger-weber", "type: ase, calculator: ase.calculators.emt.EMT, cutoff: 5 Å", "coupling.scheme: bgfc needs site energies"),
    ("type: stillinger-weber", "type: stillinger-weber, cutoff: 5 Å", "potential.cutoff: belongs to type ase"),
    ("title: crack", "continuum: {law: neural, model: none.safetensors}", "continuum.model: no such file: none.safetensors"),
    ("title: crack", "continuum: {law: neo-hookean, young: -1 GPa}", "continuum.young: must be positive, got -1 GPa"),
    ("title: crack", "continuum: {law: linear, young: 3 GPa}", "continuum: law linear takes no 'young'"),
    ("type: k-field", "type: k-filed", "load.type: must be one of k-field, strain, indent, opening, tip, got k-filed; did you mean k-field?"),
    ("type: k-field, ", "", "load.type: is missing; one of k-field, strain, indent"),
    ("mode: I,", "mode: IV,", "load.mode: must be one of I, II, III, got IV"),
    ("mode: I,", "mode: 1,", "load.mode: must be one of I, II, III, got 1"),
    ("from: 0.7", "from: 1.4", "load.K.steps: must be 1 when from and to are equal, got 15"),
    ("from: 0.7", "from: -0.7", "load.K.from: must not be negative in mode I"),
    ("from: 0.7", "from: 0.7 GPa", "load.K.from: must be a stress intensity, got 0.7 GPa (a stress)"),
    ("steps: 15", "steps: 15, return_to: 0.5", "load.K.return_to: needs return: true"),
    ("steps: 15", "steps: 15, return: true, return_to: 3", "load.K.return_to: must lie before the last value"),
    ("steps: 15", "steps: 15, return: true, return_to: -0.3", "load.K.return_to: must not be negative in mode I"),
    ("steps: 15", "steps: 0", "load.K.steps: must be at least 1, got 0"),
    ("steps: 15", "steps: 1", "load.K.steps: must be at least 2 to go from one value to another, got 1"),
    ("steps: 15", "steps: many", "load.K.steps: must be a whole number, got many"),
    ("unit: MPa*sqrt(m)", "unit: GPa", "load.K.unit: must be a unit of stress intensity such as MPa*sqrt(m) or K_G, got GPa"),
    ("unit: MPa*sqrt(m)", "unit: MPa*sqrt(n)", "load.K.unit: unknown unit 'n'"),
    ("from: 0.7, to: 1.4, steps: 15, unit: MPa*sqrt(m)", "from: 1 GPa*m^0.5, to: 2, steps: 3, unit: K_G", "load.K.from: must be a bare number, since the unit is K_G, got 1 GPa*m^0.5"),
    ("K: {from: 0.7, to: 1.4, steps: 15, unit: MPa*sqrt(m)}", "K: 0.7", "load.K: must be a section (key: value), got 0.7"),
    ("title: crack", "title: 7", "title: must be text, got 7; put it in quotes"),
    ("title: crack", "title: [a", "line 2, column 8: not valid YAML: "),
    ("title: crack", "title: crack\n\tx: 1", "line 2, column 1: not valid YAML: a tab; indent with spaces"),
    ("title: crack", "title: crack\ntitle: again", "line 2: the key 'title' is given twice, first in line 1"),
    ("title: crack", "7: crack", "line 1: keys are words, got 7"),
    ("title: crack", "title: !!python/object:os.system x", "line 1, column 8: not valid YAML: "),
    ("title: crack", "coupling: {scheme: bqcc}", "coupling.scheme: must be one of "),
    ("title: crack", "continuum: {law: hooke}", "continuum.law: must be one of "),
    ("title: crack", "continuum: {degree: 3}", "continuum.degree: must be one of 1, 2, got 3"),
    ("title: crack", "continuum: {mesh: {growth: 1}}", "continuum.mesh.growth: must be greater than 1, got 1"),
    ("title: crack", "continuum: {mesh: {h: 1 nm, h_max: 5 Å}}", "continuum.mesh.h_max: must be at least h = 1 nm, got 0.5 nm"),
    ("title: crack", "continuum: {mesh: {file: no.msh}}", "continuum.mesh.file: no such file: no.msh"),
    ("title: crack", "output: {pictures: yes}", "output.pictures: must be true or false, got yes"),
    ("title: crack", "solver: {force_tolerance: 1 meV}", "solver.force_tolerance: must be a force, got 1 meV (an energy)"),
    ("title: crack", "interface: {law: drive}", "interface.law: must be one of none, derive, uber, xu-needleman, ppr, or the path of a law file ending in .json, got drive; did you mean derive?"),
    ("title: crack", "interface: {law: none.json}", "interface.law: no such file: none.json"),
    ("title: crack", "interface: {law: derive, where: behind}", "interface.where: must be one of ahead, plane, got behind"),
    ("title: crack", "interface: {law: derive, stiffness_ratio: 1}", "interface.stiffness_ratio: must be greater than 1, got 1"),
    ("title: crack", "continuum: {mesh: {interface_h: 3 Å}}", "continuum.mesh.interface_h: needs a cohesive surface; set interface.law"),
    ("title: crack", "solver: {on_failure: ignore}", "solver.on_failure: must be one of stop, continue, got ignore"),
]  # fmt: skip

# A whole other file, and the message after "case.yaml: ".
WHOLE = [
    ("", "is empty; `multiscale init fracture` writes one to start from"),
    ("# nothing yet\n", "is empty"),
    ("- crystal\n- potential\n", "must be a mapping of sections such as crystal and load, got [crystal, potential]"),
    ("crack", "must be a mapping of sections such as crystal and load, got crack"),
    ("title: only a title\n", "crystal: is missing; the perfect crystal"),
    (b"\xff\xfe\x00title", "is not a text file in UTF-8"),
    ("a: 1\n--- \nb: 2\n", "line 2, column 1: not valid YAML: "),
]  # fmt: skip

OVERRIDES = [
    ("regions.core.radius", "command line: --set wants key.path=value, got 'regions.core.radius'"),
    ("regions..radius=1", "command line: --set wants key.path=value"),
    ("title.x=1", "command line: title: is no section, so --set title.x cannot reach into it"),
    ("title=[1", "command line: title: line 1, column 3: not valid YAML"),
    ("regions.core.radius=-3nm", "case.yaml: regions.core.radius: must be positive, got -3nm"),
    ("load={type: strain, gradient: [[0, 0], [0, 0]]}", "case.yaml: load.gradient: must have 3 entries, got 2"),
    ("load={type: strain, gradient: [[-2, 0, 0], [0, 0, 0], [0, 0, 0]]}", "case.yaml: load.gradient: must leave"),
]  # fmt: skip


def checked(capsys, *arguments):
    """Exit code and the one message on the error stream."""
    code = main(["check", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err and out == ""
    return code, err


@pytest.fixture(autouse=True)
def clean_folder(tmp_path, monkeypatch):
    """Nothing may be left behind beside the case file."""
    monkeypatch.chdir(tmp_path)
    yield
    assert {p.name for p in tmp_path.iterdir()} <= {"case.yaml"}


@pytest.mark.parametrize(("old", "new", "message"), REPLACED)
def test_a_wrong_value(tmp_path, capsys, old, new, message):
    assert GOOD.count(old) == 1 or old.startswith("shape"), "the table does not fit the good file"
    (tmp_path / "case.yaml").write_text(GOOD.replace(old, new, 1))
    code, err = checked(capsys, "case.yaml")
    assert code == 2
    assert err.startswith(f"case.yaml: {message}") and err.count("\n") == 1


@pytest.mark.parametrize(("content", "message"), WHOLE)
def test_a_wrong_file(tmp_path, capsys, content, message):
    (tmp_path / "case.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    code, err = checked(capsys, "case.yaml")
    assert code == 2 and err.startswith(f"case.yaml: {message}") and err.count("\n") == 1


@pytest.mark.parametrize(("override", "message"), OVERRIDES)
def test_a_wrong_override(tmp_path, capsys, override, message):
    (tmp_path / "case.yaml").write_text(GOOD)
    code, err = checked(capsys, "case.yaml", "--set", override)
    assert code == 2 and err.startswith(message) and err.count("\n") == 1


def test_a_blend_thinner_than_the_crystal_allows(tmp_path, capsys):
    text = GOOD.replace("blend: 1 nm", "blend: 0.5 nm").replace("symbol: Si", "symbol: Si, a: 5.43")
    (tmp_path / "case.yaml").write_text(text)
    code, err = checked(capsys, "case.yaml")
    assert code == 2 and err == (
        "case.yaml: regions.blend: must be at least 3 lattice spacings = 0.7054 nm, got 0.5 nm\n"
    )


def test_a_k_field_needs_a_crack(tmp_path, capsys):
    text = GOOD.replace(", crack: {tip: [0, 0], plane: y}", "").replace("center: tip, ", "")
    (tmp_path / "case.yaml").write_text(text)
    code, err = checked(capsys, "case.yaml")
    assert code == 2 and err == "case.yaml: geometry.crack: is missing; load.type k-field needs a crack\n"


def test_a_cohesive_surface_needs_a_crack_plane(tmp_path, capsys):
    text = GOOD.replace(", crack: {tip: [0, 0], plane: y}", "").replace("center: tip, ", "")
    load = "load: {type: strain, gradient: [[0, 0, 0], [0, 0.01, 0], [0, 0, 0]]}\ninterface: {law: derive}\n"
    (tmp_path / "case.yaml").write_text(text[: text.index("load:")] + load)
    code, err = checked(capsys, "case.yaml")
    message = "must be none without geometry.crack, whose plane the surface follows"
    assert code == 2 and err == f"case.yaml: interface.law: {message}\n"


@pytest.mark.parametrize(("name", "message"), [("none.yaml", "no such file"), (".", "is a folder")])
def test_no_case_file(capsys, name, message):
    code, err = checked(capsys, name)
    assert code == 2 and err.startswith(f"{name}: {message}") and err.count("\n") == 1
