"""Reference figures of a material, and how far a potential's report is from them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnp.yamlfile import YamlError, read

SHIPPED = Path(__file__).resolve().parent / "models"
_SUFFIX = "-reference.yaml"


class ReferenceError(ValueError):
    """A table that cannot be read or names what no report holds; the message names file and key."""


def shipped_references() -> list[str]:
    """Names of the tables that come with the package."""
    return sorted(p.name.removesuffix(_SUFFIX) for p in SHIPPED.glob(f"*{_SUFFIX}"))


def read_reference(path_or_name: str | Path) -> dict[str, Any]:
    """A table (YAML or JSON) by its path, or a shipped one by its name: the names of a report, each with a
    number or with {value, source}; `source` at the top is that of all that name none. ReferenceError."""
    path = Path(path_or_name)
    if not path.is_file():
        path = SHIPPED / f"{path_or_name}{_SUFFIX}"
    try:
        table = read(path)
    except YamlError as error:
        if path.is_file():
            raise ReferenceError(f"{path}: {error}") from None
        shipped = ", ".join(shipped_references())
        raise ReferenceError(f"no reference file '{path_or_name}' (shipped: {shipped})") from None
    if not isinstance(table, Mapping):
        raise ReferenceError(f"{path}: must hold names and numbers")
    return dict(table)


def compared(report: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """The report with `reference`, `deviation` (relative; none for a reference of zero or a missing value) and,
    where given, `source` beside each figure that the table has. ReferenceError, with near misses, for a name
    that the report does not hold and for what is no number."""
    rest = {k: v for k, v in table.items() if k not in ("source", "structure", "symbol")}
    for key in ("structure", "symbol"):
        if key in table and table[key] != report.get(key):
            raise ReferenceError(f"{key}: the reference is of {table[key]}, the report of {report.get(key)}")
    return _merged(report, rest, table.get("source"), "")


def _merged(report: Mapping[str, Any], table: Mapping[str, Any], source: Any, path: str) -> dict[str, Any]:
    merged = dict(report)
    for key, given in table.items():
        where = f"{path}.{key}" if path else str(key)
        mine = report.get(key)
        if not isinstance(mine, Mapping):
            known = [k for k, v in report.items() if isinstance(v, Mapping)]
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; there are: {', '.join(known)}"
            raise ReferenceError(f"{where}: the report has no such figure{hint}")
        if "value" in mine:
            merged[key] = _beside(mine, given, source, where)
        elif isinstance(given, Mapping):
            inner = {k: v for k, v in given.items() if k != "source"}
            merged[key] = _merged(mine, inner, given.get("source", source), where)
        else:
            raise ReferenceError(f"{where}: must hold names and numbers")
    return merged


def _beside(mine: Mapping[str, Any], given: Any, source: Any, where: str) -> dict[str, Any]:
    number = given.get("value") if isinstance(given, Mapping) else given
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise ReferenceError(f"{where}: must be a number or {{value, source}}, is {given!r}")
    said = given.get("source", source) if isinstance(given, Mapping) else source
    row = {**mine, "reference": float(number)}
    if mine["value"] is not None and number:
        row["deviation"] = mine["value"] / number - 1.0
    return {**row, "source": said} if said else row
