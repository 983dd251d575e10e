"""What a field of the case file may hold: one description for reader, schema, templates and documentation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Names = tuple[str | int, ...] | Callable[[], tuple[str, ...]]


@dataclass(frozen=True)
class Spec:
    """doc: one line. dimension: key of quantities.DIMENSIONS. choices: allowed words, or a function that
    looks them up in a registry (called last, since registries import much). above, at_least, at_most: bounds,
    in internal units. key: name in the file where it differs from the attribute. unit_key: the sibling that
    gives the unit of a bare number. unit_of: this field is such a unit, of that dimension. relative: units
    that are no dimension but a multiple of something computed later."""

    doc: str
    dimension: str | None = None
    choices: Names | None = None
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    key: str | None = None
    unit_key: str | None = None
    unit_of: str | None = None
    relative: tuple[str, ...] = ()


def item(doc: str, default: Any = dataclasses.MISSING, make: Any = dataclasses.MISSING, **spec: Any) -> Any:
    """A dataclass field with its Spec; required unless `default` or `make` (a default factory) is given."""
    metadata = {"spec": Spec(doc, **spec)}
    if make is not dataclasses.MISSING:
        return dataclasses.field(default_factory=make, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def spec_of(field: dataclasses.Field[Any]) -> Spec:
    return field.metadata["spec"]


def key_of(field: dataclasses.Field[Any]) -> str:
    """The field's name in the case file."""
    return spec_of(field).key or field.name


def required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
