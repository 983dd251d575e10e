"""Commented case files to start from: example values, with every key's meaning beside it."""

from __future__ import annotations

import dataclasses
import typing
from importlib.resources import files
from typing import Any

from multiscale.config import yamlio
from multiscale.config.case import Case
from multiscale.config.loads import LOADS
from multiscale.config.schema import default_of
from multiscale.config.spec import Spec, key_of, required, spec_of

TEMPLATES = ("fracture", "contact", "patch")
_COLUMN = 46
_HEAD = """\
# {title}
# Run it:  multiscale run {file}
# Lengths, stresses and the like may carry a unit (3 nm, 150 GPa, 1.2 MPa*sqrt(m)); bare numbers are in
# Å, eV, eV/Å, eV/Å^3 and eV/Å^2.5. Lines behind a # show defaults; sections without a value may be left out.
"""


def template(name: str, file: str | None = None) -> str:
    """The commented case file of one of TEMPLATES; file: what it will be called, None: NAME.yaml."""
    data = yamlio.parse((files("multiscale") / "templates" / f"{name}.yaml").read_text(encoding="utf-8"))
    return (
        _HEAD.format(title=data["title"], file=file or f"{name}.yaml")
        + "\n".join(_section(Case, data, 0))
        + "\n"
    )


def _section(kind: Any, data: dict[str, Any], depth: int, mark: str = "") -> list[str]:
    """Lines of one section: what `data` gives, the rest with its defaults behind a #. mark: "# " in a section
    that is itself behind one."""
    hints = typing.get_type_hints(kind)
    lines: list[str] = []
    for field in dataclasses.fields(kind):
        spec, key = spec_of(field), key_of(field)
        given = key in data
        if not given and required(field):
            continue
        value = data[key] if given else default_of(field)
        behind = mark or ("" if given else "# ")
        inner = _inner(hints[field.name], value)
        if depth == 0 and inner:
            lines.append("")
        if inner is None:
            lines.append(_line(_pair(key, value), spec, depth, behind))
        else:
            lines.append(_line(f"{key}:", spec, depth, behind))
            lines += _section(inner, value if given else {}, depth + 1, behind)
    return lines


def _inner(kind: Any, value: Any) -> Any:
    """The dataclass that a section is read as; None where the value is no section."""
    kinds = [k for k in (kind, *typing.get_args(kind)) if dataclasses.is_dataclass(k)]
    if not kinds or not isinstance(value, dict):
        return None
    return LOADS[value["type"]] if len(kinds) > 1 else kinds[0]


def _pair(key: str, value: Any) -> str:
    return f"{key}: {yamlio.in_line(value)}"


def _line(text: str, spec: Spec, depth: int, mark: str) -> str:
    choices = spec.choices() if callable(spec.choices) else spec.choices
    allowed = f" ({' | '.join(map(str, choices))})" if choices and len(choices) > 1 else ""
    return f"{mark}{'  ' * depth}{text}".ljust(_COLUMN - 1) + f" # {spec.doc}{allowed}"
