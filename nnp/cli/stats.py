"""`nnp stats`: teach a model file what it was trained on."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import torch

from nnp.cli.common import DONE, UsageError, add_command, require_folder
from nnp.committee import Committee
from nnp.data import Frame, Keys, read_frames
from nnp.families import load, save
from nnp.neural import NeuralPotential
from nnp.statistics import remember
from nnp.storage import find_model, read_model, shipped_models


def add(commands: Any) -> None:
    p = add_command(
        commands,
        "stats",
        _stats,
        "store in a model file what its training frames looked like, so that it can say how far it extrapolates",
        "nnp stats si.safetensors Si.xyz",
    )
    add_model_file(p)
    p.add_argument(
        "data", type=Path, nargs="+", metavar="DATA.xyz", help="the frames it was trained on, extended XYZ"
    )


def add_model_file(p: argparse.ArgumentParser) -> None:
    """Arguments of a command that adds something to a model file."""
    shipped = ", ".join(shipped_models()) or "none"
    p.add_argument("model", metavar="MODEL", help=f"a model or committee file, or a shipped one ({shipped})")
    p.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there instead of into MODEL")


def read_model_file(options: argparse.Namespace) -> tuple[NeuralPotential | Committee, Path]:
    """The model, in the precision of its file, and where it is to be written."""
    path = find_model(options.model)
    double = any(t.dtype == torch.float64 for t in read_model(path)[1].values())
    target = options.output or path
    require_folder(target)
    return load(path, torch.float64 if double else torch.float32), target


def _stats(options: argparse.Namespace) -> int:
    model, target = read_model_file(options)
    frames = [f for data in options.data for f in training_frames(model, data)]
    if not remember(model, frames):
        raise UsageError(f"{options.model}: a model of this family cannot measure extrapolation")
    save(model, target)
    print(f"statistics of {sum(len(f.state) for f in frames)} atoms in {len(frames)} frames: {target}")
    return DONE


def training_frames(model: NeuralPotential | Committee, data: Path) -> list[Frame]:
    """The frames of a file without those that the model's header says were held out of this very file."""
    first = model.members[0] if isinstance(model, Committee) else model
    assert isinstance(first, NeuralPotential)
    training = first.header.get("training", {})
    keys = Keys(**training.get("config", {}).get("data", {}).get("keys", {}))
    frames, source = read_frames(data, keys, forces_required=False), training.get("data", {})
    sums = source.get("sha256", [])
    if hashlib.sha256(data.read_bytes()).hexdigest() not in ([sums] if isinstance(sums, str) else sums):
        return frames
    held = set(source.get("validation_frames", ()))
    return [f for f in frames if f.index not in held and f"{data.name} {f.index}" not in held]
