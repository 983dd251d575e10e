"""The page of the case file: every key with its unit, default, allowed values and an example, from the dataclasses."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generate.tables import code, plain, table
from multiscale.config import yamlio
from multiscale.config.case import Case
from multiscale.config.loads import LOADS
from multiscale.config.quantities import DIMENSIONS
from multiscale.config.schema import default_of
from multiscale.config.spec import Spec, key_of, required, spec_of

ROOT = Path(__file__).resolve().parents[2]
_HEAD = """\
# The case file, key by key

Made from the classes that the program reads the case into; `multiscale schema` prints the same as JSON schema for
editors, and `multiscale init fracture` a commented case to start from. Unknown keys are errors. A key that is left
out, or left empty, has its default; the copy `case.yaml` in the output folder has every key written out.

Quantities may carry a unit, `3 nm`, `150 GPa`, `1.2 MPa*sqrt(m)`, `1 meV/Å`; a bare number counts
the unit that the tables name:

{units}

Examples are taken from the shipped cases where one of them has the key.

{index}
"""
_TYPES = {float: "number", int: "whole number", bool: "true or false", str: "text"}
_SYNTHETIC = {
    "length": "1 nm",
    "stress": "150 GPa",
    "force": "1 meV/Å",
    "stress intensity": "0.5 MPa*sqrt(m)",
    "surface energy": "1 J/m^2",
}


@dataclass(frozen=True)
class Key:
    """One key. path: dotted; kind: what it takes, in words; default: None where it is required."""

    path: str
    name: str
    doc: str
    kind: str
    unit: str
    default: str | None
    example: str
    section: Any = None


@dataclass(frozen=True)
class Section:
    """One mapping of the case file. tag: the `type` that chooses it, for loads."""

    path: str
    tag: str
    doc: str
    kind: Any
    keys: tuple[Key, ...]

    @property
    def title(self) -> str:
        return f"{self.path}, type {self.tag}" if self.tag else self.path


def page() -> str:
    units = table(
        ("quantity", "a bare number counts"), ((d.name, code(d.internal)) for d in DIMENSIONS.values())
    )
    found = list(sections())
    index = "Sections: " + ", ".join(f"[{s.title or 'top'}](#{_anchor(s)})" for s in found) + "."
    return _HEAD.format(units=units, index=index) + "\n".join(map(_section, found))


def _section(section: Section) -> str:
    rows = [
        (
            code(k.name),
            k.kind + (f" ({k.unit})" if k.unit else ""),
            "required" if k.default is None else code(k.default),
            code(k.example),
            plain(k.doc),
        )
        for k in section.keys
    ]
    head = ("key", "takes (bare numbers in)", "default", "example", "meaning")
    title = f"`{section.title}`" if section.path else "The top"
    return f"({_anchor(section)})=\n## {title}\n\n{plain(section.doc)}\n\n{table(head, rows)}\n"


def _anchor(section: Section) -> str:
    return "case-" + (section.title.replace(", type ", "-type-").replace(".", "-") or "top")


def sections() -> Iterator[Section]:
    """All sections, outer ones first."""
    found = _walk(Case, "", "", "What a case consists of, in this order.")
    yield from {(s.path, s.tag): s for s in found}.values()  # several loads have the same section `stop`


def _walk(kind: Any, path: str, tag: str, doc: str) -> Iterator[Section]:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    yield Section(path, tag, doc, kind, tuple(_key(f, hints[f.name], path, tag) for f in fields))
    for field in fields:
        inner = [k for k in _members(hints[field.name]) if dataclasses.is_dataclass(k)]
        where = f"{path}.{key_of(field)}" if path else key_of(field)
        for one in inner:
            choice = next((t for t, k in LOADS.items() if k is one), "") if len(inner) > 1 else ""
            text = (one.__doc__ or "").split("\n")[0] if choice else spec_of(field).doc
            if where == "interface.upper":
                yield Section(where, "", f"{text}. Its keys are those of crystal", one, ())
            else:
                yield from _walk(one, where, choice, text[:1].upper() + text[1:].rstrip(".") + ".")


def _members(kind: Any) -> tuple[Any, ...]:
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return tuple(k for k in typing.get_args(kind) if k is not type(None))
    return (kind,)


def _key(field: dataclasses.Field[Any], kind: Any, path: str, tag: str) -> Key:
    spec, name = spec_of(field), key_of(field)
    where = f"{path}.{name}" if path else name
    section = any(dataclasses.is_dataclass(k) for k in _members(kind))
    default = None if required(field) else yamlio.in_line(default_of(field))
    if section and default not in (None, "null"):
        default = "{}"
    example = _shown(_example(where, tag)) or _NAMES.get(where) or _synthetic(kind, spec, default, section)
    return Key(where, name, spec.doc, _kind(kind, spec), _unit(spec), default, example)


def _unit(spec: Spec) -> str:
    if spec.unit_key:
        return f"as `{spec.unit_key}` says"
    return code(DIMENSIONS[spec.dimension].internal) if spec.dimension else ""


def _kind(kind: Any, spec: Spec) -> str:
    if spec.choices is not None:
        words = spec.choices() if callable(spec.choices) else spec.choices
        listed = " ".join(code(str(w)) for w in words)
        more = [k for k in _members(kind) if typing.get_origin(k) is tuple]
        return listed + (" or " + _kind(more[0], dataclasses.replace(spec, choices=None)) if more else "")
    return " or ".join(dict.fromkeys(_one(k, spec) for k in _members(kind))) + _bounds(spec)


def _one(kind: Any, spec: Spec) -> str:
    if dataclasses.is_dataclass(kind):
        return "section"
    if typing.get_origin(kind) is dict:
        return "names with numbers or text"
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)
        if inner[-1] is Ellipsis:
            return f"list of {_plural(_one(inner[0], spec))}"
        return f"{len(inner)} {_plural(_one(inner[0], spec))}"
    return "unit" if spec.unit_of else spec.dimension or _TYPES[kind]


def _plural(word: str) -> str:
    return f"times {word}" if word[0].isdigit() else word + ("s" if word != "text" else "")


def _bounds(spec: Spec) -> str:
    if spec.above is not None:
        return f", above {spec.above:g}"
    return "" if spec.at_least is None else f", at least {spec.at_least:g}"


def _cases() -> list[dict[str, Any]]:
    folders = ("multiscale/templates", "examples/fracture", "examples/contact")
    files = [f for folder in folders for f in sorted((ROOT / folder).glob("*.yaml"), reverse=True)]
    return [yamlio.parse(f.read_text(encoding="utf-8")) for f in files]


_CASES = _cases()


def _example(path: str, tag: str) -> Any:
    """The value that a shipped case has at this place; None where none has."""
    for case in _CASES:
        value: Any = case
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and (not tag or case["load"]["type"] == tag):
            return value
    return None


def _shown(value: Any) -> str:
    """On one line; sections too long for a table are left out."""
    text = "" if value is None else yamlio.in_line(value)
    return text if len(text) <= 60 else ""


_NAMES = {
    "crystal.a": "5.431 Å",
    "potential.calculator": "ase.calculators.emt.EMT",
    "potential.cutoff": "6 Å",
    "potential.model": "si",
    "continuum.model": "law.safetensors",
    "continuum.mesh.file": "plate.msh",
    "interface.law": "derive",
    "title": "Mode-I crack in silicon",
}


def _synthetic(kind: Any, spec: Spec, default: str | None, section: bool) -> str:
    """An example where no shipped case has one."""
    if section:
        return ""
    if default not in (None, "null", "{}"):
        return str(default)
    if spec.choices is not None:
        return str((spec.choices() if callable(spec.choices) else spec.choices)[0])
    return _value(_members(kind)[0], spec)


def _value(kind: Any, spec: Spec) -> str:
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)
        count = 2 if inner[-1] is Ellipsis else len(inner)
        return "[" + ", ".join([_value(inner[0], spec)] * count) + "]"
    if typing.get_origin(kind) is dict:
        return "{epsilon: 0.0104}"
    if spec.dimension:
        return _SYNTHETIC[spec.dimension]
    return {float: "0.25", int: "2", bool: "true", str: "name"}[kind]
