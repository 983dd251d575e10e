"""Strains and stresses from a CSV file, an experiment's for example."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from ase.units import GPa

from multiscale.config import InputError
from multiscale.continuum.laws.samples import Samples
from multiscale.continuum.laws.strain import mandel, unmandel

Array = np.ndarray
_PAIRS = ("xx", "yy", "zz", "yz", "xz", "xy")
STRAINS = tuple(f"E_{pair}" for pair in _PAIRS)
STRESSES = tuple(f"S_{pair}" for pair in _PAIRS)
ENERGY = "W"


def read_table(path: Path) -> Samples:
    """Samples in the crystal's cubic axes.

    Columns E_xx … E_xy: Green–Lagrange strain (tensor components, not the doubled ones of engineers), all six; S_xx …
    S_xy: second Piola–Kirchhoff stress, GPa, at least one; W: energy density, GPa (GJ/m³), if known. A stress that was
    not measured is an empty cell or no column. InputError, with the line, where that is not what comes.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(line for line in file if not line.startswith("#"))
            names, rows = [name.strip() for name in reader.fieldnames or ()], list(reader)
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong(path, f"is no CSV file: {error}") from None
    _check_columns(path, names)
    columns = {
        name: np.array([_number(path, n, row, name) for n, row in enumerate(rows, 1)]) for name in names
    }
    nothing = np.full(len(rows), np.nan)
    strain = _tensors([columns[name] for name in STRAINS])
    stress = _tensors([columns.get(name, nothing) for name in STRESSES])
    if len(rows) < 2 or not np.isfinite(strain).all() or not np.isfinite(stress).any():
        raise _wrong(path, "at least two rows with all strains and some stress are needed")
    if np.linalg.eigvalsh(np.eye(3) + 2.0 * strain).min() <= 0.0:
        raise _wrong(path, "a strain turns the crystal inside out: 1 + 2E must be positive")
    return Samples(mandel(strain), columns.get(ENERGY, nothing) * GPa, mandel(stress) * GPa)


def _tensors(components: list[Array]) -> Array:
    root = np.array([1.0, 1.0, 1.0, 2**0.5, 2**0.5, 2**0.5])
    return unmandel(np.stack(components, axis=1) * root)


def _check_columns(path: Path, names: list[str]) -> None:
    allowed = (*STRAINS, *STRESSES, ENERGY)
    unknown = [name for name in names if name not in allowed]
    missing = [name for name in STRAINS if name not in names]
    if unknown or missing or not set(names) & set(STRESSES):
        what = (
            f"unknown column '{unknown[0]}'"
            if unknown
            else f"no column {missing[0] if missing else 'S_xx …'}"
        )
        raise _wrong(path, f"{what}; columns are {', '.join(allowed)}")


def _number(path: Path, line: int, row: dict[str, str], name: str) -> float:
    text = next((v for k, v in row.items() if k is not None and k.strip() == name), None)
    if text is None or not text.strip():
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise _wrong(path, f"row {line}, {name}: must be a number, got '{text.strip()}'") from None


def _wrong(path: Path, message: str) -> InputError:
    return InputError("--fit-law-from", f"{path}: {message}", "command line")
