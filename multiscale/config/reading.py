"""Build a dataclass from plain data, checking every value; errors name the dotted path."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from dataclasses import replace
from typing import Any

from multiscale.config import quantities
from multiscale.config.errors import InputError
from multiscale.config.spec import Spec, key_of, required, spec_of

_NO_SPEC = Spec("")
LARGEST = 1e12
"""Of a number without unit: beyond anything that can be meant."""


def read(kind: Any, raw: Any, path: str = "", spec: Spec = _NO_SPEC, bare: float | str = 1.0) -> Any:
    """The value of type `kind` that `raw` stands for. bare: internal units in one bare number, or the name of
    a relative unit. InputError where it does not fit."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return _read_union(typing.get_args(kind), raw, path, spec, bare)
    if dataclasses.is_dataclass(kind):
        return read_section(kind, raw, path)
    if typing.get_origin(kind) is tuple:
        return _read_list(typing.get_args(kind), raw, path, spec, bare)
    if typing.get_origin(kind) is dict:
        return _read_parameters(raw, path)
    if spec.unit_of:
        return _unit_name(raw, path, spec)
    value = _SCALARS[kind](raw, path, spec, bare)
    _check(value, raw, path, spec)
    return value


def read_section(kind: Any, raw: Any, path: str) -> Any:
    """A dataclass from a mapping; unknown and missing keys are errors, a key left empty has its default."""
    if not isinstance(raw, dict):
        raise InputError(path, f"must be a section (key: value), got {shown(raw)}")
    fields = {key_of(f): f for f in dataclasses.fields(kind)}
    for key in raw:
        if key not in fields:
            raise InputError(
                _join(path, key), f"unknown key{near(key, fields)}; allowed: {', '.join(fields)}"
            )
    hints = typing.get_type_hints(kind)
    values = {}
    for key, field in fields.items():
        if key in raw and (raw[key] is not None or required(field)):
            spec = spec_of(field)
            bare = _bare_unit(fields, raw, path, spec)
            values[field.name] = read(hints[field.name], raw[key], _join(path, key), spec, bare)
        elif required(field):
            raise InputError(_join(path, key), f"is missing; {spec_of(field).doc}")
    return kind(**values)


def _bare_unit(fields: dict[str, Any], raw: dict[str, Any], path: str, spec: Spec) -> float | str:
    """What a bare number counts, given by a sibling such as K.unit."""
    given = raw.get(spec.unit_key) if spec.unit_key else None
    if given is None or spec.unit_key is None:
        return 1.0
    unit_spec = spec_of(fields[spec.unit_key])
    if given in unit_spec.relative:
        return str(given)
    return _unit(given, _join(path, spec.unit_key), unit_spec).factor


def _unit(raw: Any, path: str, spec: Spec) -> quantities.Unit:
    assert spec.unit_of is not None
    dimension = quantities.DIMENSIONS[spec.unit_of]
    allowed = " or ".join((dimension.shown, *spec.relative))
    if not isinstance(raw, str):
        raise InputError(path, f"must be a unit of {dimension.name} such as {allowed}, got {shown(raw)}")
    try:
        unit = quantities.parse_unit(raw)
    except ValueError as error:
        raise InputError(path, f"{error}; write for example {allowed}") from None
    if unit.powers != dimension.powers:
        raise InputError(path, f"must be a unit of {dimension.name} such as {allowed}, got {shown(raw)}")
    return unit


def _unit_name(raw: Any, path: str, spec: Spec) -> str:
    """Values are converted while reading, so the unit that stays is the internal one."""
    if isinstance(raw, str) and raw in spec.relative:
        return raw
    _unit(raw, path, spec)
    assert spec.unit_of is not None
    return quantities.DIMENSIONS[spec.unit_of].internal


def _read_union(kinds: tuple[Any, ...], raw: Any, path: str, spec: Spec, bare: float | str) -> Any:
    if raw is None and type(None) in kinds:
        return None
    kinds = tuple(k for k in kinds if k is not type(None))
    if len(kinds) == 1:
        return read(kinds[0], raw, path, spec, bare)
    if dataclasses.is_dataclass(kinds[0]):
        return _read_tagged(kinds, raw, path)
    wanted = [k for k in kinds if (typing.get_origin(k) is tuple) == isinstance(raw, list)]
    inner = spec if not isinstance(raw, list) else replace(spec, choices=None)
    return read((wanted or kinds)[0], raw, path, inner, bare)


def _read_tagged(kinds: tuple[Any, ...], raw: Any, path: str) -> Any:
    """One of several dataclasses, told apart by the only choice of their field `type`."""
    if not isinstance(raw, dict):
        raise InputError(path, f"must be a section (key: value), got {shown(raw)}")
    table = {_tag(k): k for k in kinds}
    where, tag = _join(path, "type"), raw.get("type")
    if "type" not in raw:
        raise InputError(where, f"is missing; one of {', '.join(table)}")
    if not isinstance(tag, str) or tag not in table:
        raise InputError(where, f"must be one of {', '.join(table)}, got {shown(tag)}{near(tag, table)}")
    return read_section(table[tag], raw, path)


def _tag(kind: Any) -> str:
    choices = spec_of(next(f for f in dataclasses.fields(kind) if f.name == "type")).choices
    assert isinstance(choices, tuple)
    return str(choices[0])


