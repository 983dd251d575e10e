"""Going on from a model: new elements, frozen parts, reference energies on the scale of the new data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from nnp.committee import Committee
from nnp.data import Frame
from nnp.families import load
from nnp.neural import NeuralPotential
from nnp.storage import ModelFileError, find_model
from nnp.train.config import ConfigError
from nnp.train.settings import Training
from nnp.train.sources import Offsets, reference_energies, residuals


def starting_model(config: Training) -> NeuralPotential:
    """The model that `start_from` names, float64. ConfigError, ModelFileError."""
    path, mark, place = config.start_from.partition("#")
    try:
        model = load(find_model(path))
    except ModelFileError as error:
        raise ConfigError(f"start_from: {error}") from None
    if isinstance(model, Committee):
        if not place.isdecimal() or int(place) >= len(model.members):
            last = len(model.members) - 1
            raise ConfigError(f"start_from: '{path}' is a committee; name a member, '{path}#0' to '#{last}'")
        model = model.members[int(place)]  # type: ignore[assignment]
    elif mark:
        raise ConfigError(f"start_from: '{path}' holds one model and has no member '{place}'")
    assert isinstance(model, NeuralPotential)
    return model


def with_start(config: Training) -> Training:
    """The settings with the sizes of the model that training starts from. ConfigError when they are given and
    others, or `freeze` names a part that is not there."""
    if not config.start_from:
        return config
    old = starting_model(config)
    given, wanted = dataclasses.asdict(config.model), dataclasses.asdict(old.architecture)  # type: ignore[call-overload]
    if config.model != Training().model and given != wanted:
        key = next(k for k in {**given, **wanted} if given.get(k) != wanted.get(k))
        raise ConfigError(
            f"model.{key}: {given.get(key)}, but start_from has {wanted.get(key)}; leave it out"
        )
    for name in config.freeze:
        if name not in old.parts():
            raise ConfigError(f"freeze: no part '{name}' (there are: {', '.join(old.parts())})")
    return dataclasses.replace(config, model=old.architecture)


def member_start(start_from: str, k: int) -> str:
    """Where the k-th member of a new committee starts: at one member each, if it starts from a committee."""
    path, mark, _ = start_from.partition("#")
    if not start_from or mark:
        return start_from
    model = load(find_model(path))
    return f"{path}#{k % len(model.members)}" if isinstance(model, Committee) else start_from


def take_over(config: Training, model: NeuralPotential, offsets: Offsets, frames: Sequence[Frame]) -> None:
    """Give a fresh model what the starting model knows, and set the reference energies.

    Those of the old elements are moved by what the frames of old elements alone ask for (with
    refit_reference), those of the new ones and the offsets of the sources by what is left then: least squares.
    """
    old = starting_model(config)
    try:
        model.adopt(old)
    except ValueError as error:
        raise ConfigError(f"start_from: {error}") from None
    _check(model, old, frames)
    left = residuals(model, frames)
    is_old = [set(f.state.numbers.tolist()) <= set(old.numbers) for f in frames]
    groups = [(is_old, old.numbers, not config.refit_reference)]
    if not all(is_old):
        added = [z for z in model.numbers if z not in old.numbers]
        fixed = any(is_old) or not config.refit_reference
        groups.append(([not o for o in is_old], tuple(added) if fixed else model.numbers, False))
    for chosen, numbers, only_further in groups:
        left = left - _fit(model, offsets, frames, left, np.flatnonzero(chosen), numbers, only_further)
    for name in config.freeze:
        for parameter in model.parts()[name]:
            parameter.requires_grad_(False)


@torch.no_grad()
def _fit(
    model: NeuralPotential,
    offsets: Offsets,
    frames: Sequence[Frame],
    left: np.ndarray,
    chosen: np.ndarray,
    numbers: Sequence[int],
    only_further: bool,
) -> np.ndarray:
    """Move references and offsets of the elements `numbers` after the chosen frames; what all frames got, eV."""
    if len(chosen) == 0:
        return np.zeros(len(frames))
    some = [frames[k] for k in chosen]
    first, further = reference_energies(some, numbers, left[chosen], offsets.sources, only_further)
    model.shift_energies(dict(zip(numbers, first.tolist())))
    columns = [offsets.numbers.index(z) for z in numbers]
    offsets.values[:, columns] += torch.as_tensor(further)
    table = np.concatenate([first[None], first + further])
    rows = [offsets.sources.index(f.source) for f in frames]
    counts = np.array([[int((f.state.numbers == z).sum()) for z in numbers] for f in frames])
    return (table[rows] * counts).sum(1)


def _check(model: NeuralPotential, old: NeuralPotential, frames: Sequence[Frame]) -> None:
    """New elements must leave the energies of the old ones among themselves alone."""
    known = next((f for f in frames if set(f.state.numbers.tolist()) <= set(old.numbers)), None)
    if known is not None and model.numbers != old.numbers:
        new, before = (float(residuals(m, [known])[0]) for m in (model, old))
        if abs(new - before) > 1e-4 * len(known.state):
            raise ConfigError("start_from: potentials of this family cannot be given new elements")
