"""Small models of every family of potentials with random features, made to bind silicon, for the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch

from nnp.crystal import make_crystal
from nnp.families import FAMILIES, family, make_neural, save
from nnp.featured import FeaturedPotential, within
from nnp.neighbors import find_pairs
from nnp.potential import Graph
from nnp.registry import make_potential
from nnp.state import State
from tests.nnp.n2p2_files import SCRATCH

SMALL = {
    "behler": {
        "cutoff": 4.0,
        "radial_etas": (0.1, 0.5),
        "shells": (2.4, 3.2),
        "angular_etas": (0.05,),
        "zetas": (1.0, 4.0),
        "hidden": (4,),
    },
    "equivariant": {"cutoff": 3.4, "radial": 5, "filters": 3, "degree": 2, "channels": 6, "hidden": (4,)},
    "schnet": {"cutoff": 3.4, "layers": 2, "radial": 6, "channels": 8, "filters": 6, "hidden": (4,)},
}
MESSAGES = ("equivariant", "schnet")


def small(name: str, numbers=(6, 14), seed: int = 1, **changes) -> FeaturedPotential:
    """An untrained model of a family, its scales set from random neighbourhoods."""
    torch.manual_seed(seed)
    potential = make_neural(family(name).architecture(**(SMALL[name] | changes)), numbers).double()
    rng = np.random.default_rng(seed)
    crystal = make_crystal("diamond", "Si", 5.43).bulk_state((3, 3, 3))
    y = crystal.positions + torch.as_tensor(0.15 * rng.normal(size=(len(crystal), 3)))
    state = State(y, torch.as_tensor(rng.choice(numbers, len(y))), crystal.cell)
    potential.prepare(_graph(state, potential.cutoff), {z: -1.0 - 0.1 * z for z in numbers})
    return potential.requires_grad_(False)


@cache
def bound_silicon(name: str) -> Path:
    """The file of a model with a diamond crystal: the linear part of its network is fitted, by least squares, to
    the Stillinger–Weber energies and forces of strained and rattled cells."""
    teacher, pupil = make_potential("stillinger-weber"), small(name, (14,))
    rng = np.random.default_rng(7)
    network, rows, targets = pupil.networks[0], [], []
    for k in range(40):
        crystal = make_crystal("diamond", "Si", 5.43 * (0.86 + 0.01 * k)).bulk_state((2, 2, 2))
        F = torch.as_tensor(np.eye(3) + 0.03 * rng.normal(size=(3, 3)) * (k % 2))
        y = crystal.positions @ F + torch.as_tensor(0.05 * (k % 2) * rng.normal(size=(len(crystal), 3)))
        graph = _graph(State(y, crystal.numbers, crystal.cell @ F), max(teacher.cutoff, pupil.cutoff))
        graph.vectors.requires_grad_(True)
        f = (pupil.features(*within(graph, pupil.cutoff)) - network.mean) / network.spread
        energy = torch.cat([f, torch.ones_like(f[:, :1])], 1).sum(0)
        rows += [energy[None].detach(), torch.stack([_forces(e, graph) for e in energy[:-1]] + [0.0 * y], -1)]
        energy = teacher.site_energies(graph).sum()
        targets += [energy[None].detach(), _forces(energy, graph)]
    A, b = torch.cat([r.flatten(0, -2) for r in rows]), torch.cat([t.flatten() for t in targets])
    ridge = 1e-4 * len(A) * torch.eye(A.shape[1], dtype=A.dtype)
    solution = torch.linalg.solve(A.T @ A + ridge, A.T @ b)
    network.linear.copy_(solution[:-1])
    network.offset.copy_(solution[-1])
    network.layers[-1].weight.mul_(0.1)
    path = SCRATCH / f"{name}.safetensors"
    save(pupil, path)
    return path


def _forces(energy: torch.Tensor, graph: Graph) -> torch.Tensor:
    (g,) = torch.autograd.grad(energy, graph.vectors, retain_graph=True)
    forces = torch.zeros((graph.n_sites, 3), dtype=g.dtype).index_add(0, graph.centre, g)
    return forces.index_add(0, graph.neighbour, g, alpha=-1.0)


def _graph(state: State, cutoff: float) -> Graph:
    pairs = find_pairs(state, cutoff)
    return Graph(pairs.i, pairs.j, pairs.vectors(state), state.numbers, state.numbers[pairs.j])


assert set(SMALL) == set(FAMILIES) - {"density"}
