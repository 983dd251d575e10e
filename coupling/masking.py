"""Energy masking: the site energies of one body as if the other were not there.

    E = Σ_i w_i [χ_i ε_i + (1 − χ_i) ε_i^same − ε_i⁰]

ε_i^same is the site energy with all cross pairs removed from the neighbour list. Where χ < 1 the adhesion across
the interface is taken out of the atoms by the share 1 − χ, and a cohesive law holds it (coupling.planes).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from coupling.atomistic import AtomisticEnergy
from coupling.bodies import Bodies
from coupling.exchange import Halo
from coupling.share import Share
from nnp.field import hearing
from nnp.neighbors import Pairs

Array = np.ndarray


@dataclass(frozen=True)
class Masking:
    """bodies: of this rank's atoms; chi: (n,) their χ. Extended by a halo, copies of others follow."""

    bodies: Bodies
    chi: Array

    def extended(self, halo: Halo) -> Masking:
        """With those of the copies. Collective."""
        return Masking(Bodies(halo.extended(self.bodies.label)), halo.extended(self.chi))

    def shares(self, pairs: Pairs, index: torch.Tensor, shells: int) -> tuple[Share, ...]:
        """How the site energies of the atoms `index` (S,) are put together: with all pairs, and with those of one
        body. Only sites with a cross pair within their receptive field and χ < 1 are evaluated without it, and only
        those with χ > 0 also with it."""
        same = self.bodies.same(pairs)
        chi = torch.from_numpy(self.chi)[index]
        masked = hearing(pairs.i[~same], len(self.chi), pairs, shells)[index] & (chi < 1.0)
        part = torch.where(masked, chi, torch.ones_like(chi))
        whole = Share(pairs, *_nonzero(index, part))
        rest = Share(pairs.select(same), *_nonzero(index, torch.where(masked, 1.0 - chi, 0.0)))
        return tuple(share for share in (whole, rest) if len(share.index))

    def left(self, site: Array, neighbour: Array) -> Array:
        """See Sharing: all of it within a body, χ of it across the interface."""
        label = self.bodies.label
        same = label[neighbour] == label[site][:, None]
        both = same[:, :, None] & same[:, None, :]
        return np.where(both, 1.0, self.chi[site][:, None, None])


def _nonzero(index: torch.Tensor, part: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return index[part != 0.0], part[part != 0.0]


def masked(atomistic: AtomisticEnergy, masking: Masking) -> AtomisticEnergy:
    """The masked energy, zero at rest as the unmasked one is.

    With ε_i⁰ = ε_bulk + (1 − χ_i)(ε_i^same − ε_i) at the reference positions the closed interface has energy zero
    whatever χ and w, and a law with Γ(0) = 0 adds the work of adhesion as it opens; this is the sum with ε_bulk and
    a law that vanishes at infinity, less a constant. Where χ = 1 everywhere nothing changes and nothing is paid.
    """
    index, removed = removed_adhesion(atomistic, masking)
    zero = atomistic.zero_level.copy()
    zero[index] += removed
    return replace(atomistic, masking=masking, zero_level=zero)


def removed_adhesion(atomistic: AtomisticEnergy, masking: Masking) -> tuple[Array, Array]:
    """This rank's sites and the energy (1 − χ_i)(ε_i^same − ε_i) that masking lifts each of them by at rest, eV; none
    where nothing is masked on any rank. Collective."""
    masks = bool((masking.chi[atomistic.weights != 0.0] < 1.0).any())
    if not atomistic.atoms.ownership.any(masks):
        return np.zeros(0, np.int64), np.zeros(0)
    rest = atomistic.atoms.reference
    index, whole = atomistic.site_energies(rest)
    return index, replace(atomistic, masking=masking).site_energies(rest)[1] - whole
