"""Cohesive laws in files: JSON, with units and where the law comes from, for this program and others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coupling.cohesive import CohesiveLaw
from coupling.cohesive.plain import from_plain, to_plain
from multiscale.config import InputError
from multiscale.files import write_atomically

FORMAT, VERSION = "cohesive-law", 1
UNITS = {"length": "Å", "energy per area": "eV/Å²", "traction": "eV/Å³", "stiffness": "eV/Å⁴"}
AXES = "openings are (normal, first tangent, second tangent) = (y, x, z) of the laboratory, upper body less lower body"


def write_law(law: CohesiveLaw, path: Path, header: dict[str, Any]) -> None:
    """header: where the law comes from, its figures, errors and checks."""
    data = {"format": FORMAT, "version": VERSION, "units": UNITS, "axes": AXES, **header, **to_plain(law)}
    lines = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in data.items())
    write_atomically(path, "{\n" + ",\n".join(lines) + "\n}\n")  # a line for each key: tables are long


def read_law(path: str | Path, key: str = "interface.law") -> tuple[CohesiveLaw, dict[str, Any]]:
    """The law of a file and the rest of its content. InputError, said of `key`, where it is none."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(key, f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(key, f"{path} is no JSON file: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(key, f"{path} is no law file: its format is not '{FORMAT}'")
    if data.get("version") != VERSION:
        raise InputError(
            key, f"{path} has version {data.get('version')}, this program reads version {VERSION}"
        )
    if data.get("units") != UNITS:
        raise InputError(key, f"{path}: units: must be {', '.join(UNITS.values())}")
    about = ("format", "version", "units", "axes", *HEADER)
    try:
        law = from_plain({k: v for k, v in data.items() if k not in about})
    except ValueError as error:
        raise InputError(key, f"{path}: {error}") from None
    return law, {k: data[k] for k in HEADER if k in data}


HEADER = ("title", "source", "figures", "errors", "checks")
"""What a law file says besides the law."""
