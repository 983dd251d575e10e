"""Case files: units, defaults, overrides, the resolved copy, schema and templates."""

import json
import math

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiscale.config import Case, InputError, case_hash, check_blend, load_case, parse_case, to_yaml, yamlio
from multiscale.config.case import (
    CouplingConfig,
    CrackConfig,
    GeometryConfig,
    OutputConfig,
    PotentialConfig,
    RegionsConfig,
    ShapeConfig,
    SolverConfig,
)
from multiscale.config.crystal import CrystalConfig, Orientation
from multiscale.config.loads import K_UNIT, KFieldLoad, KRange, StopConfig, StrainLoad
from multiscale.config.quantities import DIMENSIONS, to_internal, to_text
from multiscale.config.schema import json_schema
from multiscale.config.template import TEMPLATES, template

CRACK = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 40 nm, crack: {tip: [0, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 2.5 nm}, blend: 1 nm}
load: {type: k-field, mode: I, K: {from: 0.7, to: 1.4, steps: 15, unit: MPa*sqrt(m)}}
"""

# 1 eV/Å³ = 160.2176634 GPa by the definition of the electronvolt (SI 2019), and what follows from it.
KNOWN = [
    ("40 nm", "length", 400.0),
    ("1 bohr", "length", 0.529177210),
    ("160.2176634 GPa", "stress", 1.0),
    ("1602176.634 bar", "stress", None),
    ("1 MPa*sqrt(m)", "stress intensity", 0.6241509074),
    ("1 MPa √m", "stress intensity", 0.6241509074),
    ("1e3 kPa m^(1/2)", "stress intensity", 0.6241509074),
    ("1 GPa·nm**0.5", "stress intensity", 0.6241509074e-2 * math.sqrt(10.0)),
    ("1 meV/Å", "force", 1e-3),
    ("1.602176634 nN", "force", 1.0),
    ("16.02176634 J/m^2", "surface energy", 1.0),
    ("1 fs", "time", 0.09822694788),
    ("1 Å*sqrt(amu/eV)", "time", 1.0),
    ("27.211386 eV", "energy", 27.211386),
    ("-1.5e-3 µm", "length", -15.0),
]


@pytest.mark.parametrize(("text", "dimension", "value"), KNOWN)
def test_quantities_are_converted_to_internal_units(text, dimension, value):
    if value is None:
        with pytest.raises(ValueError, match="unknown unit 'bar'"):
            to_internal(text, dimension)
    else:
        assert to_internal(text, dimension) == pytest.approx(value, rel=2e-8)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(sorted(DIMENSIONS)))
def test_quantities_written_as_text_read_back_exactly(value, dimension):
    assert to_internal(to_text(value, dimension), dimension) == value


def test_a_case_is_in_internal_units_with_defaults_filled_in():
    case = parse_case(CRACK)
    assert case.geometry.radius == 400.0 and case.regions.core.radius == 25.0
    assert case.load.K.start == pytest.approx(0.7 * 0.6241509074, rel=2e-8)
    assert len(case.load.K.upward()) == 15 and case.load.K.upward()[-1] == case.load.K.end
    assert (case.coupling.scheme, case.continuum.law, case.continuum.degree) == ("bgfc", "elastic-series", 1)
    assert case.solver.force_tolerance == 1e-3


def test_k_comes_in_units_of_the_griffith_value_and_goes_back_down():
    case = parse_case(CRACK, ["load.K={from: 0.9, to: 1.2, steps: 4, unit: K_G, return: true}"])
    assert case.load.K.relative
    assert case.load.K.upward() == pytest.approx([0.9, 1.0, 1.1, 1.2])
    assert case.load.K.back and case.load.K.floor == 0.9


def test_bare_numbers_are_internal_units_and_values_may_bring_their_own():
    case = parse_case(CRACK, ["geometry.radius=321", "load.K={from: 0.5, to: 1 MPa*sqrt(m), steps: 2}"])
    assert case.geometry.radius == 321.0
    assert case.load.K.start == 0.5 and case.load.K.end == pytest.approx(0.6241509074, rel=2e-8)


def test_overrides_are_yaml_and_make_the_sections_they_need():
    overrides = ["regions.core.radius=3nm", "output.pictures=false", "crystal.symbol=[C, Si]", "title="]
    case = parse_case(CRACK.replace("diamond", "zincblende"), overrides)
    assert case.regions.core.radius == 30.0 and case.output == OutputConfig(pictures=False)
    assert case.crystal.symbol == ("C", "Si") and case.title == ""


def test_words_of_yaml_1_1_are_text_and_exponents_are_numbers():
    case = parse_case(CRACK + "title: no\nsolver: {force_tolerance: 1e-4}\n")
    assert case.title == "no" and case.solver.force_tolerance == 1e-4


def test_the_narrowest_blend_follows_from_the_lattice_constant():
    check_blend(parse_case(CRACK), 5.43)  # three bonds of 2.351 Å are 7.05 Å
    with pytest.raises(InputError, match=r"regions\.blend: must be at least 3 lattice spacings = 0\.7054 nm"):
        check_blend(parse_case(CRACK, ["regions.blend=7 Å"]), 5.43)


def test_file_names_are_relative_to_the_case_file(tmp_path):
    (tmp_path / "plate.msh").write_text("")
    (tmp_path / "case.yaml").write_text(CRACK + "continuum: {mesh: {file: plate.msh}}\n")
    case = load_case(tmp_path / "case.yaml", registries=False)
    assert case.continuum.mesh.file == str(tmp_path / "plate.msh")


lengths = st.floats(1e-3, 1e6)
numbers = st.floats(-1e3, 1e3)


@st.composite
def cases(draw):
    radius = draw(lengths)
    core, blend = draw(st.floats(0.01, 0.4)) * radius, draw(st.floats(0.01, 0.3)) * radius
    tip = (draw(st.floats(-0.1, 0.1)) * radius, draw(st.floats(-0.1, 0.1)) * radius)
    crack = draw(st.sampled_from([None, CrackConfig(tip)]))
    box = draw(st.booleans())
    shape = ShapeConfig("box", (0.0, 0.0), size=(core, core)) if box else ShapeConfig("disc", "origin", core)
    strain = StrainLoad("strain", draw(st.tuples(*[st.tuples(*[st.floats(-0.2, 0.2)] * 3)] * 3)), draw(steps))
    return Case(
        title=draw(st.text()),
        crystal=CrystalConfig("fcc", "Ni", orientation=draw(st.sampled_from([None, ORIENTATION]))),
        potential=PotentialConfig("lennard-jones", parameters=draw(parameters)),
        geometry=GeometryConfig("disc", radius, crack=crack),
        regions=RegionsConfig(shape, blend),
        coupling=CouplingConfig(mask=draw(st.sampled_from(["cubic", "quintic"]))),
        load=draw(k_loads) if crack else strain,
        solver=SolverConfig(force_tolerance=draw(st.floats(1e-9, 1.0)), on_failure="continue"),
        output=OutputConfig(every=draw(st.integers(1, 1000)), atoms=draw(st.booleans())),
    )


ORIENTATION = Orientation((1, 1, -2), (1, 1, 1), (1, -1, 0))
steps = st.integers(1, 100)
words = st.text(st.characters(codec="ascii", exclude_characters="0123456789"), min_size=1)
parameters = st.dictionaries(st.text(min_size=1), numbers | words, max_size=3)
k_ranges = st.builds(
    KRange, st.floats(0.0, 2.0), st.floats(2.5, 5.0), st.integers(2, 50), st.sampled_from(["K_G", K_UNIT]),
    st.booleans(),
)  # fmt: skip
k_loads = st.builds(
    KFieldLoad, type=st.just("k-field"), mode=st.sampled_from(["I", "II"]), K=k_ranges,
    stop=st.builds(StopConfig, st.none() | lengths),
)  # fmt: skip


@given(cases())
@settings(max_examples=150, deadline=None)
def test_the_resolved_copy_reads_back_as_the_same_case(case):
    text = to_yaml(case)
    again = parse_case(text)
    assert again == case and case_hash(again) == case_hash(case)


def test_the_hash_is_of_the_case_and_not_of_its_spelling():
    spelled = CRACK.replace("40 nm", "400 Å").replace("2.5 nm", "25") + "coupling: {scheme: bgfc}\n"
    assert case_hash(parse_case(spelled)) == case_hash(parse_case(CRACK))
    assert case_hash(parse_case(CRACK, ["geometry.radius=41nm"])) != case_hash(parse_case(CRACK))


@pytest.fixture(scope="module")
def schema():
    schema = json.loads(json.dumps(json_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def test_the_schema_accepts_what_the_reader_accepts(schema):
    jsonschema.validate(yamlio.parse(CRACK), schema)
    jsonschema.validate(yamlio.parse(to_yaml(parse_case(CRACK))), schema)


@pytest.mark.parametrize(
    "override",
    ["geometry.radius=-1", "geometry.raduis=1", "load.K.steps=0", "continuum.law=lienar", "coupling.mask=1",
     "crystal.orientation.x=[1, 1]", "output.pictures=maybe"],
)  # fmt: skip
def test_the_schema_refuses_what_the_reader_refuses(schema, override):
    from multiscale.config.loading import apply_override
    from multiscale.config.reading import read_section
    from multiscale.config.validate import check_names

    data = yamlio.parse(CRACK)
    apply_override(data, override)
    with pytest.raises(InputError):
        check_names(read_section(Case, data, ""))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_valid_and_say_what_every_key_means(name, schema):
    text = template(name)
    given = parse_case(text)
    jsonschema.validate(yamlio.parse(text), schema)
    # With every commented default taken in, the case is still the same.
    head, body = text.split("\n\n", 1)
    assert "title:" in head and all("#" in line for line in body.splitlines() if line)
    optional = ("interface:", "  law: none", "output:", "  every: 1", "  pictures: true", "  atoms: true")
    for line in optional:
        assert f"# {line}" in body
        body = body.replace(f"# {line}", line)
    assert parse_case(f"{head}\n{body}") == given
