"""Predicted energies, forces and virials of a batch, and how far they are from the labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nnp.potential import Potential
from nnp.state import Tensor
from nnp.train.batch import Batch


@dataclass(frozen=True)
class Prediction:
    """energy: (b,) eV, float64; forces: (n, 3) eV/Å; virial: (b, 3, 3) eV."""

    energy: Tensor
    forces: Tensor
    virial: Tensor


def predict(potential: Potential, batch: Batch, for_training: bool) -> Prediction:
    """One forward and one backward pass through the pair vectors: g = ∂E/∂r gives forces and virial Σ r ⊗ g.

    for_training keeps the graph, so that the loss can be differentiated in the parameters.
    """
    r = batch.vectors.detach().requires_grad_(True)
    sites = potential.site_energies(batch.graph(r))
    (g,) = torch.autograd.grad(sites.sum(), r, create_graph=for_training)
    forces = torch.zeros_like(batch.forces).index_add(0, batch.i, g).index_add(0, batch.j, g, alpha=-1.0)
    on_atoms = g.new_zeros(len(batch.numbers), 9).index_add(
        0, batch.i, (r[:, :, None] * g[:, None, :]).flatten(1)
    )
    frames = len(batch.sizes)
    return Prediction(
        energy=torch.zeros(frames, dtype=torch.float64).index_add(0, batch.frame, sites.double()),
        forces=forces,
        virial=g.new_zeros(frames, 9).index_add(0, batch.frame, on_atoms).reshape(-1, 3, 3),
    )


@dataclass(frozen=True)
class Weights:
    """Factors of the three terms."""

    energy: float
    forces: float
    stress: float


def loss(p: Prediction, batch: Batch, weights: Weights) -> Tensor:
    """Weighted mean squares: energy and virial per atom, force components; float64 scalar.

    A frame's weight multiplies its energy and virial, and the force components of its atoms.
    """
    energy = ((p.energy - batch.energy) / batch.sizes).square()
    virial = ((p.virial - batch.virial).double() / batch.sizes[:, None, None]).square().mean((1, 2))
    atoms = batch.weight[batch.frame]
    forces = (p.forces - batch.forces).double().square().mean(1)
    known = batch.weight * batch.has_virial
    return (
        weights.energy * (batch.weight * energy).mean()
        + weights.forces * (atoms * forces).mean()
        + weights.stress * (known * virial).mean()
    )
