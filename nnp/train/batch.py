"""Frames as tensors, their pairs found once, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nnp.data import Frame
from nnp.neighbors import find_pairs
from nnp.potential import Graph
from nnp.state import Tensor


@dataclass(frozen=True)
class Batch:
    """Some frames laid end to end.

    i, j: (P,) atoms of each pair; vectors: (P, 3) Å; numbers: (n,); frame: (n,) the frame of each atom;
    sizes: (b,) atoms per frame; volume: (b,) Å³; energy: (b,) eV, float64; forces: (n, 3) eV/Å and virial:
    (b, 3, 3) stress × volume, eV, both zero where unknown; has_forces, has_virial: (b,); weight: (b,) of the
    frame in the loss; source: (b,) place of its source among those of the training data.
    """

    i: Tensor
    j: Tensor
    vectors: Tensor
    numbers: Tensor
    frame: Tensor
    sizes: Tensor
    volume: Tensor
    energy: Tensor
    forces: Tensor
    virial: Tensor
    has_forces: Tensor
    has_virial: Tensor
    weight: Tensor
    source: Tensor

    def graph(self, vectors: Tensor) -> Graph:
        return Graph(self.i, self.j, vectors, self.numbers, self.numbers[self.j])


def prepare(frame: Frame, cutoff: float, dtype: torch.dtype, weight: float = 1.0, source: int = 0) -> Batch:
    """A batch of one frame."""
    pairs = find_pairs(frame.state, cutoff)
    n = len(frame.state)
    forces = torch.zeros(n, 3) if frame.forces is None else torch.as_tensor(frame.forces)
    stress = torch.zeros(3, 3) if frame.stress is None else torch.as_tensor(frame.stress)
    return Batch(
        i=pairs.i,
        j=pairs.j,
        vectors=pairs.vectors(frame.state).to(dtype),
        numbers=frame.state.numbers,
        frame=torch.zeros(n, dtype=torch.long),
        sizes=torch.tensor([n]),
        volume=torch.tensor([frame.volume], dtype=torch.float64),
        energy=torch.tensor([frame.energy], dtype=torch.float64),
        forces=forces.to(dtype),
        virial=(frame.volume * stress).to(dtype)[None],
        has_forces=torch.tensor([frame.forces is not None]),
        has_virial=torch.tensor([frame.stress is not None]),
        weight=torch.tensor([weight], dtype=torch.float64),
        source=torch.tensor([source]),
    )


def collate(parts: Sequence[Batch]) -> Batch:
    """Several batches as one; pairs stay sorted by their first atom."""
    sizes = torch.cat([b.sizes for b in parts])
    atoms = torch.tensor([0, *(len(b.numbers) for b in parts)]).cumsum(0)
    frames = torch.tensor([0, *(len(b.sizes) for b in parts)]).cumsum(0)

    def joined(name: str, offset: Tensor | None = None) -> Tensor:
        each = [getattr(b, name) for b in parts]
        return torch.cat(each if offset is None else [t + offset[k] for k, t in enumerate(each)])

    return Batch(
        i=joined("i", atoms),
        j=joined("j", atoms),
        vectors=joined("vectors"),
        numbers=joined("numbers"),
        frame=joined("frame", frames),
        sizes=sizes,
        volume=joined("volume"),
        energy=joined("energy"),
        forces=joined("forces"),
        virial=joined("virial"),
        has_forces=joined("has_forces"),
        has_virial=joined("has_virial"),
        weight=joined("weight"),
        source=joined("source"),
    )
