"""Laws as plain values, for files that this and other programs read."""

from __future__ import annotations

import dataclasses
import math
import typing
from typing import Any

import numpy as np

from coupling.cohesive.derived import Derived
from coupling.cohesive.law import CohesiveLaw
from coupling.cohesive.ppr import PPR
from coupling.cohesive.table import Table
from coupling.cohesive.uber import Uber
from coupling.cohesive.waves import Waves
from coupling.cohesive.xu_needleman import XuNeedleman

KINDS: dict[str, type] = {"derive": Derived, "ppr": PPR, "uber": Uber, "xu-needleman": XuNeedleman}
_DIGITS = 13


def to_plain(law: CohesiveLaw) -> dict[str, Any]:
    """{"law": its name, and its fields}, numbers and lists only, Å and eV."""
    name = next(name for name, kind in KINDS.items() if type(law) is kind)
    return {"law": name, **_plain(law)}


def from_plain(data: Any) -> CohesiveLaw:
    """The law of such a mapping; ValueError, with the dotted path, where a value is missing, unknown or cannot be."""
    if not isinstance(data, dict) or not isinstance(data.get("law"), str) or data["law"] not in KINDS:
        raise ValueError(f"law: must be one of {', '.join(KINDS)}")
    law = _read(KINDS[data["law"]], {k: v for k, v in data.items() if k != "law"}, "")
    for path, table in (("table", getattr(law, "table", None)),):
        if table is not None:
            _check_table(table, path)
    for path in ("contact", "lift"):
        waves = getattr(law, path, None)
        if waves is not None:
            _check_waves(waves, path)
    if not (math.isfinite(law.work) and law.work > 0.0 and law.reach > 0.0):
        raise ValueError("work: the law must hold something together: work and lengths above zero")
    return typing.cast(CohesiveLaw, law)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return _rounded(value.tolist())
    return float(value)


def _rounded(value: Any) -> Any:
    return [_rounded(v) for v in value] if isinstance(value, list) else float(f"{value:.{_DIGITS}g}")


def _read(kind: Any, raw: Any, path: str) -> Any:
    if dataclasses.is_dataclass(kind):
        if not isinstance(raw, dict):
            raise ValueError(f"{path}: must be a mapping")
        hints, names = typing.get_type_hints(kind), [f.name for f in dataclasses.fields(kind)]
        wrong = sorted(set(raw) ^ set(names))
        if wrong:
            what = "is unknown" if wrong[0] in raw else "is missing"
            raise ValueError(f"{_join(path, wrong[0])}: {what}; needed: {', '.join(names)}")
        return kind(**{n: _read(hints[n], raw[n], _join(path, n)) for n in names})  # type: ignore[operator]
    try:
        value = np.asarray(raw, float)
    except (TypeError, ValueError):
        raise ValueError(f"{path}: must be numbers") from None
    if not np.isfinite(value).all():
        raise ValueError(f"{path}: must be finite")
    if kind is not float:
        return value
    if value.ndim or isinstance(raw, bool | str):
        raise ValueError(f"{path}: must be one number")
    return float(value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _check_table(table: Table, path: str) -> None:
    x, shape = table.openings, table.energy.shape
    if x.ndim != 1 or len(x) < 4 or np.any(np.diff(x) <= 0.0) or not np.any(x == 0.0):
        raise ValueError(f"{path}.openings: must be ascending, at least four, zero among them")
    if table.cell.shape != (2, 2) or abs(np.linalg.det(table.cell)) < 1e-6:
        raise ValueError(f"{path}.cell: must be two independent vectors")
    if len(shape) != 3 or shape[0] != len(x) or min(shape[1:]) < 2:
        raise ValueError(f"{path}.energy: must have {len(x)} × n1 × n2 numbers")
    if table.traction.shape != (*shape, 3):
        raise ValueError(f"{path}.traction: must have three numbers for each energy")
    if table.removed.shape != (3,):
        raise ValueError(f"{path}.removed: must be three numbers")


def _check_waves(waves: Waves, path: str) -> None:
    k = len(waves.cosine)
    if waves.cosine.shape != (k,) or waves.sine.shape != (k,) or waves.vectors.reshape(-1, 2).shape != (k, 2):
        raise ValueError(f"{path}: vectors, cosine and sine must belong together")
