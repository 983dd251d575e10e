"""What changes during a training run: the learning rate and the factors of the loss."""

from __future__ import annotations

import math

from nnp.train.loss import Weights
from nnp.train.settings import Loss, Optimiser


def rate(step: int, steps: int, o: Optimiser) -> float:
    """Learning rate: a linear warm-up times the way from learning_rate to final_rate."""
    t = min(1.0, step / steps)
    if o.schedule == "exponential":
        value = o.learning_rate * (o.final_rate / o.learning_rate) ** t
    else:
        left = {"cosine": 0.5 * (1.0 + math.cos(math.pi * t)), "linear": 1.0 - t, "constant": 1.0}
        value = o.final_rate + (o.learning_rate - o.final_rate) * left[o.schedule]
    return min(1.0, (step + 1) / max(1, o.warm_up)) * value


def weights(epoch: int, epochs: int, l: Loss) -> Weights:
    """Factors of the loss in an epoch (counted from 0)."""
    if epoch < l.late_from * epochs:
        return Weights(l.energy, l.forces, l.stress, l.stress_gpa, l.robust)
    energy, stress = l.energy * l.late_energy, l.stress * l.late_stress
    return Weights(energy, l.forces, stress, l.stress_gpa * l.late_stress, l.robust)
