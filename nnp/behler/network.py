"""Feed-forward networks from symmetry functions to an energy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from nnp.state import Tensor

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
    "gaussian": lambda x: torch.exp(-0.5 * x * x),
    "cosine": torch.cos,
    "reverse-logistic": lambda x: torch.sigmoid(-x),
    "exponential": lambda x: torch.exp(-x),
    "harmonic": lambda x: x * x,
}
"""Smooth ones only: a kink in an activation is a kink in the forces."""


@dataclass(frozen=True)
class Layer:
    """y = activation(x W + b); weights (in, out), bias (out,); activation: a name in ACTIVATIONS."""

    weights: Tensor
    bias: Tensor
    activation: str = "tanh"

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            known = ", ".join(sorted(ACTIVATIONS))
            raise ValueError(f"unknown activation '{self.activation}'; one of {known}")
        if self.weights.shape[1:] != self.bias.shape:
            shapes = f"{tuple(self.weights.shape)} and {tuple(self.bias.shape)}"
            raise ValueError(f"weights and bias of a layer do not fit: {shapes}")

    def __call__(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.activation](torch.addmm(self.bias.to(x), x, self.weights.to(x)))


@dataclass(frozen=True)
class Scaling:
    """x = low + (G − offset) · factor; offset and factor (count,)."""

    offset: Tensor
    factor: Tensor
    low: float = 0.0

    def __call__(self, G: Tensor) -> Tensor:
        return self.low + (G - self.offset.to(G)) * self.factor.to(G)


@dataclass(frozen=True)
class Network:
    """ε = scale · layers(scaling(G)) + offset, eV."""

    scaling: Scaling
    layers: tuple[Layer, ...]
    scale: float = 1.0
    offset: float = 0.0

    def __call__(self, G: Tensor) -> Tensor:
        """Energies (S,) of the symmetry functions (S, count), eV."""
        x = self.scaling(G)
        for layer in self.layers:
            x = layer(x)
        return self.scale * x.squeeze(1) + self.offset
