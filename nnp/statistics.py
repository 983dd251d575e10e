"""What a model needs to remember of its training frames, to say later how far it extrapolates."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nnp.committee import Committee
from nnp.data import Frame
from nnp.device import OnDevice
from nnp.evaluate import environments
from nnp.known import Extrapolating, learn
from nnp.neighbors import find_pairs
from nnp.neural import NeuralPotential
from nnp.potential import Potential
from nnp.state import State, Tensor


def remember(model: NeuralPotential | Committee, frames: Sequence[Frame]) -> bool:
    """Set `known` of a model, or of the first member of a committee, from its training frames; whether its
    family can (False leaves it as it is). An element with fewer than two atoms is left out."""
    one = model.members[0] if isinstance(model, Committee) else model
    if not isinstance(one, NeuralPotential):
        return False
    try:
        found = [_invariants(one, frame.state) for frame in frames]
    except NotImplementedError:
        return False
    known = []
    for k in range(len(one.numbers)):
        each = [parts[k] for parts in found]
        origin = torch.repeat_interleave(torch.arange(len(each)), torch.tensor([len(x) for x in each]))
        known.append(learn(torch.cat(each), origin) if len(origin) >= 2 else None)
    one.known = tuple(known)
    return True


@torch.no_grad()
def _invariants(model: NeuralPotential, state: State) -> list[Tensor]:
    dtype = next(model.parameters()).dtype
    state = State(state.positions.to(dtype), state.numbers, state.cell.to(dtype), state.pbc)
    graph = environments(state, find_pairs(state, model.cutoff))[1]
    return [model.invariants(graph, k) for k in range(len(model.numbers))]


def extrapolating(potential: Potential) -> Extrapolating | None:
    """What measures the extrapolation of a potential: itself, or the first member of a committee; None where
    nothing does."""
    first = potential.members[0] if isinstance(potential, Committee) else potential
    if isinstance(first, OnDevice):
        return first if extrapolating(first.inner) is not None else None
    if isinstance(first, NeuralPotential):
        return first if first.known is not None else None
    return first if isinstance(first, Extrapolating) else None


def extrapolation(potential: Potential, state: State) -> Tensor:
    """See Extrapolating, of every atom of a state (n,). ValueError where nothing measures it."""
    measure = extrapolating(potential)
    if measure is None:
        raise ValueError("the potential holds no statistics of a training set (`nnp stats` adds them)")
    return measure.extrapolation(environments(state, find_pairs(state, potential.cutoff))[1])
