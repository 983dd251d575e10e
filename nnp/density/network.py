"""From the invariants of one atom to its energy."""

from __future__ import annotations

import itertools

import torch

from nnp.state import Tensor


class SiteNetwork(torch.nn.Module):
    """ε = scale · (perceptron(f) + linear(f)) + offset, f the standardised invariants; eV.

    SiLU keeps it smooth. mean and spread (of the training data) standardise the invariants; offset starts as
    the element's reference energy and is trained with the rest.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, inputs: int, hidden: tuple[int, ...]):
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))
        widths = (inputs, *hidden)
        layers = itertools.chain(
            *((torch.nn.Linear(a, b), torch.nn.SiLU()) for a, b in itertools.pairwise(widths))
        )
        self.layers = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], 1))
        self.linear = torch.nn.Parameter(torch.zeros(inputs))
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.offset = torch.nn.Parameter(torch.zeros(()))

    def forward(self, invariants: Tensor) -> Tensor:
        """Energies (S,) of the invariants (S, inputs)."""
        f = (invariants - self.mean) / self.spread
        return self.scale * (self.layers(f).squeeze(1) + f @ self.linear) + self.offset

    def standardise(self, invariants: Tensor) -> None:
        """Take mean and spread from the invariants (S, inputs) of typical sites."""
        self.mean.copy_(invariants.mean(0))
        self.spread.copy_(invariants.std(0, correction=0) + 1e-3)
