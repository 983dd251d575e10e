"""The atomistic part of the energy, Σ_i w_i [ε_i(y) − ε_bulk], shared by all ranks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from coupling.atoms import AtomSet
from coupling.share import Share, Sharing
from nnp import evaluate as nnp_evaluate
from nnp.crystal import Crystal
from nnp.field import grown, shells
from nnp.neighbors import NeighborList, PairFilter, Pairs, find_pairs
from nnp.potential import Graph, Potential
from nnp.state import State

Array = np.ndarray


def bulk_site_energies(potential: Potential, crystal: Crystal) -> Array:
    """ε of each basis atom in the perfect crystal at rest, (b,) eV."""
    state = crystal.bulk_state()
    pairs = find_pairs(state, potential.cutoff)
    return nnp_evaluate.evaluate(potential, state, pairs).site_energies.numpy()


@dataclass
class Counter:
    """What has been spent on the potential: calls, site energies summed over calls and ranks' own sites, and
    products with the Hessian."""

    calls: int = 0
    sites: int = 0
    products: int = 0


@dataclass
class AtomisticEnergy:
    """Evaluates this rank's share of Σ_i w_i [ε_i(y) − ε_bulk] and its gradient.

    weights: (n,) w_i, zero for atoms that only complete neighbourhoods; zero_level: (n,) ε_bulk of each atom,
    eV; keep: optional filter that removes pairs (bonds across a cut); masking: where site energies are put together
    from several lists of pairs (coupling.masking; ε_i stands for that sum below). Neighbour lists have a skin and
    are rebuilt only when needed.
    """

    potential: Potential
    atoms: AtomSet
    weights: Array
    zero_level: Array
    keep: PairFilter | None = None
    skin: float = 0.6
    counter: Counter = field(default_factory=Counter)
    masking: Sharing | None = None

    def __post_init__(self) -> None:
        own = self.atoms.ownership.owned
        mine = np.zeros(len(self.atoms), bool)
        mine[own] = self.weights[own] != 0.0
        self._is_site = torch.from_numpy(mine)
        self._index = torch.nonzero(self._is_site)[:, 0]
        self._weight = torch.from_numpy(self.weights)
        self._zero = float(self.weights[mine] @ self.zero_level[mine])
        self._list = NeighborList(self.potential.cutoff, self.skin, keep=self._kept)
        self._shared: tuple[Pairs | None, tuple[Share, ...]] = (None, ())
        self._last: tuple[Array, tuple[float, Array, Array]] | None = None

    def _kept(self, pairs: Pairs) -> torch.Tensor:
        mine = grown(self._is_site, pairs, shells(self.potential))[pairs.i]
        return mine if self.keep is None else mine & self.keep(pairs)

    def _shares(self, state: State) -> tuple[Share, ...]:
        """What is evaluated at a state; made anew only with the list of pairs."""
        pairs = self._list(state)
        if self._shared[0] is not pairs:
            whole = Share(pairs, self._index, torch.ones(len(self._index), dtype=torch.float64))
            parts: tuple[Share, ...] = (whole,)
            if self.masking is not None:
                parts = self.masking.shares(pairs, self._index, shells(self.potential))
            self._shared = pairs, parts
        return self._shared[1]

    def _sites(self, share: Share) -> nnp_evaluate.Sites:
        return nnp_evaluate.Sites(share.index, self._weight[share.index] * share.part)

    def __call__(self, positions: Array) -> tuple[float, Array]:
        """positions (n, 3) of all atoms → (energy of this rank's sites, ∂/∂y (n, 3) of that energy), eV, eV/Å."""
        energy, _, gradient = self._last_or_new(positions)
        return energy - self._zero, gradient.copy()

    def _last_or_new(self, positions: Array) -> tuple[float, Array, Array]:
        """Σ w_i ε_i, ε_i (n,) and the gradient; without cost where they were asked for last, since fields are
        written where a solver has just ended."""
        if self._last is None or not np.array_equal(self._last[0], positions):
            self._last = positions.copy(), self._evaluated(self.potential, positions)
            self.counter.calls += len(self._index) > 0
            self.counter.sites += self.n_sites
        return self._last[1]

    def _evaluated(self, potential: Potential, positions: Array) -> tuple[float, Array, Array]:
        n, state = len(self.atoms), self.atoms.state(positions)
        total, energies, gradient = 0.0, np.zeros(n), np.zeros((n, 3))
        for share in self._shares(state) if len(self._index) else ():
            found = nnp_evaluate.evaluate(potential, state, share.pairs, self._sites(share))
            total += found.energy
            energies[share.index.numpy()] += (share.part * found.site_energies).numpy()
            gradient -= found.forces.numpy()
        return total, energies, gradient

    def curvature(self, positions: Array) -> Callable[[Array], Array]:
        """positions (n, 3) of all atoms → the function v → ∂²/∂y² v of this rank's energy, (n, 3) → (n, 3), eV/Å²."""
        if len(self._index) == 0:
            return np.zeros_like
        state = self.atoms.state(positions)
        curvatures = [
            nnp_evaluate.Curvature(self.potential, state, share.pairs, self._sites(share))
            for share in self._shares(state)
        ]

        def product(v: Array) -> Array:
            self.counter.products += 1
            direction = torch.tensor(v)
            return np.sum([curvature(direction).numpy() for curvature in curvatures], axis=0)

        return product

    def site_energies(self, positions: Array) -> tuple[Array, Array]:
        """Atoms that this rank evaluates and their ε_i − ε_bulk, unweighted, eV."""
        index, energies, _ = self.detail(positions)
        return index, energies - self.zero_level[index]

    def graph(self, positions: Array) -> tuple[Array, Graph]:
        """Atoms that this rank evaluates and their neighbourhoods, of masked ones that without the other body only
        where nothing else is evaluated."""
        state = self.atoms.state(positions)
        shares = self._shares(state)
        sites = nnp_evaluate.Sites(self._index, self._weight[self._index])
        pairs = shares[0].pairs if len(shares) == 1 else _first_of(shares, len(state))
        return self._index.numpy(), nnp_evaluate.environments(state, pairs, sites)[1]

    def detail(self, positions: Array, potential: Potential | None = None) -> tuple[Array, Array, Array]:
        """Atoms that this rank evaluates, their ε_i, unweighted, and this rank's ∂/∂y (n, 3); of another potential,
        which reaches no farther, if one is given."""
        if potential is None or potential is self.potential:
            _, energies, gradient = self._last_or_new(positions)
        else:
            _, energies, gradient = self._evaluated(potential, positions)
        index = self._index.numpy()
        return index, energies[index], gradient.copy()

    @property
    def n_sites(self) -> int:
        """Number of site energies that one evaluation costs on this rank, as of the last one."""
        pairs, shares = self._shared
        return len(self._index) if pairs is None else sum(len(share.index) for share in shares)


def _first_of(shares: tuple[Share, ...], n: int) -> Pairs:
    """Of each site the pairs of the first share that evaluates it."""
    taken, parts = torch.zeros(n, dtype=torch.bool), []
    for share in shares:
        mine = torch.zeros(n, dtype=torch.bool).index_fill(0, share.index, True) & ~taken
        parts.append(share.pairs.select(mine[share.pairs.i]))
        taken |= mine
    whole = Pairs(*(torch.cat([getattr(p, name) for p in parts]) for name in ("i", "j", "shifts")))
    return whole.select(torch.argsort(whole.i, stable=True))
