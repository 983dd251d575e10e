"""The state of a training run on disk, so that a killed run goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnp.storage import ModelFileError, read_model, write_model
from nnp.train.config import ConfigError, Training, as_plain

if TYPE_CHECKING:
    from nnp.train.loop import Run

NAME = "checkpoint.safetensors"


def store(run: Run, folder: Path, config: Training) -> None:
    """Write the run to folder/checkpoint.safetensors; the file is whole or the old one at every moment."""
    tensors = {f"model.{k}": v for k, v in run.model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in run.average.state_dict().items()}
    for k, state in run.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{k}.{name}": value for name, value in state.items()}
    header = {"kind": "checkpoint", "epoch": run.epoch, "history": run.history, "config": as_plain(config)}
    # clones: safetensors refuses tensors that share memory
    write_model(folder / NAME, header, {k: v.detach().clone().contiguous() for k, v in tensors.items()})


def restore(run: Run, folder: Path, config: Training) -> None:
    """Bring a fresh run to the stored state.

    ConfigError when there is no checkpoint, or it was written by a run with other settings.
    """
    path = folder / NAME
    if not path.is_file():
        raise ConfigError(f"nothing to resume: no {NAME} in '{folder}'")
    header, tensors = read_model(path)
    if header.get("kind") != "checkpoint":
        raise ModelFileError(f"{path}: no checkpoint of a training run")
    changed = _changed(header["config"], as_plain(config))
    if changed:
        raise ConfigError(f"{changed[0]}: differs from the run in '{folder}'; resume needs the same settings")
    parts: dict[str, dict] = {"model": {}, "average": {}, "optimiser": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    run.model.load_state_dict(parts["model"])
    run.average.load_state_dict(parts["average"])
    state: dict[int, dict] = {}
    for name, value in parts["optimiser"].items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    groups = run.optimiser.state_dict()["param_groups"]
    run.optimiser.load_state_dict({"state": state, "param_groups": groups})
    run.epoch, run.history = header["epoch"], header["history"]


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
