"""Reference tables: merging, deviations, and what is wrong with a table."""

import pytest

from nnp.reference import compared, read_reference, shipped_references

REPORT = {
    "structure": "fcc",
    "a": {"value": 4.0, "unit": "Å"},
    "surface": {"(100)": {"value": None, "unit": "J/m^2"}, "(110)": {"value": 0.1, "unit": "J/m^2"}},
}


def test_a_table_stands_beside_the_figures(tmp_path):
    path = tmp_path / "table.yaml"
    path.write_text(
        "source: all\na: 5\nsurface:\n  source: some\n  (100): 1\n  (110): {value: 0, source: one}\n"
    )
    found = compared(REPORT, read_reference(path))
    row = {"value": 4.0, "unit": "Å", "reference": 5.0, "deviation": pytest.approx(-0.2), "source": "all"}
    assert row == found["a"]
    assert found["surface"]["(100)"] == {"value": None, "unit": "J/m^2", "reference": 1.0, "source": "some"}
    assert found["surface"]["(110)"]["source"] == "one" and "deviation" not in found["surface"]["(110)"]
    assert REPORT["a"] == {"value": 4.0, "unit": "Å"}


@pytest.mark.parametrize(
    "text, message",
    [
        ("structure: bcc", "the reference is of bcc, the report of fcc"),
        ("surfaces: {}", "surfaces: the report has no such figure; did you mean 'surface'"),
        ("surface: {(11): 1}", r"surface.\(11\): the report has no such figure"),
        ("surface: 3", "surface: must hold names and numbers"),
        ("a: five", "a: must be a number or .* is 'five'"),
        ("- 1", "must hold names and numbers"),
        ("a: [", "line 1, column 5: not valid YAML"),
    ],
)
def test_tables_that_make_no_sense(tmp_path, text, message):
    path = tmp_path / "table.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        compared(REPORT, read_reference(path))


def test_every_shipped_table_has_sources():
    def figures(table, source):
        source = table.get("source", source)
        if "value" in table:
            yield source
            return
        for key, value in table.items():
            if key not in ("source", "symbol", "structure"):
                yield from figures(value, source) if isinstance(value, dict) else [source]

    assert shipped_references() == ["si"]
    for name in shipped_references():
        assert all(figures(read_reference(name), None))
