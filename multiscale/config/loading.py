"""From a case file and overrides to a checked Case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from multiscale.config import yamlio
from multiscale.config.case import Case
from multiscale.config.committee import with_committee
from multiscale.config.errors import InputError
from multiscale.config.reading import read_section, shown
from multiscale.config.validate import check_case, check_names

Overrides = Sequence[str] | Mapping[str, Any]
"""`key.path=value` each, or values by their key path."""


def load_case(path: str | Path, overrides: Overrides = (), registries: bool = True) -> Case:
    """The case in a file, with overrides, checked and in internal units.

    Relative file names in it are relative to the case file and become absolute. registries: also check the
    words that registries define, which imports them, and settle what depends on the model file. InputError
    where anything is wrong.
    """
    path = Path(path)
    try:
        case = parse_case(_text(path), overrides)
        case = _absolute(case, path.resolve().parent)
        if registries:
            check_names(case)
            case = with_committee(case)
    except InputError as error:
        raise error.at(path.name) from None
    return case


def read_case(data: dict[str, Any], overrides: Overrides, folder: Path) -> Case:
    """The case of a mapping, which is changed; relative file names are relative to the folder. See `load_case`."""
    return _absolute(_case(data, overrides), folder)


def parse_case(text: str, overrides: Overrides = ()) -> Case:
    """The case in a text; see `load_case`."""
    data = yamlio.parse(text)
    if data is None:
        raise InputError("", "is empty; `multiscale init fracture` writes one to start from")
    if not isinstance(data, dict):
        raise InputError("", f"must be a mapping of sections such as crystal and load, got {shown(data)}")
    return _case(data, overrides)


def _case(data: dict[str, Any], overrides: Overrides) -> Case:
    if isinstance(overrides, Mapping):
        for dotted, value in overrides.items():
            _set(data, dotted, value)
    else:
        for override in overrides:
            apply_override(data, override)
    case: Case = read_section(Case, data, "")
    check_case(case)
    return case


def apply_override(data: dict[str, Any], override: str) -> None:
    """Set `key.path=value`, value read as YAML, in nested mappings; missing sections are made."""
    dotted, equals, text = override.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise InputError("", f"--set wants key.path=value, got '{override}'", "command line")
    try:
        value = yamlio.parse(text)
    except InputError as error:
        raise InputError(dotted, error.message, "command line") from None
    _set(data, dotted, value)


def _set(data: dict[str, Any], dotted: str, value: Any) -> None:
    """Missing sections are made."""
    keys = dotted.strip().split(".")
    section = data
    for depth, key in enumerate(keys[:-1]):
        inner = section.get(key)
        if inner is None:
            inner = section[key] = {}
        if not isinstance(inner, dict):
            where = ".".join(keys[: depth + 1])
            raise InputError(where, f"is no section, so {dotted} cannot reach into it", "command line")
        section = inner
    section[keys[-1]] = value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("", "no such file", str(path)) from None
    except IsADirectoryError:
        raise InputError("", "is a folder, not a case file", str(path)) from None
    except UnicodeDecodeError:
        raise InputError("", "is not a text file in UTF-8", str(path)) from None
    except OSError as error:
        raise InputError("", f"cannot be read: {error.strerror}", str(path)) from None


def _absolute(case: Case, folder: Path) -> Case:
    mesh, potential, law = case.continuum.mesh, case.potential, case.continuum.model
    if law is not None:
        law = _existing(law, folder, "continuum.model")
    if mesh.file is not None:
        mesh = replace(mesh, file=_existing(mesh.file, folder, "continuum.mesh.file"))
    if potential.model is not None and ("/" in potential.model or potential.model.endswith(".safetensors")):
        potential = replace(potential, model=_existing(potential.model, folder, "potential.model"))
    interface = case.interface
    if interface.law.endswith(".json"):
        interface = replace(interface, law=_existing(interface.law, folder, "interface.law"))
    continuum = replace(case.continuum, mesh=mesh, model=law)
    return replace(case, potential=potential, continuum=continuum, interface=interface)


def _existing(name: str, folder: Path, path: str) -> str:
    file = (folder / name).resolve()
    if not file.is_file():
        raise InputError(path, f"no such file: {name} (looked in {folder})")
    return str(file)
