"""The case file: its dataclasses, reading, checking, writing, JSON schema and templates."""

from multiscale.config.case import Case
from multiscale.config.committee import with_committee
from multiscale.config.core import check_blend, core_center, lattice_spacing
from multiscale.config.errors import InputError
from multiscale.config.loading import load_case, parse_case, read_case
from multiscale.config.writing import case_hash, to_yaml

__all__ = [
    "Case",
    "InputError",
    "case_hash",
    "check_blend",
    "core_center",
    "lattice_spacing",
    "load_case",
    "parse_case",
    "read_case",
    "to_yaml",
    "with_committee",
]
