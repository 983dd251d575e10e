"""The training loop."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnp.data import Frame
from nnp.families import make_neural
from nnp.neural import NeuralPotential
from nnp.potential import Graph
from nnp.train import checkpoint
from nnp.train.batch import Batch, collate, prepare
from nnp.train.config import Loss, Optimiser, Training
from nnp.train.errors import errors
from nnp.train.loss import Weights, loss, predict

Progress = Callable[[dict[str, float]], None]


@dataclass
class Run:
    """A training run between two epochs: the model, its moving average, the optimiser and the history
    (one row per epoch: epoch, loss, rate, and validation errors where they were computed)."""

    model: NeuralPotential
    average: NeuralPotential
    optimiser: torch.optim.Optimizer
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def train(
    config: Training,
    training: Sequence[Frame],
    validation: Sequence[Frame],
    folder: Path,
    resume: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Fit a model and return the finished run; `run.average` is the model to keep.

    A checkpoint goes to `folder` every few epochs. With `resume` the run goes on from it and ends in the same
    model as one that was never interrupted (the order of the frames depends on seed and epoch alone).
    """
    dtype = getattr(torch, config.dtype)
    factor = config.loss.config_types
    batches = [prepare(f, config.model.cutoff, dtype, factor.get(f.group, 1.0)) for f in training]
    held = [prepare(f, config.model.cutoff, dtype) for f in validation]
    run = start(config, training, batches)
    if resume:
        checkpoint.restore(run, folder, config)
    while run.epoch < config.optimiser.epochs:
        row = _epoch(run, config, batches)
        last = run.epoch == config.optimiser.epochs
        if last or run.epoch % config.checkpoint_every == 0:
            row |= _validation(run.average, held, validation)
            checkpoint.store(run, folder, config)
        if progress:
            progress(row)
    return run


def start(config: Training, frames: Sequence[Frame], batches: Sequence[Batch]) -> Run:
    """A fresh run: random weights from the seed, reference energies and standardisation from the data."""
    torch.manual_seed(config.seed)
    numbers = sorted({int(z) for f in frames for z in f.state.numbers})
    model = make_neural(config.model, numbers).to(getattr(torch, config.dtype))
    reference = reference_energies(frames, numbers)
    model.prepare(typical(batches), dict(zip(numbers, reference.tolist())))
    return Run(model, copy.deepcopy(model).requires_grad_(False), _optimiser(model, config.optimiser))


def _optimiser(model: NeuralPotential, o: Optimiser) -> torch.optim.Optimizer:
    """AdamW that lets only matrices decay: a reference energy or a bias has no reason to be small."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": o.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=o.learning_rate, amsgrad=True)


def reference_energies(frames: Sequence[Frame], numbers: Sequence[int]) -> np.ndarray:
    """Energy of an atom of each element, least squares over the frames (smallest norm in doubt), eV."""
    counts = np.array([[(f.state.numbers == z).sum().item() for z in numbers] for f in frames], float)
    return np.linalg.lstsq(counts, np.array([f.energy for f in frames]), rcond=None)[0]


def typical(batches: Sequence[Batch], at_most: int = 48) -> Graph:
    """The environments of evenly chosen frames."""
    some = collate([batches[k] for k in np.unique(np.linspace(0, len(batches) - 1, at_most).astype(int))])
    return some.graph(some.vectors)


def rate(step: int, steps: int, o: Optimiser) -> float:
    """Learning rate: linear warm-up times a half cosine from learning_rate to final_rate."""
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / steps)))
    return min(1.0, (step + 1) / max(1, o.warm_up)) * (
        o.final_rate + (o.learning_rate - o.final_rate) * cosine
    )


def weights(epoch: int, epochs: int, l: Loss) -> Weights:
    """Factors of the loss in an epoch (counted from 0)."""
    if epoch < l.late_from * epochs:
        return Weights(l.energy, l.forces, l.stress)
    return Weights(l.energy * l.late_energy, l.forces, l.stress * l.late_stress)


def _epoch(run: Run, config: Training, batches: Sequence[Batch]) -> dict[str, Any]:
    o = config.optimiser
    order = np.random.default_rng((config.seed, run.epoch)).permutation(len(batches))
    groups = [order[k : k + o.batch] for k in range(0, len(order), o.batch)]
    factors, total = weights(run.epoch, o.epochs, config.loss), 0.0
    for k, members in enumerate(groups):
        step = run.epoch * len(groups) + k
        for group in run.optimiser.param_groups:
            group["lr"] = rate(step, o.epochs * len(groups), o)
        total += _step(run, collate([batches[m] for m in members]), factors, o.clip)
        _average(run, min(o.average, (1 + step) / (10 + step)))
    run.epoch += 1
    row = {"epoch": run.epoch, "loss": total / len(groups), "rate": run.optimiser.param_groups[0]["lr"]}
    run.history.append(row)
    return row


def _step(run: Run, batch: Batch, factors: Weights, clip: float) -> float:
    value = loss(predict(run.model, batch, for_training=True), batch, factors)
    run.optimiser.zero_grad()
    value.backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), clip)
    run.optimiser.step()
    return float(value.detach())


@torch.no_grad()
def _average(run: Run, decay: float) -> None:
    torch._foreach_lerp_(list(run.average.parameters()), list(run.model.parameters()), 1.0 - decay)


def _validation(model: NeuralPotential, held: Sequence[Batch], frames: Sequence[Frame]) -> dict[str, float]:
    if not held:
        return {}
    table = errors(model, held, [f.group for f in frames], [f.volume for f in frames])["all"]
    return {name: table[name]["rmse"] for name in ("energy", "forces", "stress") if table[name]}
