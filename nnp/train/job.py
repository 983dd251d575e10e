"""A training job: data file in, folder with model, errors and learning curve out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from nnp.data import Frame, free_atom, read_frames, split
from nnp.families import save
from nnp.statistics import remember
from nnp.train import checkpoint
from nnp.train.config import ConfigError, Training, as_plain
from nnp.train.errors import errors_of_frames
from nnp.train.loop import Progress, Run, train
from nnp.train.report import plot_curve, write_curve


@dataclass(frozen=True)
class Outcome:
    """model: the path of the model file; errors: {"training": …, "validation": …} by configuration type."""

    model: Path
    errors: dict[str, dict[str, Any]]


def run_job(
    config: Training, data: Path, folder: Path, resume: bool = False, progress: Progress | None = None
) -> Outcome:
    """Train on an extended XYZ file and write into `folder`: model.safetensors, errors.json,
    learning_curve.csv and .png, train.yaml (every default written out), checkpoint.safetensors.

    DataError for the data, ConfigError for the settings, and for a folder that holds a run already.
    """
    frames = read_frames(data, config.data.keys)
    training, validation = split(
        frames, config.data.validation, config.data.split_seed, config.data.always_train
    )
    training += [free_atom(symbol, energy) for symbol, energy in config.data.free_atoms.items()]
    _check_types(config, training, data)
    if not resume and (folder / checkpoint.NAME).exists():
        raise ConfigError(f"'{folder}' holds a training run already: resume it, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.yaml").write_text(yaml.safe_dump(as_plain(config), sort_keys=False))
    run = train(config, training, validation, folder, resume, progress)
    return _results(run, config, data, training, validation, folder)


def _check_types(config: Training, frames: list[Frame], data: Path) -> None:
    known = {f.group for f in frames}
    for name in config.loss.config_types:
        if name not in known:
            have = ", ".join(sorted(known))
            raise ConfigError(f"loss.config_types.{name}: no such type in {data} (there are: {have})")


def _results(
    run: Run, config: Training, data: Path, training: list[Frame], validation: list[Frame], folder: Path
) -> Outcome:
    model = run.average.double()
    errors = {"training": errors_of_frames(model, training)}
    if validation:
        errors["validation"] = errors_of_frames(model, validation)
    source = {
        "file": data.name,
        "sha256": hashlib.sha256(data.read_bytes()).hexdigest(),
        "training_frames": len(training),
        "validation_frames": [f.index for f in validation],
    }
    header = {"data": source, "config": as_plain(config), "errors": errors}
    remember(model, training)
    path = folder / "model.safetensors"
    save(model.to(getattr(torch, config.dtype)), path, header)
    (folder / "errors.json").write_text(json.dumps(errors, indent=1) + "\n")
    write_curve(run.history, folder / "learning_curve.csv")
    plot_curve(run.history, folder / "learning_curve.png")
    return Outcome(path, errors)
