"""A training run before its first epoch."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch

from nnp.data import Frame
from nnp.families import make_neural
from nnp.potential import Graph
from nnp.train.batch import Batch, collate
from nnp.train.run import Run
from nnp.train.settings import Optimiser, Training
from nnp.train.sources import Offsets, reference_energies, sources_of
from nnp.train.transfer import starting_model, take_over


def start(config: Training, frames: Sequence[Frame], batches: Sequence[Batch]) -> Run:
    """A fresh run: weights from the seed or from a model, reference energies, offsets of the sources and
    standardisation from the data."""
    torch.manual_seed(config.seed)
    numbers = {int(z) for f in frames for z in f.state.numbers}
    numbers |= set(starting_model(config).numbers) if config.start_from else set()
    model = make_neural(config.model, sorted(numbers)).to(getattr(torch, config.dtype))
    reference, further = reference_energies(frames, model.numbers)
    offsets = Offsets(sources_of(frames), model.numbers)
    model.prepare(typical(batches), dict(zip(model.numbers, reference.tolist())))
    if config.start_from:
        take_over(config, model, offsets, frames)
    else:
        with torch.no_grad():
            offsets.values.copy_(torch.as_tensor(further))
    trained = torch.nn.ModuleDict({"model": model, "offsets": offsets})
    kept = copy.deepcopy(trained).requires_grad_(False)
    return Run(trained, kept, optimiser(trained, config.optimiser))


def optimiser(trained: torch.nn.ModuleDict, o: Optimiser) -> torch.optim.Optimizer:
    """AdamW that lets only matrices of the model decay: a reference energy, an offset or a bias has no reason
    to be small."""
    free = [p for p in trained["model"].parameters() if p.requires_grad]
    matrices = [p for p in free if p.ndim > 1]
    others = [p for p in free if p.ndim <= 1] + [p for p in trained["offsets"].parameters() if p.numel()]
    groups = [{"params": matrices, "weight_decay": o.weight_decay}, {"params": others, "weight_decay": 0.0}]
    groups = [g for g in groups if g["params"]]
    return torch.optim.AdamW(groups, lr=o.learning_rate, amsgrad=o.amsgrad)


def typical(batches: Sequence[Batch], at_most: int = 48) -> Graph:
    """The environments of evenly chosen frames."""
    some = collate([batches[k] for k in np.unique(np.linspace(0, len(batches) - 1, at_most).astype(int))])
    return some.graph(some.vectors)
