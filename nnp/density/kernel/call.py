"""Calls the compiled kernel on the tensors of a graph."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from nnp.density.architecture import Architecture
from nnp.density.descriptor import Descriptor
from nnp.density.kernel.pack import Packed, pack
from nnp.density.network import SiteNetwork
from nnp.native.build import PRECISION, library, plain
from nnp.potential import Graph
from nnp.state import Tensor

SOURCE = Path(__file__).parent / "density.cpp"


class _Graph(ctypes.Structure):
    """The struct Graph of density.cpp."""

    _fields_ = [
        ("sites", ctypes.c_int64),
        ("pairs", ctypes.c_int64),
        *((n, ctypes.c_void_p) for n in ("centre", "numbers", "neighbour_numbers", "vectors", "directions")),
        *((n, ctypes.c_void_p) for n in ("site_weights", "energies", "gradient", "features")),
    ]


@dataclass
class Kernel:
    """The compiled derivatives of one model. Weights are packed again when a tensor of the model has changed
    (in place or by another; writing through `.data` goes unnoticed)."""

    architecture: Architecture
    numbers: tuple[int, ...]
    _packed: dict[torch.dtype, tuple[list[tuple[int, int]], Packed]] = field(default_factory=dict)
    _modules: list[tuple[torch.nn.Module, list[torch.nn.Module]]] = field(default_factory=list)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy packs its own weights: the pointers of this one cannot be copied."""
        return Kernel, (self.architecture, self.numbers)

    def gradients(
        self, elements: list[tuple[Descriptor, SiteNetwork]], graph: Graph, weights: Tensor | None
    ) -> tuple[Tensor, Tensor] | None:
        """ε_i (S,) and ∂(Σ w ε)/∂r (P, 3); None where the kernel does not serve (no compiler, another
        device or precision, unknown species)."""
        energies, slopes = _empty(graph, graph.n_sites), _empty(graph, *graph.vectors.shape)
        done = self._run("gradients", elements, graph, (None, weights, energies, slopes, None))
        return (energies, slopes) if done else None

    def curvature(
        self,
        elements: list[tuple[Descriptor, SiteNetwork]],
        graph: Graph,
        weights: Tensor | None,
        directions: Tensor,
    ) -> Tensor | None:
        """Derivative of ∂(Σ w ε)/∂r along `directions` (P, 3); None as above."""
        slopes = _empty(graph, *graph.vectors.shape)
        done = self._run("curvature", elements, graph, (directions, weights, None, slopes, None))
        return slopes if done else None

    def invariants(self, elements: list[tuple[Descriptor, SiteNetwork]], graph: Graph) -> Tensor | None:
        """The invariants (S, count) of all sites; None as above."""
        features = _empty(graph, graph.n_sites, elements[0][0].count)
        done = self._run("gradients", elements, graph, (None, None, None, None, features))
        return features if done else None

    def _run(
        self,
        what: str,
        elements: list[tuple[Descriptor, SiteNetwork]],
        graph: Graph,
        values: tuple[Tensor | None, ...],
    ) -> bool:
        """values: directions, site weights, and where energies, gradient and features go."""
        dtype = graph.vectors.dtype
        compiled = library(SOURCE) if dtype in PRECISION and graph.vectors.device.type == "cpu" else None
        if compiled is None:
            return False
        packed = self._current(elements, dtype)
        floats = [None if t is None else plain(t, dtype) for t in (graph.vectors, *values)]
        integers = [plain(t, torch.int64) for t in (graph.centre, graph.numbers, graph.neighbour_numbers)]
        pointers = [None if t is None else t.data_ptr() for t in (*integers, *floats)]
        status = getattr(compiled, f"density_{what}_{PRECISION[dtype]}")(
            ctypes.byref(packed.shape),
            ctypes.c_void_p(packed.weights.data_ptr()),
            ctypes.byref(_Graph(graph.n_sites, len(graph.centre), *pointers)),
            ctypes.c_int64(torch.get_num_threads()),
        )
        return status == 0

    def _current(self, elements: list[tuple[Descriptor, SiteNetwork]], dtype: torch.dtype) -> Packed:
        parts = [part for each in elements for part in each]
        if [part for part, _ in self._modules] != parts:
            self._modules = [(part, list(part.modules())) for part in parts]  # slow to go through each time
        modules = [module for _, inner in self._modules for module in inner]
        tensors = [
            t for m in modules for t in (*m._parameters.values(), *m._buffers.values()) if t is not None
        ]
        state = [(t.data_ptr(), t._version) for t in tensors]
        if dtype not in self._packed or self._packed[dtype][0] != state:
            self._packed[dtype] = (state, pack(self.architecture, self.numbers, elements, dtype))
        return self._packed[dtype][1]


def _empty(graph: Graph, *shape: int) -> Tensor:
    """Room for a result, laid out as `plain` leaves it."""
    return torch.empty(shape, dtype=graph.vectors.dtype, device=graph.vectors.device)