def _read_list(kinds: tuple[Any, ...], raw: Any, path: str, spec: Spec, bare: float | str) -> tuple[Any, ...]:
    if not isinstance(raw, list):
        raise InputError(path, f"must be a list, got {shown(raw)}")
    if kinds[-1] is Ellipsis:
        if not raw:
            raise InputError(path, "must not be an empty list")
        kinds = (kinds[0],) * len(raw)
    if len(raw) != len(kinds):
        raise InputError(path, f"must have {len(kinds)} entries, got {len(raw)}: {shown(raw)}")
    return tuple(read(k, v, f"{path}[{n}]", spec, bare) for n, (k, v) in enumerate(zip(kinds, raw)))


def _read_parameters(raw: Any, path: str) -> dict[str, float | str]:
    """Free names with numbers, quantities or words."""
    if not isinstance(raw, dict):
        raise InputError(path, f"must be a section (name: value), got {shown(raw)}")
    return {key: _parameter(value, _join(path, key)) for key, value in raw.items()}


def _parameter(raw: Any, path: str) -> float | str:
    if not isinstance(raw, str):
        return _number(raw, path, _NO_SPEC, 1.0)
    try:
        value, unit = quantities.parse(raw)
    except ValueError:
        return raw
    return _number(value * unit.factor, path, _NO_SPEC, 1.0) if unit else raw


def _number(raw: Any, path: str, spec: Spec, bare: float | str) -> float:
    largest = quantities.DIMENSIONS[spec.dimension].largest if spec.dimension else LARGEST
    if isinstance(raw, str) and spec.dimension:
        value = _quantity(raw, path, spec.dimension, bare)
    elif isinstance(raw, bool) or not isinstance(raw, int | float):
        wanted = f"a {spec.dimension} such as {_example(spec.dimension)}" if spec.dimension else "a number"
        raise InputError(path, f"must be {wanted}, got {shown(raw)}")
    else:
        value = float(raw) * (bare if spec.dimension and isinstance(bare, float) else 1.0)
    if not math.isfinite(value):
        raise InputError(path, f"must be a finite number, got {shown(raw)}")
    if abs(value) > largest:
        most = quantities.to_text(largest, spec.dimension) if spec.dimension else f"{largest:g}"
        raise InputError(path, f"must be at most {most} in size, got {shown(raw)}")
    return value


def _quantity(raw: str, path: str, dimension: str, bare: float | str) -> float:
    if isinstance(bare, str):
        raise InputError(path, f"must be a bare number, since the unit is {bare}, got {raw}")
    try:
        return quantities.to_internal(raw, dimension, bare)
    except ValueError as error:
        hint = f"; write for example {_example(dimension)}" if "cannot read" in str(error) else ""
        raise InputError(path, f"{error}{hint}") from None


def _example(dimension: str) -> str:
    return f"3 {quantities.DIMENSIONS[dimension].shown}"


def _whole(raw: Any, path: str, spec: Spec, bare: float | str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw) or raw != int(raw):
        raise InputError(path, f"must be a whole number, got {shown(raw)}")
    if abs(raw) > LARGEST:
        raise InputError(path, f"must be at most {LARGEST:g} in size, got {shown(raw)}")
    return int(raw)


def _flag(raw: Any, path: str, spec: Spec, bare: float | str) -> bool:
    if not isinstance(raw, bool):
        raise InputError(path, f"must be true or false, got {shown(raw)}")
    return raw


def _text(raw: Any, path: str, spec: Spec, bare: float | str) -> str:
    if not isinstance(raw, str):
        what = f"one of {', '.join(map(str, spec.choices))}" if isinstance(spec.choices, tuple) else "text"
        hint = "; put it in quotes" if what == "text" and isinstance(raw, int | float) else ""
        raise InputError(path, f"must be {what}, got {shown(raw)}{hint}")
    return raw


_SCALARS = {float: _number, int: _whole, bool: _flag, str: _text}


def _check(value: Any, raw: Any, path: str, spec: Spec) -> None:
    """Choices that are known without imports, and bounds."""
    if isinstance(spec.choices, tuple) and value not in spec.choices:
        allowed = ", ".join(map(str, spec.choices))
        raise InputError(path, f"must be one of {allowed}, got {shown(raw)}{near(raw, spec.choices)}")
    if isinstance(value, str):
        return
    if spec.above is not None and not value > spec.above:
        bound = "positive" if spec.above == 0 else f"greater than {_bound(spec.above, spec)}"
        raise InputError(path, f"must be {bound}, got {shown(raw)}")
    if spec.at_least is not None and not value >= spec.at_least:
        raise InputError(path, f"must be at least {_bound(spec.at_least, spec)}, got {shown(raw)}")
    if spec.at_most is not None and not value <= spec.at_most:
        raise InputError(path, f"must be at most {_bound(spec.at_most, spec)}, got {shown(raw)}")


def _bound(value: float, spec: Spec) -> str:
    return quantities.to_text(value, spec.dimension) if spec.dimension and value else f"{value:g}"


def near(word: Any, allowed: typing.Iterable[Any]) -> str:
    """ "; did you mean …?" when an allowed word is close."""
    lower = {str(a).lower(): str(a) for a in allowed}
    match = difflib.get_close_matches(str(word).lower(), lower, n=1, cutoff=0.6)
    return f"; did you mean {lower[match[0]]}?" if match else ""


def shown(raw: Any) -> str:
    """A value as the user wrote it, on one line, cut when long."""
    if raw is None:
        return "nothing"
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, dict):
        text = "a section with " + (", ".join(map(str, list(raw)[:61])) or "nothing in it")
    elif isinstance(raw, list):
        text = "[" + ", ".join(shown(v) for v in raw[:61]) + "]"
    else:
        text = " ".join(str(raw).split()) or "an empty text"
    return text if len(text) <= 60 else text[:57] + "…"


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)
