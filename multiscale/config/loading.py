"""From a case file and overrides to a checked Case."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from multiscale.config import yamlio
from multiscale.config.case import Case, PotentialConfig
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
        case = parse_case(yamlio.read_text(path), overrides)
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


_FILES = {"eam": "file", "n2p2": "folder", "committee": "models"}
"""Parameters of a potential that name files."""


def _absolute(case: Case, folder: Path) -> Case:
    mesh, law = case.continuum.mesh, case.continuum.model
    if law is not None:
        law = _existing(law, folder, "continuum.model")
    if mesh.file is not None:
        mesh = replace(mesh, file=_existing(mesh.file, folder, "continuum.mesh.file"))
    atoms = case.atoms
    if atoms is not None:
        atoms = replace(atoms, file=_existing(atoms.file, folder, "atoms.file"))
    interface = case.interface
    if interface.law.endswith(".json"):
        interface = replace(interface, law=_existing(interface.law, folder, "interface.law"))
    continuum = replace(case.continuum, mesh=mesh, model=law)
    return replace(
        case,
        atoms=atoms,
        potential=_potential(case.potential, folder),
        continuum=continuum,
        interface=interface,
    )


def _potential(config: PotentialConfig, folder: Path) -> PotentialConfig:
    """With the files that it names. A word that is no path may be the name of something that is shipped."""
    if config.model is not None:
        config = replace(config, model=_model(config.model, folder, "potential.model"))
    key = _FILES.get(config.type, "")
    name = config.parameters.get(key)
    if not isinstance(name, str):
        return config
    where = f"potential.parameters.{key}"
    if key == "models":
        name = ",".join(_model(part.strip(), folder, where) for part in name.split(","))
    else:
        name = _existing(name, folder, where, Path.is_dir if key == "folder" else Path.is_file)
    return replace(config, parameters={**config.parameters, key: name})


def _model(name: str, folder: Path, path: str) -> str:
    """A file or a folder of n2p2, or a word left as it is."""
    if "/" in name or name.endswith((".safetensors", ".alloy", ".setfl")):
        return _existing(name, folder, path, Path.exists)
    return name


def _existing(name: str, folder: Path, path: str, there: Callable[[Path], bool] = Path.is_file) -> str:
    file = Path(os.path.abspath(folder / name))
    try:
        file.stat()  # newer Pythons' questions below take what is forbidden for what is not there
        found = there(file)
    except PermissionError as error:
        raise InputError(path, f"{error.filename}: {error.strerror}") from None
    except (OSError, ValueError):
        found = False
    if not found:
        what = "folder" if there is Path.is_dir else "file"
        raise InputError(path, f"no such {what}: {name} (looked in {folder})")
    return str(file)
