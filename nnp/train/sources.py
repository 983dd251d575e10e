"""Energies of several sources on one scale: a constant per atom between them, for each element.

Two codes, or two pseudopotentials in one code, count energies from different zeros. The model keeps the zero of
the first source; what the others add is trained with it and left out of the model file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from ase.data import atomic_numbers, chemical_symbols

from nnp.data import Frame
from nnp.potential import Potential
from nnp.state import Tensor
from nnp.train.batch import Batch, prepare

Shifts = dict[str, dict[str, float]]
"""{source: {element: eV per atom}}, to be taken from a label to have it on the model's scale."""


class Offsets(torch.nn.Module):
    """Σ over the atoms of a frame of o[source, element], eV; zero for the first source.

    values: (sources − 1, elements), float64: the totals of large cells would lose it in float32.
    """

    def __init__(self, sources: Sequence[str], numbers: Sequence[int]):
        super().__init__()
        self.sources, self.numbers = tuple(sources), tuple(numbers)
        shape = (len(self.sources) - 1, len(self.numbers))
        self.values = torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64))

    def forward(self, batch: Batch) -> Tensor:
        """(b,) eV, float64."""
        table = torch.cat([self.values.new_zeros(1, len(self.numbers)), self.values])
        place = torch.searchsorted(torch.tensor(self.numbers), batch.numbers)
        on_atoms = table[batch.source[batch.frame], place]
        return table.new_zeros(len(batch.sizes)).index_add(0, batch.frame, on_atoms)

    def shifts(self) -> Shifts:
        """As plain values; empty with one source."""
        symbols = [chemical_symbols[z] for z in self.numbers]
        rows = zip(self.sources[1:], self.values.tolist())
        return {source: dict(zip(symbols, row)) for source, row in rows}


def sources_of(frames: Sequence[Frame]) -> tuple[str, ...]:
    """The sources in the order of their first frames."""
    return tuple(dict.fromkeys(f.source for f in frames))


def composition(frames: Sequence[Frame], numbers: Sequence[int]) -> np.ndarray:
    """(frames, elements): atoms of each element in each frame."""
    return np.array([[(f.state.numbers == z).sum().item() for z in numbers] for f in frames], float)


def reference_energies(
    frames: Sequence[Frame],
    numbers: Sequence[int],
    energies: np.ndarray | None = None,
    sources: Sequence[str] | None = None,
    only_further: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Energy of an atom of each element in the first source, (elements,), and what each further source adds
    to it, (sources − 1, elements); eV; least squares over the frames (smallest norm in doubt).

    energies: what is to be explained, eV, (frames,); the labels if not given. sources: in their order; that
    of the frames if not given. only_further: the energies in the first source are zero.
    """
    sources = sources_of(frames) if sources is None else sources
    counts = composition(frames, numbers)
    here = np.array([[not only_further, *(f.source == s for s in sources[1:])] for f in frames], float)
    columns = (here[:, :, None] * counts[:, None]).reshape(len(frames), -1)
    labels = np.array([f.energy for f in frames]) if energies is None else energies
    found = np.linalg.lstsq(columns, labels, rcond=None)[0].reshape(len(sources), len(numbers))
    return found[0], found[1:]


@torch.no_grad()
def residuals(potential: Potential, frames: Sequence[Frame]) -> np.ndarray:
    """Labelled less predicted energy of each frame, eV."""
    out = []
    for frame in frames:
        batch = prepare(frame, potential.cutoff, torch.float64)
        out.append(frame.energy - float(potential.site_energies(batch.graph(batch.vectors)).sum()))
    return np.array(out)


def fit_shifts(potential: Potential, frames: Sequence[Frame]) -> Shifts:
    """The constant per element and source that lies between labels and potential, least squares, eV/atom."""
    left, found = residuals(potential, frames), {}
    for source in sources_of(frames):
        own = [k for k, f in enumerate(frames) if f.source == source]
        some = [frames[k] for k in own]
        numbers = sorted({int(z) for f in some for z in f.state.numbers})
        constants = reference_energies(some, numbers, left[own])[0]
        found[source] = {chemical_symbols[z]: float(c) for z, c in zip(numbers, constants)}
    return found


def shifted(frames: Sequence[Frame], shifts: Mapping[str, Mapping[str, float]]) -> list[Frame]:
    """The frames with their energies on the model's scale."""

    def one(frame: Frame) -> Frame:
        own = shifts.get(frame.source, {})
        total = sum(v * int((frame.state.numbers == atomic_numbers[s]).sum()) for s, v in own.items())
        return dataclasses.replace(frame, energy=frame.energy - total) if own else frame

    return [one(f) for f in frames]


def mean_shifts(each: Sequence[Shifts]) -> Shifts:
    """Mean over the members of a committee."""
    return {
        source: {s: float(np.mean([e[source][s] for e in each])) for s in row}
        for source, row in each[0].items()
    }
