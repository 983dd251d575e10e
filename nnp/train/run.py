"""The state of a training run between two epochs."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from nnp.neural import NeuralPotential
from nnp.state import Tensor
from nnp.train.sources import Offsets


@dataclass(frozen=True)
class Best:
    """The average with the smallest validation loss: that loss, its epoch and its weights."""

    loss: float
    epoch: int
    state: dict[str, Tensor]


@dataclass
class Run:
    """trained and kept: the model and the offsets of the sources under "model" and "offsets", as the optimiser
    has them and as their moving average. history: one row per epoch (epoch, loss, rate, and validation loss
    and errors where they were computed). best: only with early stop."""

    trained: torch.nn.ModuleDict
    kept: torch.nn.ModuleDict
    optimiser: torch.optim.Optimizer
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: Best | None = None

    @property
    def model(self) -> NeuralPotential:
        return self.trained["model"]  # type: ignore[return-value]

    @property
    def average(self) -> NeuralPotential:
        return self.kept["model"]  # type: ignore[return-value]

    @property
    def offsets(self) -> Offsets:
        return self.trained["offsets"]  # type: ignore[return-value]

    @property
    def average_offsets(self) -> Offsets:
        return self.kept["offsets"]  # type: ignore[return-value]
