"""The atomistic part of the energy, Σ_i w_i [ε_i(y) − ε_bulk], shared by all ranks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from coupling.atoms import AtomSet
from nnp import evaluate as nnp_evaluate
from nnp.crystal import Crystal
from nnp.field import grown, shells
from nnp.neighbors import NeighborList, PairFilter, Pairs, find_pairs
from nnp.potential import Graph, Potential

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
    eV; keep: optional filter that removes pairs (bonds across a cut). Neighbour lists have a skin and are
    rebuilt only when needed.
    """

    potential: Potential
    atoms: AtomSet
    weights: Array
    zero_level: Array
    keep: PairFilter | None = None
    skin: float = 0.6
    counter: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        own = self.atoms.ownership.owned
        mine = np.zeros(len(self.atoms), bool)
        mine[own] = self.weights[own] != 0.0
        self._is_site = torch.from_numpy(mine)
        index = torch.nonzero(self._is_site)[:, 0]
        self._sites = nnp_evaluate.Sites(index, torch.from_numpy(self.weights)[index])
        self._zero = float(self.weights[mine] @ self.zero_level[mine])
        self._list = NeighborList(self.potential.cutoff, self.skin, keep=self._kept)

    def _kept(self, pairs: Pairs) -> torch.Tensor:
        mine = grown(self._is_site, pairs, shells(self.potential))[pairs.i]
        return mine if self.keep is None else mine & self.keep(pairs)

    def __call__(self, positions: Array) -> tuple[float, Array]:
        """positions (n, 3) of all atoms → (energy of this rank's sites, ∂/∂y (n, 3) of that energy), eV, eV/Å."""
        if len(self._sites.index) == 0:
            return 0.0, np.zeros((len(self.atoms), 3))
        state = self.atoms.state(positions)
        result = nnp_evaluate.evaluate(self.potential, state, self._list(state), self._sites)
        self.counter.calls += 1
        self.counter.sites += len(self._sites.index)
        return result.energy - self._zero, -result.forces.numpy()

    def curvature(self, positions: Array) -> Callable[[Array], Array]:
        """positions (n, 3) of all atoms → the function v → ∂²/∂y² v of this rank's energy, (n, 3) → (n, 3), eV/Å²."""
        if len(self._sites.index) == 0:
            return np.zeros_like
        state = self.atoms.state(positions)
        curvature = nnp_evaluate.Curvature(self.potential, state, self._list(state), self._sites)

        def product(v: Array) -> Array:
            self.counter.products += 1
            return curvature(torch.tensor(v)).numpy()

        return product

    def site_energies(self, positions: Array) -> tuple[Array, Array]:
        """Atoms that this rank evaluates and their ε_i − ε_bulk, unweighted, eV."""
        state, index = self.atoms.state(positions), self._sites.index.numpy()
        if len(index) == 0:
            return index, np.zeros(0)
        energies = nnp_evaluate.evaluate(self.potential, state, self._list(state), self._sites).site_energies
        return index, energies.numpy() - self.zero_level[index]

    def graph(self, positions: Array) -> tuple[Array, Graph]:
        """Atoms that this rank evaluates and their neighbourhoods."""
        state = self.atoms.state(positions)
        graph = nnp_evaluate.environments(state, self._list(state), self._sites)[1]
        return self._sites.index.numpy(), graph

    def detail(self, positions: Array, potential: Potential | None = None) -> tuple[Array, Array, Array]:
        """Atoms that this rank evaluates, their ε_i, unweighted, and this rank's ∂/∂y (n, 3), at the cost of one
        evaluation; of another potential, which reaches no farther, if one is given."""
        state, index = self.atoms.state(positions), self._sites.index.numpy()
        if len(index) == 0:
            return index, np.zeros(0), np.zeros((len(self.atoms), 3))
        found = nnp_evaluate.evaluate(potential or self.potential, state, self._list(state), self._sites)
        return index, found.site_energies.numpy(), -found.forces.numpy()

    @property
    def n_sites(self) -> int:
        """Number of site energies that one evaluation costs on this rank."""
        return len(self._sites.index)
