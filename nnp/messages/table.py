"""Rows that belong to the neighbours of sites, laid out as a table that matrix products can sum."""

from __future__ import annotations

from dataclasses import dataclass

from nnp.behler.triplets import slots
from nnp.potential import Graph
from nnp.state import Tensor


@dataclass(frozen=True)
class Table:
    """sites × (most neighbours of any site); slot: (P,) place of each pair; neighbour: (P,) its neighbour's
    site, 0 where that is no site; known: (P,) 1.0 where it is one."""

    slot: Tensor
    sites: int
    width: int
    neighbour: Tensor
    known: Tensor

    @classmethod
    def of(cls, graph: Graph) -> Table:
        slot, width = slots(graph.centre, graph.n_sites)
        known = graph.neighbour >= 0
        return cls(slot, graph.n_sites, width, graph.neighbour.clamp(min=0), known.to(graph.vectors.dtype))

    def padded(self, rows: Tensor) -> Tensor:
        """Rows (P, k) as (sites, width, k), zero where a site has no further neighbour."""
        if len(rows) < self.sites * self.width:
            rows = rows.new_zeros(self.sites * self.width, rows.shape[1]).index_copy(0, self.slot, rows)
        return rows.reshape(self.sites, self.width, rows.shape[1])

    def received(self, features: Tensor) -> Tensor:
        """What the neighbours send, (P, k), from the features (sites, k). A neighbour that is no site sends
        nothing: the sites that hear of it are not asked for their energy (see nnp.field)."""
        return features.index_select(0, self.neighbour) * self.known[:, None]
