"""Which frames of a trajectory are worth labelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nnp.committee import Committee
from nnp.evaluate import Sites, environments
from nnp.known import DIRECTIONS
from nnp.neighbors import find_pairs
from nnp.neural import NeuralPotential
from nnp.state import State, Tensor

MOST_ATOMS = 64
"""Atoms of a chosen frame that count as known from then on: its farthest."""


@dataclass(frozen=True)
class Chosen:
    """A frame's place in the trajectory; novelty: the extrapolation of its farthest atom, which is `atom`, from
    the training set and from the frames chosen before it."""

    frame: int
    atom: int
    novelty: float


def select(
    model: NeuralPotential | Committee,
    frames: Sequence[State],
    count: int,
    least: float = 0.5,
    counted: Sequence[Tensor | None] | None = None,
) -> list[Chosen]:
    """Up to `count` frames by farthest-point sampling: each holds the atom that is farthest (nnp.known) from
    all that the model was trained on and from the frames before it, as long as that is more than `least`.

    counted: of each frame which atoms count (n,) boolean, None for all: those with whole neighbourhoods.
    ValueError where the model holds no statistics of its training set.
    """
    one = model.members[0] if isinstance(model, Committee) else model
    if not isinstance(one, NeuralPotential) or one.known is None:
        raise ValueError("the model holds no statistics of its training set (`nnp stats` adds them)")
    seen = [_Seen.of(one, s, None if counted is None else counted[k]) for k, s in enumerate(frames)]
    chosen: list[Chosen] = []
    while len(chosen) < count and seen:
        novelty = [float(s.distance.max()) if len(s.distance) else 0.0 for s in seen]
        best = max(range(len(seen)), key=novelty.__getitem__)
        if novelty[best] <= least:
            break
        winner = seen[best]
        chosen.append(Chosen(best, int(winner.atom[winner.distance.argmax()]), novelty[best]))
        new = winner.farthest()
        seen = [s.knowing(new) for s in seen]
    return chosen


@dataclass(frozen=True)
class _Seen:
    """The counted atoms of a frame: index (m,), element (m,), place among the landmarks (m, k), and distance
    (m,) from what is known."""

    atom: Tensor
    element: Tensor
    place: Tensor
    distance: Tensor

    @classmethod
    def of(cls, model: NeuralPotential, state: State, counted: Tensor | None) -> _Seen:
        index = torch.arange(len(state)) if counted is None else torch.nonzero(counted)[:, 0]
        sites = Sites(index, torch.ones(len(index)))
        graph = environments(state, find_pairs(state, model.cutoff), sites)[1]
        columns: list[list[Tensor]] = [[], [], [], []]
        for k, known in enumerate(model.known or ()):
            own = graph.numbers == model.numbers[k]
            if known is None or not bool(own.any()):
                continue
            with torch.no_grad():
                invariants = model.invariants(graph, k)
            place = known.place(invariants)
            place = torch.nn.functional.pad(place, (0, DIRECTIONS - place.shape[1]))
            each = (index[own], torch.full((len(place),), k), place, known.distance(invariants))
            for column, values in zip(columns, each):
                column.append(values)
        if not columns[0]:
            none = torch.zeros(0, dtype=torch.long)
            return cls(none, none, torch.zeros(0, DIRECTIONS), torch.zeros(0))
        return cls(*(torch.cat(column) for column in columns))

    def farthest(self) -> _Seen:
        rows = self.distance.argsort(descending=True)[:MOST_ATOMS]
        return _Seen(self.atom[rows], self.element[rows], self.place[rows], self.distance[rows])

    def knowing(self, new: _Seen) -> _Seen:
        """The same atoms once those of another frame are known too."""
        if not len(self.atom):
            return self
        away = torch.cdist(self.place, new.place)
        other = self.element[:, None] != new.element
        nearest = away.masked_fill(other, torch.inf).amin(1)
        return _Seen(self.atom, self.element, self.place, torch.minimum(self.distance, nearest))
