"""The atomistic part of the energy, Σ_i w_i [ε_i(y) − ε_bulk], shared by all ranks.

Each rank evaluates the sites that it owns, with copies of the atoms around them that others own. What surrounds its
sites is found where the atoms are now, so that it is right however far they have moved, and kept while no pair can be
missing from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from coupling.atoms import AtomSet
from coupling.exchange import Halo
from coupling.share import Share, Sharing
from nnp import evaluate as nnp_evaluate
from nnp.crystal import Crystal
from nnp.field import grown, shells
from nnp.neighbors import PairFilter, Pairs, find_pairs
from nnp.potential import Graph, Potential
from nnp.state import State

Array = np.ndarray


def bulk_site_energies(potential: Potential, crystal: Crystal) -> Array:
    """ε of each basis atom in the perfect crystal at rest, (b,) eV."""
    state = crystal.bulk_state()
    pairs = find_pairs(state, potential.cutoff)
    return nnp_evaluate.evaluate(potential, state, pairs).site_energies.numpy()


def zero_level(potential: Potential, crystal: Crystal, atoms: AtomSet) -> Array:
    """ε_bulk of each atom, (n,) eV: of its site, or where it does not belong there that of its element in the crystal;
    0 of an element that the crystal has not."""
    bulk, p = bulk_site_energies(potential, crystal), atoms.sublattice
    home = (p >= 0) & (crystal.numbers[p] == atoms.numbers)
    same = atoms.numbers[:, None] == crystal.numbers
    place = np.where(home, p, same.argmax(axis=1))
    return np.where(home | same.any(axis=1), bulk[place], 0.0)


@dataclass
class Counter:
    """What has been spent on the potential: calls, site energies summed over calls and ranks' own sites, and
    products with the Hessian."""

    calls: int = 0
    sites: int = 0
    products: int = 0


BondFilter = Callable[[AtomSet], PairFilter]
"""Atoms → which of their pairs to keep (coupling.cut.Cut.filter)."""


@dataclass(frozen=True)
class Surroundings:
    """What a rank sees of the atoms when it evaluates its sites. halo: copies of others' atoms; atoms: own ones and
    copies; shares: what is evaluated; built_at: (n_own, 3) where its own atoms were when this was found."""

    halo: Halo
    atoms: AtomSet
    shares: tuple[Share, ...]
    built_at: Array

    def moved(self, positions: Array) -> float:
        """How far an atom of this rank has gone since, at most, Å."""
        off = positions - self.built_at
        return float(np.einsum("nc,nc->n", off, off).max(initial=0.0)) ** 0.5

    def state(self, positions: Array) -> State:
        """positions (n_own, 3) → own atoms and copies there. Collective."""
        return self.atoms.state(self.halo.extended(positions))


@dataclass
class AtomisticEnergy:
    """Evaluates this rank's share of Σ_i w_i [ε_i(y) − ε_bulk], and its gradient on this rank's atoms.

    weights: (n,) w_i of the atoms that it owns, zero for those that only complete neighbourhoods; zero_level: (n,)
    ε_bulk of each, eV; keep: optional filter that removes pairs (bonds across a cut); masking: where site energies are
    put together from several lists of pairs (coupling.masking; ε_i stands for that sum below). Neighbour lists have a
    skin and are rebuilt, by all ranks, only when needed. All functions of positions are collective.
    """

    potential: Potential
    atoms: AtomSet
    weights: Array
    zero_level: Array
    keep: BondFilter | None = None
    skin: float = 0.6
    counter: Counter = field(default_factory=Counter)
    masking: Sharing | None = None

    def __post_init__(self) -> None:
        mine = np.flatnonzero(self.weights != 0.0)
        self._index = torch.from_numpy(mine)
        self._weight = torch.from_numpy(self.weights)
        self._zero = float(self.weights[mine] @ self.zero_level[mine])
        self._around: Surroundings | None = None
        self._last: tuple[Array, tuple[float, Array, Array]] | None = None

    def _look(self, positions: Array) -> Surroundings:
        """What there is to see at positions (n, 3) of this rank's atoms. Collective."""
        count, own = shells(self.potential), self._index
        halo = self.atoms.around(
            (count + 1) * (self.potential.cutoff + self.skin), self.weights != 0.0, positions
        )
        atoms = self.atoms.extended(halo)
        pairs = find_pairs(atoms.state(halo.extended(positions)), self.potential.cutoff + self.skin)
        is_site = torch.zeros(len(atoms), dtype=torch.bool).index_fill(0, own, True)
        kept = grown(is_site, pairs, count)[pairs.i]
        pairs = pairs.select(kept if self.keep is None else kept & self.keep(atoms)(pairs))
        shares: tuple[Share, ...] = (Share(pairs, own, torch.ones(len(own), dtype=torch.float64)),)
        if self.masking is not None:
            shares = self.masking.extended(halo).shares(pairs, own, count)
        return Surroundings(halo, atoms, shares, positions.copy())

    def surroundings(self, positions: Array) -> Surroundings:
        """Found anew only where a pair left out may have come within the cutoff, on whatever rank. Collective."""
        around = self._around
        moved = 0.0 if around is None else np.nan_to_num(around.moved(positions))  # NaN has its own message
        if around is None or 2.0 * self.atoms.ownership.largest(moved) > self.skin:
            self._around = around = self._look(positions)
        return around

    def copies(self, positions: Array) -> int:
        """How many atoms of others all ranks together see. Collective."""
        halo = self.surroundings(positions).halo
        return int(self.atoms.ownership.sum(halo.size - halo.own))

    def _sites(self, share: Share) -> nnp_evaluate.Sites:
        return nnp_evaluate.Sites(share.index, self._weight[share.index] * share.part)

    def __call__(self, positions: Array) -> tuple[float, Array]:
        """positions (n, 3) of this rank's atoms → (energy of its sites, ∂/∂y (n, 3) of the whole energy), eV, eV/Å."""
        energy, _, gradient = self._last_or_new(positions)
        return energy - self._zero, gradient.copy()

    def _last_or_new(self, positions: Array) -> tuple[float, Array, Array]:
        """Σ w_i ε_i, ε_i (n,) and the gradient; without cost where they were asked for last, since fields are
        written where a solver has just ended."""
        same = self._last is not None and np.array_equal(self._last[0], positions)
        if self._last is None or self.atoms.ownership.any(not same):
            self._last = positions.copy(), self._evaluated(self.potential, positions)
            self.counter.calls += len(self._index) > 0
            self.counter.sites += self.n_sites
        return self._last[1]

    def _evaluated(self, potential: Potential, positions: Array) -> tuple[float, Array, Array]:
        around = self.surroundings(positions)
        state = around.state(positions)
        total, energies, gradient = 0.0, np.zeros(len(self.atoms)), np.zeros((len(state), 3))
        for share in around.shares if len(self._index) else ():
            found = nnp_evaluate.evaluate(potential, state, share.pairs, self._sites(share))
            total += found.energy
            energies[share.index.numpy()] += (share.part * found.site_energies).numpy()
            gradient -= found.forces.numpy()
        return total, energies, around.halo.returned(gradient)

    def curvature(self, positions: Array) -> Callable[[Array], Array]:
        """positions (n, 3) of this rank's atoms → the function v → ∂²/∂y² v, (n, 3) → (n, 3), eV/Å², which is
        collective."""
        around = self.surroundings(positions)
        state = around.state(positions)
        curvatures = [
            nnp_evaluate.Curvature(self.potential, state, share.pairs, self._sites(share))
            for share in (around.shares if len(self._index) else ())
        ]

        def product(v: Array) -> Array:
            self.counter.products += len(curvatures) > 0
            direction = torch.tensor(around.halo.extended(v))
            total = sum((curvature(direction) for curvature in curvatures), torch.zeros_like(direction))
            return around.halo.returned(total.numpy())

        return product

    def site_energies(self, positions: Array) -> tuple[Array, Array]:
        """Atoms that this rank evaluates and their ε_i − ε_bulk, unweighted, eV."""
        index, energies, _ = self.detail(positions)
        return index, energies - self.zero_level[index]

    def graph(self, positions: Array) -> tuple[Array, Graph]:
        """Atoms that this rank evaluates and their neighbourhoods, of masked ones that without the other body only
        where nothing else is evaluated."""
        around = self.surroundings(positions)
        state, shares = around.state(positions), around.shares
        sites = nnp_evaluate.Sites(self._index, self._weight[self._index])
        pairs = shares[0].pairs if len(shares) == 1 else _first_of(shares, len(state))
        return self._index.numpy(), nnp_evaluate.environments(state, pairs, sites)[1]

    def detail(self, positions: Array, potential: Potential | None = None) -> tuple[Array, Array, Array]:
        """Atoms that this rank evaluates, their ε_i, unweighted, and ∂/∂y (n, 3) on this rank's atoms; of another
        potential, which reaches no farther, if one is given."""
        if potential is None or potential is self.potential:
            _, energies, gradient = self._last_or_new(positions)
        else:
            _, energies, gradient = self._evaluated(potential, positions)
        index = self._index.numpy()
        return index, energies[index], gradient.copy()

    @property
    def n_sites(self) -> int:
        """Number of site energies that one evaluation costs on this rank, as of the last one."""
        around = self._around
        return len(self._index) if around is None else sum(len(share.index) for share in around.shares)


def _first_of(shares: tuple[Share, ...], n: int) -> Pairs:
    """Of each site the pairs of the first share that evaluates it."""
    taken, parts = torch.zeros(n, dtype=torch.bool), []
    for share in shares:
        mine = torch.zeros(n, dtype=torch.bool).index_fill(0, share.index, True) & ~taken
        parts.append(share.pairs.select(mine[share.pairs.i]))
        taken |= mine
    whole = Pairs(*(torch.cat([getattr(p, name) for p in parts]) for name in ("i", "j", "shifts")))
    return whole.select(torch.argsort(whole.i, stable=True))
