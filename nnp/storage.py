"""Model files: safetensors weights with a JSON header in their metadata. Nothing is unpickled."""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from nnp.access import why_unreadable
from nnp.state import Tensor

Tensors = dict[str, Tensor]

FORMAT = "nnp-model"
VERSION = 1
SHIPPED = Path(__file__).resolve().parent / "models"


class ModelFileError(ValueError):
    """A model file that is missing, damaged, or not of this format; the message names the file."""


def shipped_models() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(p.stem for p in SHIPPED.glob("*.safetensors"))


def find_model(path_or_name: str | Path) -> Path:
    """Path of an existing model file, or of a shipped model's."""
    path = Path(path_or_name)
    if os.path.isfile(path) or (why_unreadable(path) or "").startswith(
        "cannot"
    ):  # which is said where it is read
        return path
    name = str(path_or_name)
    names = shipped_models()
    if name in names:
        return SHIPPED / f"{name}.safetensors"
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    shipped = ", ".join(names) or "none"
    raise ModelFileError(
        f"no model file '{name}' and no shipped model of that name (shipped: {shipped}){hint}"
    )


def write_model(path: Path, header: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write aside, then rename: a reader never sees half a file."""
    text = json.dumps({"format": FORMAT, "version": VERSION, **header})
    aside = path.with_name(path.name + ".part")
    try:
        aside.write_bytes(save(tensors, metadata={"header": text}))
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read_model(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and weights. ModelFileError, one sentence with the file's name, when it is not such a file."""
    reason = why_unreadable(path)
    if reason is not None:
        raise ModelFileError(f"{path}: {reason}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: damaged, or no safetensors file ({error})") from None
    try:
        header = json.loads(metadata["header"])
    except (KeyError, ValueError, RecursionError):
        raise ModelFileError(f"{path}: a safetensors file without this program's model header") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelFileError(f"{path}: a safetensors file without this program's model header")
    if header.get("version") != VERSION:
        version = header.get("version")
        raise ModelFileError(f"{path}: version {version} of the model format, this program reads {VERSION}")
    return header, tensors
