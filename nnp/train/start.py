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


def start(config: Training, frames: Sequence[Frame], batches: Sequence[Batch]) -> Run:
    """A fresh run: random weights from the seed, reference energies, offsets of the sources and
    standardisation from the data."""
    torch.manual_seed(config.seed)
    numbers = sorted({int(z) for f in frames for z in f.state.numbers})
    model = make_neural(config.model, numbers).to(getattr(torch, config.dtype))
    reference, further = reference_energies(frames, numbers)
    model.prepare(typical(batches), dict(zip(numbers, reference.tolist())))
    offsets = Offsets(sources_of(frames), numbers)
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
    return torch.optim.AdamW(groups, lr=o.learning_rate, amsgrad=o.amsgrad)


def typical(batches: Sequence[Batch], at_most: int = 48) -> Graph:
    """The environments of evenly chosen frames."""
    some = collate([batches[k] for k in np.unique(np.linspace(0, len(batches) - 1, at_most).astype(int))])
    return some.graph(some.vectors)
