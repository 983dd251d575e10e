"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from nnp.data import Frame
from nnp.density.model import DensityPotential
from nnp.train import checkpoint
from nnp.train.batch import Batch, collate, prepare
from nnp.train.config import ConfigError
from nnp.train.errors import errors
from nnp.train.loss import Weights, loss, predict
from nnp.train.run import Best, Run
from nnp.train.schedule import rate, weights
from nnp.train.settings import Optimiser, Training
from nnp.train.sources import sources_of
from nnp.train.start import start
from nnp.train.tables import Table, join, predict_tabulated, tabulate

Progress = Callable[[dict[str, float]], None]


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
    model as one that was never interrupted (the order of the frames depends on seed and epoch alone). The
    sources of the frames are counted in the order in which `training` names them.
    """
    dtype, factor = getattr(torch, config.dtype), config.loss.config_types
    sources = sources_of(training)

    def ready(frame: Frame, weight: float) -> Batch:
        return prepare(frame, config.model.cutoff, dtype, weight, sources.index(frame.source))

    batches = [ready(f, factor.get(f.group, 1.0)) for f in training]
    held = [ready(f, 1.0) for f in validation]
    run = start(config, training, batches)
    if resume:
        checkpoint.restore(run, folder, config, [*training, *validation])
    tables = tabulate(run.model, batches)
    while not _finished(run, config.optimiser):
        row = _epoch(run, config, batches, tables)
        last = run.epoch == config.optimiser.epochs
        if last or run.epoch % config.checkpoint_every == 0:
            row |= _validation(run, config, held, validation)
            checkpoint.store(run, folder, config, [*training, *validation])
        if progress:
            progress(row)
    if run.best:
        run.kept.load_state_dict(run.best.state)
    return run


def _finished(run: Run, o: Optimiser) -> bool:
    waited = run.epoch - run.best.epoch if run.best else 0
    return run.epoch >= o.epochs or (o.patience > 0 and waited >= o.patience)


def _epoch(
    run: Run, config: Training, batches: Sequence[Batch], tables: Sequence[Table] | None
) -> dict[str, Any]:
    o = config.optimiser
    order = np.random.default_rng((config.seed, run.epoch)).permutation(len(batches))
    groups = [order[k : k + o.batch] for k in range(0, len(order), o.batch)]
    factors, total = weights(run.epoch, o.epochs, config.loss), 0.0
    for k, members in enumerate(groups):
        step = run.epoch * len(groups) + k
        for group in run.optimiser.param_groups:
            group["lr"] = rate(step, o.epochs * len(groups), o)
        batch = collate([batches[m] for m in members])
        table = join([tables[m] for m in members]) if tables else None
        total += _step(run, batch, table, factors, o.clip)
        _average(run, min(o.average, (1 + step) / (10 + step)))
    if not math.isfinite(total):
        raise ConfigError(
            f"optimiser.learning_rate: the loss is not finite in epoch {run.epoch + 1}; take a smaller rate"
        )
    run.epoch += 1
    row = {"epoch": run.epoch, "loss": total / len(groups), "rate": run.optimiser.param_groups[0]["lr"]}
    run.history.append(row)
    return row


def _step(run: Run, batch: Batch, table: Table | None, factors: Weights, clip: float) -> float:
    if table is None:
        p = predict(run.model, batch, for_training=True)
    else:
        p = predict_tabulated(cast(DensityPotential, run.model), table, batch)
    value = loss(replace(p, energy=p.energy + run.offsets(batch)), batch, factors)
    run.optimiser.zero_grad()
    value.backward()
    if clip > 0.0:
        torch.nn.utils.clip_grad_norm_([*run.model.parameters(), *run.offsets.parameters()], clip)
    run.optimiser.step()
    return float(value.detach())


@torch.no_grad()
def _average(run: Run, decay: float) -> None:
    torch._foreach_lerp_(list(run.kept.parameters()), list(run.trained.parameters()), 1.0 - decay)


def _validation(
    run: Run, config: Training, held: Sequence[Batch], frames: Sequence[Frame]
) -> dict[str, float]:
    """Errors of the average on the held-out frames, and its loss there with the factors of the last epoch."""
    if not held:
        return {}
    with torch.no_grad():
        compared = [replace(b, energy=b.energy - run.average_offsets(b)) for b in held]
    table = errors(run.average, compared, frames)["all"]
    found = {name: table[name]["rmse"] for name in ("energy", "forces", "stress") if table[name]}
    factors = weights(config.optimiser.epochs - 1, config.optimiser.epochs, config.loss)
    found["validation"] = _score(table, factors)
    if config.optimiser.patience and (run.best is None or found["validation"] < run.best.loss):
        state = {k: v.clone() for k, v in run.kept.state_dict().items()}
        run.best = Best(found["validation"], run.epoch, state)
    return found


def _score(table: dict[str, Any], factors: Weights) -> float:
    terms = {
        "energy": 1e-6 * factors.energy,  # meV
        "forces": factors.forces,
        "virial": 1e-6 * factors.stress,
        "stress": factors.stress_gpa,
    }
    return sum(factor * table[name]["rmse"] ** 2 for name, factor in terms.items() if table[name])
