"""How far an atom's neighbourhood is from those that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

import torch

from nnp.potential import Graph
from nnp.state import Tensor

DIRECTIONS = 32
LANDMARKS = 256
TYPICAL = 0.99
"""Fraction of the training set's neighbourhoods that come out below 1, see `learn`."""
FLAT = 1e-3
"""Deviation below which an invariant is no better than constant."""
NARROW = 0.03
"""Least width, in standardised invariants, that a direction counts with: what few or uniform data never vary
must not make everything else infinitely far."""


@runtime_checkable
class Extrapolating(Protocol):
    """A potential that can say how far it extrapolates."""

    def extrapolation(self, graph: Graph) -> Tensor:
        """(S,), no unit: 0 on a neighbourhood of the training set, about 1 where that is sparsest."""
        ...


@dataclass(frozen=True)
class Known:
    """The neighbourhoods of one element in a training set.

    mean: (N,) of the invariants; axes: (N, k) what makes k uncorrelated numbers of unit variance of the
    centred invariants; landmarks: (M, k) some neighbourhoods, spread evenly over all of them; scale: the
    distance that counts as 1.
    """

    mean: Tensor
    axes: Tensor
    landmarks: Tensor
    scale: Tensor

    def place(self, invariants: Tensor) -> Tensor:
        """Where invariants (s, N) lie among the landmarks, (s, k), in units of the scale."""
        mean, axes, scale = (t.to(invariants) for t in (self.mean, self.axes, self.scale))
        return (invariants - mean) @ (axes / scale)

    def distance(self, invariants: Tensor) -> Tensor:
        """Distance (s,) of invariants (s, N) from the nearest landmark, in units of the scale."""
        landmarks, scale = self.landmarks.to(invariants), self.scale.to(invariants)
        return torch.cdist(self.place(invariants), landmarks / scale).amin(1)


def learn(
    invariants: Tensor, frame: Tensor, directions: int = DIRECTIONS, landmarks: int = LANDMARKS
) -> Known:
    """Statistics of invariants (n, N) of atoms in the frames (n,).

    The invariants are whitened in their leading principal components; there the landmarks are those that
    farthest-point sampling picks, and the scale is the distance within which TYPICAL of the atoms find a
    landmark in another frame (another atom, where there is one frame only). A neighbourhood at 1 is thus as
    unlike the training set as the least usual ones in it are unlike the rest. Measured to single
    neighbourhoods, and not to their mean as leverage and the Mahalanobis distance are, it also sees the
    empty space between crystal, surface and liquid. ValueError for fewer than two atoms.
    """
    if len(invariants) < 2:
        raise ValueError("statistics need at least two atoms of an element")
    x = invariants.detach().double()
    mean = x.mean(0)
    deviation = x.std(0, correction=0) + FLAT
    _, size, directions_of = torch.linalg.svd((x - mean) / deviation, full_matrices=False)
    size = size[:directions] / len(x) ** 0.5
    axes = directions_of[:directions].T / (size.square() + NARROW**2).sqrt() / deviation[:, None]
    z = (x - mean) @ axes
    picked = _spread_out(z, landmarks)
    d = torch.cdist(z, z[picked])
    alone = bool((frame == frame[0]).all())
    own = picked == torch.arange(len(z))[:, None] if alone else frame[:, None] == frame[picked]
    nearest = d.masked_fill(own, torch.inf).amin(1)
    scale = torch.quantile(nearest[torch.isfinite(nearest)], TYPICAL).clamp(min=FLAT)
    return Known(*(t.float() for t in (mean, axes, z[picked], scale)))


def _spread_out(z: Tensor, count: int) -> Tensor:
    """Indices of up to `count` rows of z (n, k): from the one nearest to the mean on, each the farthest from
    those before."""
    picked = [int((z - z.mean(0)).square().sum(1).argmin())]
    away = (z - z[picked[0]]).square().sum(1)
    while len(picked) < min(count, len(z)) and float(away.max()) > 0.0:
        picked.append(int(away.argmax()))
        away = torch.minimum(away, (z - z[picked[-1]]).square().sum(1))
    return torch.tensor(picked)


def pack(known: Sequence[Known | None]) -> dict[str, Tensor]:
    """Named tensors for a model file; the place in the sequence is in the name."""
    return {
        f"known.{k}.{f.name}": getattr(one, f.name)
        for k, one in enumerate(known)
        if one is not None
        for f in fields(Known)
    }


def unpack(tensors: dict[str, Tensor], count: int) -> tuple[Known | None, ...] | None:
    """Take what `pack` made out of the tensors of a model file with `count` elements; None where it has none.
    KeyError for an incomplete one."""
    found = {name: tensors.pop(name) for name in list(tensors) if name.startswith("known.")}
    places = {int(name.split(".")[1]) for name in found}
    if not places:
        return None
    return tuple(
        Known(*(found[f"known.{k}.{f.name}"] for f in fields(Known))) if k in places else None
        for k in range(count)
    )
