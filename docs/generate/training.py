"""The page of the training file: every key with type, default and meaning, from the dataclasses' docstrings."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from typing import Any

from generate.tables import code, plain, table
from multiscale.config import yamlio
from nnp.data import Keys
from nnp.families import FAMILIES, family
from nnp.train.settings import Data, DataFile, Loss, Optimiser, Robust, Training

_HEAD = """\
# The training file, key by key

What `nnp train` reads. Made from the classes that it is read into; `train.yaml` in the output folder has every key
written out. How trainings are run, and what they gave: [training](../../examples/training/README.md). A short one:

```yaml
model: {type: density, cutoff: 5.0, hidden: [32, 32]}
data: {files: [Si.xyz], validation: 0.1}
loss: {energy: 30.0, forces: 1.0, stress: 4.0}
optimiser: {epochs: 60, learning_rate: 5.0e-3}
members: 4
```
"""
SECTIONS: dict[str, type] = {
    "": Training,
    "data": Data,
    "data.files[]": DataFile,
    "data.keys": Keys,
    "loss": Loss,
    "loss.robust": Robust,
    "optimiser": Optimiser,
}
_TYPES = {float: "number", int: "whole number", bool: "true or false", str: "text"}


def page() -> str:
    parts = [_HEAD]
    for path, kind in SECTIONS.items():
        parts.append(f"## `{path}`" if path else "## The top")
        parts.append(_section(kind))
    parts.append("## `model`\n\nThe family, `type`, and its sizes.")
    for name in sorted(FAMILIES):
        parts.append(f"### `model`, type {name}")
        parts.append(_section(architecture(name)))
    return "\n\n".join(parts) + "\n"


def architecture(name: str) -> type:
    """The dataclass of a family's sizes."""
    return typing.cast(type, family(name).architecture)


def _section(kind: type) -> str:
    hints, said = typing.get_type_hints(kind), meanings(kind)
    rows = [
        (code(f.name), _kind(hints[f.name]), _default(f), plain(said[f.name]))
        for f in dataclasses.fields(kind)
    ]
    intro = (kind.__doc__ or "").split("\n\n")[0]
    first = " ".join(re.split(_of(kind), intro)[0].split())
    return f"{plain(first)}\n\n" + table(("key", "takes", "default", "meaning"), rows)


def _of(kind: type) -> str:
    """Where a docstring begins to speak of one or several fields: `name:` or `name, name:`."""
    name = "|".join(re.escape(f.name) for f in dataclasses.fields(kind))
    return rf"(?:(?<=\s)|^)((?:{name})(?:, (?:{name}))*):\s"


def meanings(kind: type) -> dict[str, str]:
    """What the docstring says of each field; KeyError for none. Docstrings are of the form `name: text. name: text.`"""
    parts = re.split(_of(kind), (kind.__doc__ or "").strip())
    said: dict[str, str] = {}
    for names, text in zip(parts[1::2], parts[2::2]):
        for name in names.split(", "):
            said[name] = " ".join(text.split()).rstrip(". ;")
    return {f.name: said[f.name] for f in dataclasses.fields(kind)}


def _kind(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(dict.fromkeys(_kind(k) for k in typing.get_args(kind) if k is not type(None)))
    if typing.get_origin(kind) is tuple:
        inner = _kind(typing.get_args(kind)[0])
        return "list of " + (inner if inner == "text" else inner + "s")
    if typing.get_origin(kind) is dict:
        return f"names with {_kind(typing.get_args(kind)[1])}s"
    return _TYPES.get(kind, "section")


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        value = list(field.default) if isinstance(field.default, tuple) else field.default
        return code(yamlio.in_line(value))
    if field.default_factory is dataclasses.MISSING:
        return "required"
    value = field.default_factory()
    return code("{}") if dataclasses.is_dataclass(value) else code(yamlio.in_line(value))
