"""Predicted energies, forces and virials of a batch, and how far they are from the labels."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from ase.units import GPa

from nnp.potential import Potential
from nnp.state import Tensor
from nnp.train.batch import Batch
from nnp.train.settings import Robust


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
    """Factors of the terms (nnp.train.settings.Loss), and the widths of the Huber loss."""

    energy: float
    forces: float
    stress: float
    stress_gpa: float = 0.0
    widths: Robust = field(default_factory=Robust)


def loss(p: Prediction, batch: Batch, weights: Weights) -> Tensor:
    """Weighted mean squares, or Huber's: energy and virial per atom, force components, stress; float64.

    A frame's weight multiplies its energy, virial and stress, and the force components of its atoms. What a
    frame does not know counts as right.
    """
    off_energy = (p.energy - batch.energy) / batch.sizes
    off_virial = (p.virial - batch.virial).double()
    atoms, known = (batch.weight * batch.has_forces)[batch.frame], batch.weight * batch.has_virial
    energy = huber(off_energy.square(), weights.widths.energy)
    forces = huber((p.forces - batch.forces).double().square().sum(1), weights.widths.forces) / 3.0
    virial = (off_virial / batch.sizes[:, None, None]).square().sum((1, 2))
    total = (
        weights.energy * (batch.weight * energy).mean()
        + weights.forces * (atoms * forces).mean()
        + weights.stress * (known * huber(virial, weights.widths.stress)).mean() / 9.0
    )
    if weights.stress_gpa == 0.0:
        return total
    volume = torch.where(batch.has_virial, batch.volume, 1.0) * GPa
    stress = (off_virial / volume[:, None, None]).square().mean((1, 2))
    return total + weights.stress_gpa * (known * stress).mean()


def huber(squares: Tensor, width: float) -> Tensor:
    """x² up to |x| = width and 2·width·|x| − width² beyond, given x²; width 0: x² throughout.

    Huber, Ann. Math. Statist. 35, 73 (1964), doi:10.1214/aoms/1177703732, times two.
    """
    if width == 0.0:
        return squares
    far = squares.clamp(min=width * width)  # √ has no derivative at zero
    return torch.where(squares <= width * width, squares, 2.0 * width * far.sqrt() - width * width)
