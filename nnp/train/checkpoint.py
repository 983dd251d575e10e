"""The state of a training run on disk, so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnp.data import Frame
from nnp.storage import ModelFileError, read_model, write_model
from nnp.train.config import ConfigError, Training, portable
from nnp.train.run import Best, Run

NAME = "checkpoint.safetensors"


def store(run: Run, folder: Path, config: Training, frames: Sequence[Frame]) -> None:
    """Write the run to folder/checkpoint.safetensors; the file is whole or the old one at every moment."""
    parts = {"trained": run.trained.state_dict(), "kept": run.kept.state_dict()}
    if run.best:
        parts["best"] = run.best.state
    for k, state in run.optimiser.state_dict()["state"].items():
        parts[f"optimiser.{k}"] = state
    tensors = {f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()}
    header = {
        "kind": "checkpoint",
        "epoch": run.epoch,
        "history": run.history,
        "config": portable(config),
        "data": fingerprint(frames),
        "best": {"loss": run.best.loss, "epoch": run.best.epoch} if run.best else None,
    }
    # clones: safetensors refuses tensors that share memory
    write_model(folder / NAME, header, {k: v.detach().clone().contiguous() for k, v in tensors.items()})


def restore(run: Run, folder: Path, config: Training, frames: Sequence[Frame]) -> None:
    """Bring a fresh run to the stored state.

    ConfigError when there is no checkpoint, or it was written by a run with other settings or other data.
    """
    path = folder / NAME
    if not path.is_file():
        raise ConfigError(f"nothing to resume: no {NAME} in '{folder}'")
    header, tensors = read_model(path)
    if header.get("kind") != "checkpoint":
        raise ModelFileError(f"{path}: no checkpoint of a training run")
    changed = _changed(header["config"], portable(config))
    if changed:
        raise ConfigError(f"{changed[0]}: differs from the run in '{folder}'; resume needs the same settings")
    if header["data"] != fingerprint(frames):
        raise ConfigError(f"the data differ from those of the run in '{folder}'; resume needs the same")
    parts: dict[str, dict] = {}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = value
    run.trained.load_state_dict(parts["trained"])
    run.kept.load_state_dict(parts["kept"])
    state: dict[int, dict] = {}
    for name, value in parts.get("optimiser", {}).items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    groups = run.optimiser.state_dict()["param_groups"]
    run.optimiser.load_state_dict({"state": state, "param_groups": groups})
    run.epoch, run.history = header["epoch"], header["history"]
    if header["best"]:
        run.best = Best(header["best"]["loss"], header["best"]["epoch"], parts["best"])


def fingerprint(frames: Sequence[Frame]) -> str:
    """SHA-256 of configurations, labels and sources, in their order."""
    digest = hashlib.sha256()
    for f in frames:
        tensors = (
            f.state.numbers.numpy(),
            f.state.cell.numpy(),
            f.state.positions.numpy(),
            f.forces,
            f.stress,
        )
        for array in tensors:
            digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
        digest.update(f"{f.energy!r} {f.group} {f.source}".encode())
    return digest.hexdigest()


def _changed(old: dict, new: dict, path: str = "") -> list[str]:
    """Dotted paths of settings that differ."""
    out = []
    for key in sorted(set(old) | set(new)):
        a, b, dotted = old.get(key), new.get(key), f"{path}{key}"
        out += (
            _changed(a, b, f"{dotted}.")
            if isinstance(a, dict) and isinstance(b, dict)
            else [dotted] * (a != b)
        )
    return out
