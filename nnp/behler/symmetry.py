"""Atom-centred symmetry functions of Behler, J. Chem. Phys. 134, 074106 (2011), doi:10.1063/1.3553717."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

import torch

from nnp.behler.cutoffs import Cutoff
from nnp.behler.triplets import find_triplets, sum_products
from nnp.potential import Graph
from nnp.state import Tensor

Window = tuple[float, float, float]  # eta, shift, cutoff
Kernel = tuple[float, float]  # zeta, lam

_FLAT = 1e-10
"""Least 1 + λ cos θ under a power that is no integer: its second derivative would be infinite at zero."""


@dataclass(frozen=True)
class Radial:
    """G2_i = Σ_j exp[−η (r_ij − r_s)²] f_c(r_ij), over the neighbours j of one element.

    neighbour: atomic number; eta: Å⁻²; shift r_s and cutoff: Å.
    """

    neighbour: int
    eta: float
    shift: float
    cutoff: float


@dataclass(frozen=True)
class Angular:
    """G4_i = 2^{1−ζ} Σ_{j<k} (1 + λ cos θ_jik)^ζ g(r_ij) g(r_ik) g(r_jk),  g(r) = exp[−η (r − r_s)²] f_c(r),

    over pairs of neighbours of two elements; G5 (`wide`) is the same without g(r_jk). Each pair is counted
    once. neighbours: two atomic numbers; eta: Å⁻²; shift r_s and cutoff: Å; zeta ≥ 1; lam is λ, |λ| ≤ 1.
    """

    neighbours: tuple[int, int]
    eta: float
    shift: float
    zeta: float
    lam: float
    cutoff: float
    wide: bool = False

    def __post_init__(self) -> None:
        if not self.zeta >= 1.0:
            raise ValueError(f"zeta of an angular symmetry function must be at least 1, not {self.zeta:g}")
        if not abs(self.lam) <= 1.0:
            raise ValueError(
                f"lambda of an angular symmetry function must lie between −1 and 1, not {self.lam:g}"
            )

    @property
    def window(self) -> Window:
        return self.eta, self.shift, self.cutoff


@dataclass(frozen=True)
class _Triplets:
    """j, k: (T,) pair numbers; site: (T,); between: (T,) r_jk, Å; cosine: (T,) of the angle at the centre."""

    j: Tensor
    k: Tensor
    site: Tensor
    between: Tensor
    cosine: Tensor

    def select(self, keep: Tensor) -> _Triplets:
        index = torch.nonzero(keep)[:, 0]
        return _Triplets(
            *(x.index_select(0, index) for x in (self.j, self.k, self.site, self.between, self.cosine))
        )


@dataclass(frozen=True)
class SymmetryFunctions:
    """The symmetry functions of one element, evaluated together: functions that differ only in the exponent
    of the distance share the angles, those that differ only in ζ and λ share the distances."""

    functions: tuple[Radial | Angular, ...]
    cutoff: Cutoff = field(default_factory=Cutoff)

    @property
    def reach(self) -> float:
        """Longest cutoff, Å."""
        return max(f.cutoff for f in self.functions)

    def __call__(self, graph: Graph) -> Tensor:
        """G (S, count), in the order of `functions`. Å in, unitless out."""
        near = _pairs_within(graph, self.reach)
        columns: dict[Radial | Angular, Tensor] = {}
        columns.update(self._radial(near))
        columns.update(self._angular(near))
        return torch.stack([columns[f] for f in self.functions], 1)

    def _radial(self, graph: Graph) -> dict[Radial | Angular, Tensor]:
        functions = [f for f in self.functions if isinstance(f, Radial)]
        out: dict[Radial | Angular, Tensor] = {}
        for z in {f.neighbour for f in functions}:
            part = _pairs_where(graph, graph.neighbour_numbers == z)
            r = part.vectors.square().sum(1).sqrt()
            mine = [f for f in functions if f.neighbour == z]
            windows = self.windows(r, [(f.eta, f.shift, f.cutoff) for f in mine])
            zeros = r.new_zeros(graph.n_sites)
            out.update({f: zeros.index_add(0, part.centre, w) for f, w in zip(mine, windows)})
        return out

    def _angular(self, graph: Graph) -> dict[Radial | Angular, Tensor]:
        functions = [f for f in self.functions if isinstance(f, Angular)]
        if not functions:
            return {}
        longest = max(f.cutoff for f in functions)
        graph = _pairs_within(graph, longest)
        r = graph.vectors.square().sum(1).sqrt()
        found = _geometry(graph, r, inf if any(f.wide for f in functions) else longest)
        out: dict[Radial | Angular, Tensor] = {}
        for elements, wide in {(_sorted(f.neighbours), f.wide) for f in functions}:
            mine = [f for f in functions if _sorted(f.neighbours) == elements and f.wide == wide]
            triplets = found.select(_of_elements(graph, found, elements))
            if not wide:
                triplets = triplets.select(triplets.between.detach() < max(f.cutoff for f in mine))
            out.update(self._products(mine, triplets, r, graph.n_sites))
        return out

    def _products(
        self, functions: Sequence[Angular], triplets: _Triplets, r: Tensor, n_sites: int
    ) -> dict[Radial | Angular, Tensor]:
        """Every window times every kernel, summed at the sites; each function picks its product."""
        windows = sorted({f.window for f in functions})
        kernels = sorted({(f.zeta, f.lam) for f in functions})
        distances = [
            w.index_select(0, triplets.j) * w.index_select(0, triplets.k) for w in self.windows(r, windows)
        ]
        if not functions[0].wide:
            third = self.windows(triplets.between, windows)
            distances = [a * b for a, b in zip(distances, third)]
        sums = sum_products(distances, kernels_of(triplets.cosine, kernels), triplets.site, n_sites)
        return {
            f: 2.0 ** (1.0 - f.zeta) * sums[:, windows.index(f.window), kernels.index((f.zeta, f.lam))]
            for f in functions
        }

    def windows(self, r: Tensor, windows: Iterable[Window]) -> list[Tensor]:
        """exp[−η (r − r_s)²] f_c(r) for each window, like r."""
        ends: dict[float, Tensor] = {}
        out = []
        for eta, shift, radius in windows:
            if radius not in ends:
                ends[radius] = self.cutoff(r, radius)
            out.append(torch.exp(-eta * (r - shift).square()) * ends[radius])
        return out


def kernels_of(cosine: Tensor, kernels: Iterable[Kernel]) -> list[Tensor]:
    """(1 + λ cos θ)^ζ for each (ζ, λ), like `cosine`; integer powers by repeated squaring."""
    made: dict[Kernel, Tensor] = {}

    def power(zeta: int, lam: float) -> Tensor:
        if (zeta, lam) not in made:
            if zeta == 1:
                made[zeta, lam] = 1.0 + lam * cosine
            else:
                half = power(zeta // 2, lam)
                made[zeta, lam] = half * half * power(1, lam) if zeta % 2 else half * half
        return made[zeta, lam]

    return [
        power(int(zeta), lam) if float(zeta).is_integer() else power(1, lam).clamp(min=_FLAT).pow(float(zeta))
        for zeta, lam in kernels
    ]


def _geometry(graph: Graph, r: Tensor, reach: float) -> _Triplets:
    j, k, site = find_triplets(graph.centre, graph.vectors, graph.n_sites, reach)
    x, y, z = (c.index_select(0, j) * c.index_select(0, k) for c in graph.vectors.T.contiguous().unbind(0))
    dot = x + y + z
    rj, rk = r.index_select(0, j), r.index_select(0, k)
    between = (rj * rj + rk * rk - 2.0 * dot).sqrt()
    return _Triplets(j, k, site, between, dot / (rj * rk))


def _of_elements(graph: Graph, triplets: _Triplets, elements: tuple[int, int]) -> Tensor:
    zj, zk = graph.neighbour_numbers[triplets.j], graph.neighbour_numbers[triplets.k]
    a, b = elements
    return ((zj == a) & (zk == b)) | ((zj == b) & (zk == a))


def _sorted(neighbours: tuple[int, int]) -> tuple[int, int]:
    return min(neighbours), max(neighbours)


def _pairs_within(graph: Graph, reach: float) -> Graph:
    return _pairs_where(graph, graph.vectors.detach().square().sum(1) < reach * reach)


def _pairs_where(graph: Graph, keep: Tensor) -> Graph:
    if bool(keep.all()):
        return graph
    index = torch.nonzero(keep)[:, 0]
    return Graph(
        graph.centre[index],
        graph.neighbour[index],
        graph.vectors.index_select(0, index),
        graph.numbers,
        graph.neighbour_numbers[index],
    )
