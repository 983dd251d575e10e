"""JSON schema of the case file, from the dataclasses, for editors that complete and check as one types."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from multiscale.config import quantities
from multiscale.config.case import Case
from multiscale.config.spec import Spec, key_of, required, spec_of
from multiscale.config.writing import to_data

_SCALARS = {float: "number", int: "integer", bool: "boolean", str: "string"}
_QUANTITY = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*.*$"


def json_schema() -> dict[str, Any]:
    """The schema, JSON Schema draft 2020-12."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "multiscale case file"}
    return head | section_schema(Case)


def section_schema(kind: Any) -> dict[str, Any]:
    """Schema of one dataclass: its keys, which are required, and nothing else allowed."""
    fields, hints = dataclasses.fields(kind), typing.get_type_hints(kind)
    return {
        "type": "object",
        "properties": {key_of(f): _field(f, hints[f.name]) for f in fields},
        "required": [key_of(f) for f in fields if required(f)],
        "additionalProperties": False,
    }


def _field(field: dataclasses.Field[Any], kind: Any) -> dict[str, Any]:
    spec = spec_of(field)
    text = spec.doc
    if spec.dimension and not spec.unit_key:
        text += f" ({spec.dimension}; a bare number is in {quantities.DIMENSIONS[spec.dimension].internal})"
    out: dict[str, Any] = {"description": text} | _kind(kind, spec)
    if not required(field):
        out["default"] = default_of(field)
    return out


def default_of(field: dataclasses.Field[Any]) -> Any:
    """The default as it is written in a case file."""
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
        return to_data(value) if dataclasses.is_dataclass(value) else value
    spec, value = spec_of(field), field.default
    if isinstance(value, float) and spec.dimension:
        return quantities.to_text(value, spec.dimension)
    return list(value) if isinstance(value, tuple) else value


def _kind(kind: Any, spec: Spec) -> dict[str, Any]:
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return {"anyOf": [_kind(k, spec) for k in typing.get_args(kind)]}
    if kind is type(None):
        return {"type": "null"}
    if dataclasses.is_dataclass(kind):
        return section_schema(kind)
    if typing.get_origin(kind) is tuple:
        return _array(typing.get_args(kind), dataclasses.replace(spec, choices=None))
    if typing.get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": {"type": ["number", "string"]}}
    return _scalar(kind, spec)


def _array(kinds: tuple[Any, ...], spec: Spec) -> dict[str, Any]:
    array: dict[str, Any] = {"type": "array", "items": _kind(kinds[0], spec)}
    size = {"minItems": 1} if kinds[-1] is Ellipsis else {"minItems": len(kinds), "maxItems": len(kinds)}
    return array | size


def _scalar(kind: Any, spec: Spec) -> dict[str, Any]:
    if spec.choices is not None:
        return {"enum": list(spec.choices() if callable(spec.choices) else spec.choices)}
    plain: dict[str, Any] = {"type": _SCALARS[kind]}
    if kind is not str and spec.above is not None:
        plain["exclusiveMinimum"] = spec.above
    if kind is not str and spec.at_least is not None:
        plain["minimum"] = spec.at_least
    if kind is not str and spec.at_most is not None:
        plain["maximum"] = spec.at_most
    if kind is float and spec.dimension:
        return {"anyOf": [plain, {"type": "string", "pattern": _QUANTITY}]}
    return plain
