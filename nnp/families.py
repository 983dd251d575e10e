"""The families of neural potentials by name, and their model files."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ase.data import chemical_symbols

from nnp.committee import Calibration, Committee
from nnp.known import pack, unpack
from nnp.neural import Architecture, NeuralPotential
from nnp.storage import ModelFileError, Tensors, find_model, read_model, write_model

FAMILIES: dict[str, str] = {
    "behler": "nnp.behler.family",
    "density": "nnp.density.family",
    "equivariant": "nnp.messages.equivariant",
    "schnet": "nnp.messages.schnet",
}
"""Modules that hold each FAMILY; imported only when one is used."""

COMMITTEE = "committee"


@dataclass(frozen=True)
class Family:
    """architecture: the frozen dataclass of the family's sizes; potential: makes one with random weights
    from (architecture, atomic numbers, header)."""

    architecture: Callable[..., Architecture]
    potential: Callable[..., NeuralPotential]


def family(name: str) -> Family:
    """ValueError, with the known names, for an unknown one."""
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"no family of potentials '{name}' (there are: {', '.join(sorted(FAMILIES))})")
    return importlib.import_module(FAMILIES[name]).FAMILY


def make_neural(
    architecture: Architecture, numbers: Sequence[int], header: dict[str, Any] | None = None
) -> NeuralPotential:
    """An untrained potential; random weights from torch's generator."""
    return family(architecture.type).potential(architecture, numbers, header)


def save(
    potential: NeuralPotential | Committee, path: str | Path, training: dict[str, Any] | None = None
) -> None:
    """Write a model, or a committee of them; `training` (data and errors, plain values) goes into the header,
    which else keeps what it had, as a committee's members do."""
    if isinstance(potential, Committee):
        members = [m for m in potential.members if isinstance(m, NeuralPotential)]
        parts = [_content(m) for m in members]
        kept = training if training is not None else potential.header.get("training", {})
        header = {"kind": COMMITTEE, "members": [h for h, _ in parts], "training": kept}
        if potential.calibration is not None:
            header["calibration"] = dataclasses.asdict(potential.calibration)
        tensors = {f"{k}.{name}": value for k, (_, part) in enumerate(parts) for name, value in part.items()}
    else:
        header, tensors = _content(potential, training)
    write_model(Path(path), header, tensors)


def _content(
    potential: NeuralPotential, training: dict[str, Any] | None = None
) -> tuple[dict[str, Any], Tensors]:
    shape = dataclasses.asdict(potential.architecture)  # type: ignore[call-overload]
    header = {
        "kind": potential.architecture.type,
        "elements": list(potential.numbers),
        "architecture": shape,
        "units": {"length": "angstrom", "energy": "eV"},
        "training": training if training is not None else potential.header.get("training", {}),
    }
    tensors = potential.state_dict() | pack(potential.known or ())
    return header, {k: v.detach().cpu().contiguous() for k, v in tensors.items()}


def load(path_or_name: str | Path, dtype: torch.dtype = torch.float64) -> NeuralPotential | Committee:
    """The model or committee of a file, or a shipped one by its name; weights frozen. ModelFileError when
    unreadable."""
    path = find_model(path_or_name)
    header, tensors = read_model(path)
    if header.get("kind") != COMMITTEE:
        return _model(header, tensors, path).to(dtype)
    members = header.get("members")
    if not isinstance(members, list) or len(members) < 2:
        raise ModelFileError(f"{path}: a committee of fewer than two members")
    parts: list[Tensors] = [{} for _ in members]
    for name, value in tensors.items():
        place, _, rest = name.partition(".")
        if not place.isdecimal() or int(place) >= len(parts):
            raise ModelFileError(f"{path}: the weights '{name}' belong to no member")
        parts[int(place)][rest] = value
    models = [_model(h, part, path).to(dtype) for h, part in zip(members, parts)]
    found = header.get("calibration")
    try:
        calibration = None if found is None else Calibration(**found)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: its calibration is not readable ({error})") from None
    return Committee(models, calibration, {"training": header.get("training", {})})


def is_committee(path_or_name: str | Path) -> bool:
    """Whether a model file, or a shipped one by its name, holds a committee. ModelFileError when unreadable."""
    return read_model(find_model(path_or_name))[0].get("kind") == COMMITTEE


def _model(header: dict[str, Any], tensors: Tensors, path: Path) -> NeuralPotential:
    kind = header.get("kind") if isinstance(header, dict) else None
    if not isinstance(kind, str) or kind not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise ModelFileError(f"{path}: holds a model of kind '{kind}', this program reads {known}")
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ModelFileError(f"{path}: the weight '{name}' is not finite")
    try:
        shape = {k: tuple(v) if isinstance(v, list) else v for k, v in header["architecture"].items()}
        architecture = family(kind).architecture(**shape)
        if not header["elements"] or not all(
            z in range(1, len(chemical_symbols)) for z in header["elements"]
        ):
            raise ValueError(f"elements are {header['elements']}")
        potential = make_neural(architecture, header["elements"], header)
        potential.known = unpack(tensors, len(potential.numbers))
        if any(t.dtype == torch.float64 for t in tensors.values()):
            potential.double()  # else the weights were rounded on their way in
        potential.load_state_dict(tensors)
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelFileError(f"{path}: header and weights do not describe one model ({reason})") from None
    return potential.requires_grad_(False)
