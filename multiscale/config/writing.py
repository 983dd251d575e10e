"""A case as plain data and as YAML, every default written; reading it back gives an equal case."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from multiscale.config import yamlio
from multiscale.config.case import Case
from multiscale.config.parallel import ParallelConfig
from multiscale.config.quantities import to_text
from multiscale.config.spec import Spec, key_of, spec_of


def to_data(section: Any) -> dict[str, Any]:
    """Nested dicts and lists with the keys of the case file; quantities as text with units."""
    data = {}
    for field in dataclasses.fields(section):
        spec = spec_of(field)
        bare = spec.unit_key is not None and getattr(section, spec.unit_key) in _relative(
            section, spec.unit_key
        )
        data[key_of(field)] = _plain(getattr(section, field.name), spec, bare)
    return data


def _relative(section: Any, name: str) -> tuple[str, ...]:
    return next(spec_of(f).relative for f in dataclasses.fields(section) if f.name == name)


def _plain(value: Any, spec: Spec, bare: bool) -> Any:
    if dataclasses.is_dataclass(value):
        return to_data(value)
    if isinstance(value, tuple):
        return [_plain(v, spec, bare) for v in value]
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, float) and spec.dimension and not bare:
        return to_text(value, spec.dimension)
    return value


def to_yaml(case: Case) -> str:
    """The resolved case file."""
    return yamlio.write(to_data(case))


def case_hash(case: Case) -> str:
    """Names a case: equal for equal cases, however they were written, and whichever ranks and devices do the work."""
    data = to_data(dataclasses.replace(case, parallel=ParallelConfig()))
    del data["potential"]["device"]
    return hashlib.sha256(yamlio.write(data).encode()).hexdigest()[:16]
