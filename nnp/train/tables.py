"""Training the density network on frames whose geometry is tabulated once.

While only the weights change, the harmonics and the radial basis of every pair stay what they are, and so do their
gradients. With the sums m_lmk = Σ_j B_k(r_ij) Y_lm(r_ij) of each atom, the moments are A = m W (W: radial weights), no
pair enters the energies, and pairs enter the forces through constant tables alone:

    ∂E/∂r_ij = Σ_lmk H_lmk ∂(B_k Y_lm)/∂r_ij,   H = (∂E/∂A) Wᵀ of the atom i.

The loss is the same, to rounding, as with nnp.train.loss.predict, at a third of the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import torch

from nnp.density.harmonics import real_harmonics
from nnp.density.model import DensityPotential
from nnp.density.radial import radial_basis
from nnp.neural import NeuralPotential
from nnp.potential import Graph
from nnp.repulsion import site_repulsion
from nnp.state import Tensor
from nnp.train.batch import Batch, collate
from nnp.train.loss import Prediction

LIMIT = 4.0e9
"""Bytes that the tables of a training may take; larger data are trained without."""
_CHUNK = 40_000  # pairs


@dataclass(frozen=True)
class Table:
    """Constants of the n atoms of some frames, w places for the neighbours of each, zero where there is none.

    unit: (n, w, 3) directions; distance: (n, w, 1) Å; neighbour: (n, w) its atom; angular: (n, w, L) harmonics and
    angular_slope: (n, w, 3, L) their gradients, 1/Å; radial, radial_slope: (n, w, K) the basis and its derivative
    (K: species of neighbours × basis functions); sums: (n, L, K) over the neighbours;
    repulsion: (n, w, 3) gradient of the fixed repulsion, eV/Å, and repulsion_energy: (n,) eV.
    """

    unit: Tensor
    distance: Tensor
    neighbour: Tensor
    angular: Tensor
    angular_slope: Tensor
    radial: Tensor
    radial_slope: Tensor
    sums: Tensor
    repulsion: Tensor
    repulsion_energy: Tensor


def tabulate(model: NeuralPotential, frames: Sequence[Batch]) -> list[Table] | None:
    """Tables of batches of one frame each; None for a potential of another family and for too large data."""
    if not isinstance(model, DensityPotential) or not frames:
        return None
    shape = model.architecture
    each = 4 * (shape.degree + 1) ** 2 + 2 * shape.radial * len(model.numbers) + 10
    places = sum(len(f.numbers) * _width(f) for f in frames)
    if places * each * frames[0].vectors.element_size() > LIMIT:
        return None
    whole = collate(frames)
    found = [_pairs(model, part) for part in _chunks(whole.graph(whole.vectors.double()))]
    columns = [torch.cat(parts).to(whole.vectors.dtype) for parts in zip(*found)]
    ends = torch.tensor([len(f.i) for f in frames]).cumsum(0).tolist()
    pieces = [[c[end - len(f.i) : end] for c in columns] for f, end in zip(frames, ends)]
    return [_table(model, f, piece) for f, piece in zip(frames, pieces)]


def _width(frame: Batch) -> int:
    counts = torch.bincount(frame.i, minlength=len(frame.numbers))
    return max(1, int(counts.max()))


def _chunks(graph: Graph) -> Iterator[Graph]:
    for start in range(0, max(1, len(graph.centre)), _CHUNK):
        part = slice(start, start + _CHUNK)
        names = ("centre", "neighbour", "vectors", "neighbour_numbers")
        yield replace(graph, **{name: getattr(graph, name)[part] for name in names})


def _pairs(model: DensityPotential, graph: Graph) -> tuple[Tensor, ...]:
    """Of each pair: direction, distance, harmonics, their gradients, radial basis, its derivative; float64."""
    shape, v = model.architecture, graph.vectors
    r = v.square().sum(1).sqrt()

    def angular(vectors: Tensor) -> Tensor:
        x, y, z = (vectors / vectors.square().sum(1, keepdim=True).sqrt()).unbind(1)
        return torch.stack(real_harmonics(x, y, z, shape.degree), 1)

    def radial(distance: Tensor) -> Tensor:
        basis = radial_basis(distance, shape.cutoff, shape.repulsion, shape.radial).T
        known = torch.tensor(model.numbers)
        own = (graph.neighbour_numbers[:, None] == known).to(basis.dtype)
        return (own[:, :, None] * basis[:, None, :]).flatten(1)

    axes = torch.eye(3, dtype=v.dtype)
    slopes = [torch.func.jvp(angular, (v,), (axis.expand_as(v),))[1] for axis in axes]
    derivative = torch.func.jvp(radial, (r,), (torch.ones_like(r),))[1]
    return v / r[:, None], r[:, None], angular(v), torch.stack(slopes, 1), radial(r), derivative


def _table(model: DensityPotential, frame: Batch, pairs: Sequence[Tensor]) -> Table:
    n, width = len(frame.numbers), _width(frame)
    counts = torch.bincount(frame.i, minlength=n)
    first = counts.cumsum(0) - counts
    slot = frame.i * width + torch.arange(len(frame.i)) - first[frame.i]

    def padded(rows: Tensor) -> Tensor:
        table = rows.new_zeros(n * width, *rows.shape[1:])
        return table.index_copy(0, slot, rows).reshape(n, width, *rows.shape[1:])

    vectors = frame.vectors.detach().requires_grad_(True)
    energy = site_repulsion(
        frame.graph(vectors), vectors.square().sum(1).sqrt(), model.architecture.repulsion
    )
    push = torch.zeros_like(vectors)
    if energy.requires_grad:
        (push,) = torch.autograd.grad(energy.sum(), vectors)
    unit, distance, angular, angular_slope, radial, radial_slope = (padded(x) for x in pairs)
    return Table(
        unit=unit,
        distance=distance,
        neighbour=padded(frame.j),
        angular=angular,
        angular_slope=angular_slope,
        radial=radial,
        radial_slope=radial_slope,
        sums=torch.bmm(angular.transpose(1, 2), radial),
        repulsion=padded(push),
        repulsion_energy=energy.detach(),
    )


def join(parts: Sequence[Table]) -> Table:
    """Several tables as one, with as many places for neighbours as the widest has."""
    sizes = [len(t.sums) for t in parts]
    starts = torch.tensor([0, *sizes]).cumsum(0).tolist()
    width = max(t.neighbour.shape[1] for t in parts)

    def joined(name: str) -> Tensor:
        each = [getattr(t, name) for t in parts]
        if name in ("sums", "repulsion_energy"):
            return torch.cat(each)
        out = each[0].new_zeros(starts[-1], width, *each[0].shape[2:])
        for x, start in zip(each, starts):
            out[start : start + len(x), : x.shape[1]] = x + start if name == "neighbour" else x
        return out

    return Table(**{f.name: joined(f.name) for f in fields(Table)})


def predict_tabulated(model: DensityPotential, table: Table, batch: Batch) -> Prediction:
    """What nnp.train.loss.predict finds for the same frames, with a graph to differentiate in the weights."""
    energies, gradient = _sites(model, table, batch.numbers)
    n, width = table.neighbour.shape
    by_angle = torch.bmm(table.radial, gradient.transpose(1, 2))  # (n, w, L)
    by_distance = torch.bmm(table.radial_slope, gradient.transpose(1, 2))
    g = (table.angular_slope * by_angle[:, :, None]).sum(3) + table.repulsion
    g = g + table.unit * (table.angular * by_distance).sum(2, keepdim=True)
    forces = g.sum(1).index_add(0, table.neighbour.flatten(), g.reshape(n * width, 3), alpha=-1.0)
    virial = torch.bmm((table.unit * table.distance).transpose(1, 2), g).reshape(n, 9)
    frames = len(batch.sizes)
    return Prediction(
        energy=torch.zeros(frames, dtype=torch.float64).index_add(0, batch.frame, energies.double()),
        forces=forces,
        virial=g.new_zeros(frames, 9).index_add(0, batch.frame, virial).reshape(-1, 3, 3),
    )


def _sites(model: DensityPotential, table: Table, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Site energies (n,), and H (n, L, K) of the module's equation."""
    energies, gradient = table.repulsion_energy, torch.zeros_like(table.sums)
    for place, number in enumerate(model.numbers):
        sites = torch.nonzero(numbers == number)[:, 0]
        descriptor, network = model.element(place)
        moments = table.sums[sites] @ descriptor.radial
        if not moments.requires_grad:  # frozen radial weights
            moments = moments.requires_grad_(True)
        own = network(descriptor(moments))
        (slope,) = torch.autograd.grad(own.sum(), moments, create_graph=True)
        energies = energies.index_add(0, sites, own)
        gradient = gradient.index_copy(0, sites, slope @ descriptor.radial.T)
    return energies, gradient
