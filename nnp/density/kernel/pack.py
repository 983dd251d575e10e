"""A density model as the flat arrays that the kernel reads (the counterpart of model.h)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from nnp.density.architecture import Architecture
from nnp.density.descriptor import Descriptor
from nnp.density.network import SiteNetwork
from nnp.repulsion import COULOMB, screening_length
from nnp.state import Tensor

_COUNTS = (
    *("elements", "radial", "channels", "degree", "three", "many", "many_degree"),
    *("paths", "squares", "terms", "layers", "inputs", "weights"),
)
_TABLES = ("widths", "path", "square", "term", "coefficient", "numbers")


class Shape(ctypes.Structure):
    """The struct of the same name in model.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in _COUNTS),
        *((name, ctypes.c_void_p) for name in _TABLES),
        *((name, ctypes.c_double) for name in ("cutoff", "floor", "width")),
    ]


@dataclass(frozen=True)
class Packed:
    """A model ready for the kernel: its shape, the arrays that the shape points to, and its weights."""

    shape: Shape
    tables: dict[str, np.ndarray]
    weights: Tensor


def pack(
    architecture: Architecture,
    numbers: tuple[int, ...],
    elements: list[tuple[Descriptor, SiteNetwork]],
    dtype: torch.dtype,
) -> Packed:
    """Arrays of the model with descriptor and network of each element, in the precision of the kernel."""
    slices = [
        torch.cat([t.detach().double().cpu().reshape(-1) for t in _weights(architecture, numbers, k, *each)])
        for k, each in enumerate(elements)
    ]
    descriptor = elements[0][0]
    tables = _tables(architecture, numbers, descriptor)
    a, terms = architecture, len(tables["coefficient"])
    paths, squares = len(tables["path"]), len(tables["square"])
    sizes = (len(numbers), a.radial, a.channels, a.degree, a.three_body, a.many_body, a.many_degree)
    counts = (*sizes, paths, squares, terms, len(a.hidden) + 1, descriptor.count, len(slices[0]))
    shape = Shape(**dict(zip(_COUNTS, counts)), cutoff=a.cutoff, floor=a.repulsion, width=0.25 * a.repulsion)
    for name in _TABLES:
        setattr(shape, name, tables[name].ctypes.data)
    return Packed(shape, tables, torch.cat(slices).to(dtype))


def _tables(a: Architecture, numbers: tuple[int, ...], descriptor: Descriptor) -> dict[str, np.ndarray]:
    matrix = descriptor.matrix.cpu().numpy()
    row, pair = np.nonzero(np.abs(matrix) > 1e-12)
    factors = [descriptor.first.cpu().numpy()[pair], descriptor.second.cpu().numpy()[pair]]
    squares = descriptor.squares if a.five_body else []
    integers: dict[str, Iterable] = {
        "widths": (descriptor.count, *a.hidden, 1),
        "path": np.array(descriptor.coupled).reshape(-1, 2),
        "square": np.array(squares).reshape(-1, 2),
        "term": np.stack([row, *factors], 1) if len(row) else np.zeros((0, 3)),
        "numbers": numbers,
    }
    tables = {k: np.ascontiguousarray(np.asarray(v), dtype=np.int64) for k, v in integers.items()}
    return {**tables, "coefficient": np.ascontiguousarray(matrix[row, pair], dtype=np.float64)}


def _weights(
    a: Architecture, numbers: tuple[int, ...], element: int, descriptor: Descriptor, network: SiteNetwork
) -> list[Tensor]:
    """Slices in the order of the struct Weights in model.h."""
    factor = 1.0 / (1.0 + (torch.arange(a.radial, dtype=torch.float64) / 4.0) ** 2)
    radial = descriptor.radial.detach().cpu().double().reshape(len(numbers), a.radial, a.channels)
    radial = radial * (factor[:, None] * descriptor.neighbours.cpu().double().rsqrt())
    three = _three_body(descriptor.left.detach().cpu().double(), descriptor.right.detach().cpu().double())
    out = [radial, three, three.transpose(1, 2)]
    if a.many_degree > 0:
        out += [descriptor.many, descriptor.many.transpose(1, 2)]
    out += [network.mean, 1.0 / network.spread.cpu().double(), network.linear]
    for layer in network.layers:
        if isinstance(layer, torch.nn.Linear):
            out += [layer.weight.T, layer.weight, layer.bias]
    z = torch.as_tensor(numbers, dtype=torch.float64)
    charge, length = COULOMB * z[element] * z, screening_length(z[element], z)
    return [*out, network.scale, network.offset, charge, 1.0 / length]


def _three_body(left: Tensor, right: Tensor) -> Tensor:
    """(degrees, channel pairs c <= d, k): Σ_m (Σ_c L_ck a_mc)(Σ_d R_dk a_md) in terms of Σ_m a_mc a_md."""
    both = left[:, :, None, :] * right[:, None, :, :]
    both = both + both.transpose(1, 2)
    c, d = torch.triu_indices(left.shape[1], left.shape[1])
    return both[:, c, d] * torch.where(c == d, 0.5, 1.0)[:, None]
