"""A training job: data files in, folder with model or committee, errors and learning curve out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnp import locking
from nnp.data import DataError, Frame, free_atom, read_frames, refuse_duplicates, split
from nnp.families import save
from nnp.statistics import remember
from nnp.train import checkpoint
from nnp.train.checks import check_units
from nnp.train.config import ConfigError, Training, as_plain, portable, with_paths
from nnp.train.errors import errors_of_frames
from nnp.train.loop import Progress, train
from nnp.train.report import plot_curve, write_curve
from nnp.train.run import Run
from nnp.train.settings import DataFile
from nnp.train.sources import Shifts, sources_of
from nnp.train.transfer import with_start
from nnp.yamlfile import write

MODEL = "model.safetensors"
Source = str | Path | DataFile


@dataclass(frozen=True)
class Outcome:
    """model: the path of the model file; errors: {"training": …, "validation": …} by configuration type;
    members: the same of each member of a committee; shifts: what the energies of the further sources lie
    above those of the first, eV per atom."""

    model: Path
    errors: dict[str, dict[str, Any]]
    shifts: Shifts
    members: tuple[dict[str, dict[str, Any]], ...] = ()


@dataclass(frozen=True)
class Parts:
    """The frames of a job: to train on, and held out."""

    training: list[Frame]
    validation: list[Frame]


def with_files(config: Training, data: Source | Sequence[Source]) -> Training:
    """The settings with these data files in place of their own, if there are any."""
    given = [data] if isinstance(data, str | Path | DataFile) else list(data)
    files = tuple(d if isinstance(d, DataFile) else DataFile(str(d)) for d in given) or config.data.files
    if not files:
        raise ConfigError("data.files: no data; name them there or with --data")
    return replace(config, data=replace(config.data, files=files))


def read_parts(config: Training) -> Parts:
    """Read the data files, check and split them. DataError."""
    d, frames = config.data, []
    for file in d.files:
        frames += read_frames(file.file, file.keys or d.keys, file.source, d.forces == "required")
    refuse_duplicates(frames)
    check_units(frames, d.suspicious == "refuse")
    training, validation = split(frames, d.validation, d.split_seed, d.always_train)
    if d.bootstrap:
        training = _drawn(training, config.seed, d.always_train)
    # the first file's first source sets the zero of energy, wherever the split puts its frames
    first = frames[0].source
    training = sorted(training, key=lambda f: f.source != first)
    lost = set(sources_of(validation)) - set(sources_of(training))
    if lost or first not in sources_of(training):
        raise DataError(f"no frames of the source '{min(lost | {first})}' are left to train on")
    training += [replace(free_atom(s, energy), source=first) for s, energy in d.free_atoms.items()]
    _refuse_unknown_elements(training, validation)
    _check_types(config, training)
    return Parts(training, validation)


def _drawn(frames: list[Frame], seed: int, whole: Sequence[str]) -> list[Frame]:
    """As many frames of each type and source, drawn with replacement; types in `whole` as they are."""
    rng = np.random.default_rng((seed, 1))
    out: list[Frame] = []
    for kind in sorted({(f.source, f.group) for f in frames}):
        own = [f for f in frames if (f.source, f.group) == kind]
        out += own if kind[1] in whole else [own[k] for k in rng.integers(len(own), size=len(own))]
    return out


def _refuse_unknown_elements(training: list[Frame], validation: list[Frame]) -> None:
    known = {int(z) for f in training for z in f.state.numbers}
    for frame in validation:
        if not known.issuperset(frame.state.numbers.tolist()):
            raise DataError(f"{frame.where}: is held out, but no frame to train on has all its elements")


def _check_types(config: Training, frames: list[Frame]) -> None:
    known = {f.group for f in frames}
    for name in config.loss.config_types:
        if name not in known:
            have = ", ".join(sorted(known))
            raise ConfigError(f"loss.config_types.{name}: no such type in the data (there are: {have})")


def run_job(
    config: Training,
    data: Source | Sequence[Source],
    folder: Path,
    resume: bool = False,
    progress: Progress | None = None,
    jobs: int = 1,
) -> Outcome:
    """Train on extended XYZ files (those of config.data.files if `data` is empty) and write into `folder`:
    model.safetensors, errors.json, learning_curve.csv and .png, train.yaml (every default written out),
    checkpoint.safetensors; of a committee all these in member_0, member_1, …, and the committee,
    calibrated on the frames held out, its errors and reliability.png in `folder`. `jobs`: members trained at a time.

    DataError for the data, ConfigError for the settings, and for a folder that holds a run already.
    """
    from nnp.train.members import run_members

    config = with_files(config, data)
    if config.members > 1:
        try:
            return run_members(config, folder, resume, progress, jobs)
        finally:
            locking.release(folder)
    config = with_start(config)
    return run_one(config, read_parts(config), folder, resume, progress)


def run_one(
    config: Training, parts: Parts, folder: Path, resume: bool = False, progress: Progress | None = None
) -> Outcome:
    """Train one model; see run_job."""
    if resume and not (folder / checkpoint.NAME).is_file():
        raise ConfigError(f"nothing to resume: no {checkpoint.NAME} in '{folder}'")
    open_folder(config, folder, resume)
    try:
        run = train(config, parts.training, parts.validation, folder, resume, progress)
        return _results(run, config, parts, folder)
    finally:
        locking.release(folder)


def open_folder(config: Training, folder: Path, resume: bool) -> None:
    """Make the folder, hold it (until locking.release), and write down the settings. ConfigError when it holds a run
    that is not resumed, or another process is at work in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        locking.take(folder)
    except locking.FolderInUseError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"cannot make the folder '{folder}': {error.strerror}") from None
    if not resume and any((folder / name).exists() for name in (checkpoint.NAME, "member_0", MODEL)):
        locking.release(folder)
        raise ConfigError(f"'{folder}' holds a training run already: resume it, or choose another folder")
    here = with_paths(config, lambda file: os.path.relpath(file, folder))
    (folder / "train.yaml").write_text(write(as_plain(here)), encoding="utf-8")


