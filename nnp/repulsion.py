"""A screened nuclear repulsion under the network, for atoms closer than any in the data."""

from __future__ import annotations

import torch

from nnp.potential import Graph
from nnp.state import Tensor

COULOMB = 14.399645  # e²/(4πε₀), eV Å
_BOHR = 0.529177211
_ZBL = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))


def screened_repulsion(r: Tensor, z1: Tensor, z2: Tensor, outer: float) -> Tensor:
    """Universal screened Coulomb energy (eV) of pairs at distance r (Å), faded out at `outer` (Å).

    V = e² Z1 Z2/(4πε₀ r) Σ_k c_k exp(−d_k r/a) · s(r), a = 0.88534 a₀/(Z1^0.23 + Z2^0.23) (Ziegler, Biersack,
    Littmark, The Stopping and Range of Ions in Solids, 1985). s falls from 1 at outer/2 to 0 at `outer` as
    the quintic step, so V is C² and exactly zero beyond.
    """
    length = screening_length(z1, z2)
    screening = sum(c * torch.exp(-d * r / length) for c, d in _ZBL)
    t = (2.0 * r / outer - 1.0).clamp(0.0, 1.0)
    fade = 1.0 - t.pow(3) * (10.0 - 15.0 * t + 6.0 * t * t)
    return COULOMB * z1 * z2 / r * screening * fade


def site_repulsion(graph: Graph, r: Tensor, outer: float) -> Tensor:
    """Half of each close pair's repulsion on its centre, (S,) eV; r: (P,) distances; outer 0: none."""
    close = torch.nonzero(r < outer)[:, 0]
    zero = r.new_zeros(graph.n_sites)
    if len(close) == 0:
        return zero
    centre = graph.centre[close]
    z1, z2 = graph.numbers[centre].to(r.dtype), graph.neighbour_numbers[close].to(r.dtype)
    return zero.index_add(0, centre, 0.5 * screened_repulsion(r[close], z1, z2, outer))


def screening_length(z1: Tensor, z2: Tensor) -> Tensor:
    """The length a of the screened repulsion, Å."""
    return 0.88534 * _BOHR / (z1.pow(0.23) + z2.pow(0.23))
