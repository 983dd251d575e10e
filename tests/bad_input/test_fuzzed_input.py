"""Whatever stands in a case or training file, it is taken or refused with one message; never a traceback."""

# ruff: noqa: E501

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multiscale.config import InputError, load_case, parse_case
from nnp.train.config import ConfigError, load_training
from nnp.yamlfile import YamlError, parse, write
from tests.bad_input.corpus import base, bases
from tests.bad_input.test_bad_training import GOOD

WORDS = st.sampled_from(
    ["", "tip", "nnp", "si", "Si", "true", "no", "~", "inf nm", "nan", "1 nm^(1/0)", "1e999 GPa", "3 nm", "-0", "K_G", "1 eV",
     "sqrt(sqrt(m", "𝟛 nm", "\u202e", "\x00", "a\nb", "../x", "/dev/null", "none.json", "{}", "[", "*a", "!!int", "%", "9" * 400]
)  # fmt: skip
NUMBERS = (
    st.sampled_from([0, -1, 1, 2, 10**18, 10**400, -(10**30), 1e-320, 1e308, -1e308, 0.5])
    | st.floats()
    | st.integers()
)
SCALARS = WORDS | NUMBERS | st.none() | st.booleans() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(tree, path=()):
    """Paths of all values in a tree."""
    yield path
    for key, inner in (
        tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    ):
        yield from places(inner, (*path, key))


def changed(tree, path, value, drop):
    """The tree with another value at a path, or without it."""
    if not path:
        return value
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    if drop and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(copy[path[0]], path[1:], value, drop)
    return copy


@st.composite
def mutated(draw, trees):
    """A good tree with up to three changes, one of which may be an unknown key."""
    tree = draw(st.sampled_from(trees))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(tree))[1:] or [()]))
        tree = changed(tree, path, draw(VALUES), draw(st.booleans()))
        if not isinstance(tree, dict):
            return tree
    if draw(st.booleans()):
        tree = {**tree, draw(WORDS): draw(VALUES)}
    return tree


CASES = [yaml.safe_load(base(name)) for name in bases()]


def one_line(error: Exception) -> None:
    text = str(error)
    assert text and "\n" not in text and "\x1b" not in text and "Traceback" not in text


@given(mutated(CASES))
@FUZZ
def test_a_mutated_case_is_taken_or_refused(tmp_path, tree):
    (tmp_path / "case.yaml").write_text(write(tree), encoding="utf-8", errors="replace")
    try:
        load_case(tmp_path / "case.yaml")
    except InputError as error:
        one_line(error)
        assert str(error).startswith("case.yaml: ")


@given(mutated([yaml.safe_load(GOOD)]))
@FUZZ
def test_a_mutated_training_file_is_taken_or_refused(tmp_path, tree):
    (tmp_path / "train.yaml").write_text(write(tree), encoding="utf-8", errors="replace")
    try:
        load_training(tmp_path / "train.yaml")
    except ConfigError as error:
        assert str(error)


@given(st.text(max_size=60), st.text(max_size=20))
@FUZZ
def test_any_override_is_taken_or_refused(key, value):
    try:
        parse_case(base("crack"), [f"{key}={value}"])
    except InputError as error:
        one_line(error)


@given(st.binary(max_size=300))
@FUZZ
def test_any_bytes_are_taken_or_refused(tmp_path, content):
    (tmp_path / "case.yaml").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_case(tmp_path / "case.yaml")
    one_line(caught.value)


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"%@`#,? \n\t\\0"), max_size=80))
@FUZZ
def test_any_text_is_yaml_or_refused(text):
    try:
        parse(text)
    except YamlError as error:
        assert "\n" not in str(error)


@given(VALUES)
@FUZZ
def test_what_is_written_reads_back(value):
    try:
        again = parse(write({"key": value}))
    except YamlError:
        return  # a key twice, a character that YAML has not
    assert isinstance(again, dict)


@given(
    st.lists(st.sampled_from(["{", "}", "[", "]", "a: ", "- ", "&x ", "*x", "\n", "  ", ", "]), max_size=400)
)
@FUZZ
def test_nesting_ends_in_a_message(parts):
    try:
        parse("".join(parts))
    except YamlError as error:
        assert "\n" not in str(error)