def _results(run: Run, config: Training, parts: Parts, folder: Path) -> Outcome:
    model, shifts = run.average.double(), run.average_offsets.shifts()
    errors = errors_by_part(model, parts, shifts)
    header = {"data": data_of(config, parts), "config": portable(config), "errors": errors}
    if shifts:
        header["source_shifts"] = shifts
    write_errors(folder, errors, shifts)
    write_curve(run.history, folder / "learning_curve.csv")
    plot_curve(run.history, folder / "learning_curve.png")
    remember(model, list({id(f): f for f in parts.training}.values()))  # a frame may have been drawn twice
    path = folder / MODEL
    save(model.to(getattr(torch, config.dtype)), path, header)
    return Outcome(path, errors, shifts)


def errors_by_part(model: Any, parts: Parts, shifts: Shifts) -> dict[str, dict[str, Any]]:
    """{"training": …, "validation": …}; without "validation" where nothing is held out."""
    both = {"training": parts.training, "validation": parts.validation}
    return {name: errors_of_frames(model, frames, shifts=shifts) for name, frames in both.items() if frames}


def write_errors(folder: Path, errors: dict[str, Any], shifts: Shifts) -> None:
    content = {**errors, "source_shifts": shifts} if shifts else errors
    (folder / "errors.json").write_text(json.dumps(content, indent=1) + "\n")


def data_of(config: Training, parts: Parts) -> dict[str, Any]:
    """Where a model comes from, for its header."""
    files = [Path(f.file) for f in config.data.files]
    sums = [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]
    held = [f.index for f in parts.validation]
    found = {
        "file": ", ".join(f.name for f in files),
        "sha256": sums[0] if len(sums) == 1 else sums,
        "sources": list(sources_of(parts.training)),
        "training_frames": len(parts.training),
        "validation_frames": held
        if len(files) == 1
        else [f"{Path(f.file).name} {f.index}" for f in parts.validation],
    }
    return found
