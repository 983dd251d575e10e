"""A part of a sum of site energies that is evaluated with one list of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from coupling.exchange import Halo
from nnp.neighbors import Pairs


@dataclass(frozen=True)
class Share:
    """part (S,) of the energy of each of the sites index (S,), ascending, comes from these pairs."""

    pairs: Pairs
    index: torch.Tensor
    part: torch.Tensor


class Sharing(Protocol):
    """Splits site energies into shares (coupling.masking.Masking)."""

    def extended(self, halo: Halo) -> Sharing:
        """Of this rank's atoms and copies of others. Collective."""
        ...

    def shares(self, pairs: Pairs, index: torch.Tensor, shells: int) -> tuple[Share, ...]:
        """pairs: all that the sites index (S,) and their senders of messages, `shells` steps away, start; the parts
        of a site sum to one."""
        ...

    def left(self, site: np.ndarray, neighbour: np.ndarray) -> np.ndarray:
        """About what is left of the second derivatives of the energy of each site (s,) in its neighbours (s, m),
        as a factor, (s, m, m)."""
        ...
