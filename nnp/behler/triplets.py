"""Triplets j–i–k of an atom and two of its neighbours, and sums over them, without a loop over atoms."""

import torch

from nnp.state import Tensor


def find_triplets(
    centre: Tensor, vectors: Tensor, n_sites: int, reach: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs (j, k), j before k, of the same centre whose ends lie closer than `reach` (Å) to each other.

    centre: (P,) ascending; vectors: (P, 3) Å. Returns the pair numbers j and k and the site, each (T,),
    ordered by site.
    """
    slot, width = slots(centre, n_sites)
    table = vectors.new_zeros(n_sites * width, 3)
    table[slot] = vectors.detach()
    table = table.reshape(n_sites, width, 3)
    counts = torch.bincount(centre, minlength=n_sites)
    p, q = torch.triu_indices(width, width, 1, device=centre.device).unbind(0)
    gram = (table @ table.transpose(1, 2)).flatten(1)
    square = gram[:, :: width + 1].contiguous()
    between = (
        square.index_select(1, p) + square.index_select(1, q) - 2.0 * gram.index_select(1, p * width + q)
    )
    near = (between < reach * reach) & (q < counts[:, None])  # padding stands last
    flat = torch.nonzero(near.flatten())[:, 0]
    site = torch.repeat_interleave(near.sum(1))
    combination = flat - site * len(p)
    first = (torch.cumsum(counts, 0) - counts).index_select(0, site)
    return first + p.index_select(0, combination), first + q.index_select(0, combination), site


def sum_products(left: list[Tensor], right: list[Tensor], site: Tensor, n_sites: int) -> Tensor:
    """Σ_t left_a(t) right_b(t) over the triplets t (ordered by site) of each site: (S, a, b)."""
    slot, width = slots(site, n_sites)
    size = n_sites * width
    # a column at a time: adding to places in one dimension is many times faster than copying short rows
    tables = [
        torch.stack([c.new_zeros(size).index_add(0, slot, c) for c in columns]).reshape(-1, n_sites, width)
        for columns in (left, right)
    ]
    return tables[0].transpose(0, 1) @ tables[1].permute(1, 2, 0)


def slots(centre: Tensor, n_sites: int) -> tuple[Tensor, int]:
    """Row of each entry in a table of n_sites × (most entries of any site)."""
    counts = torch.bincount(centre, minlength=n_sites)
    width = max(int(counts.max().item()), 1) if n_sites else 1
    first = torch.cumsum(counts, 0) - counts
    place = torch.arange(len(centre), device=centre.device) - first.index_select(0, centre)
    return centre * width + place, width
