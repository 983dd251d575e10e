"""A disc of perfect crystal with a core of atoms: what the tests of schemes start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from crystals import MATERIALS

from coupling.assemble import coupled_model, halo
from coupling.atoms import Removal, thickness
from coupling.hessian import reference_hessian
from coupling.model import Model
from coupling.preconditioner import Preconditioner, stiffness
from coupling.regions import Ball, Mask
from coupling.schemes import SCHEMES, Reference, Scheme
from meshes.disc import graded_disc
from meshes.lattice import LatticePatch, longest_edge
from multiscale.block import projected_lattice
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.laws import LAWS
from nnp.crystal import Crystal
from nnp.homogeneous import HomogeneousCrystal, internal_shift
from nnp.potential import Potential
from nnp.state import State
from tests.mpi import gathered, largest


def whole_state(model: Model, y: np.ndarray) -> tuple[State, slice]:
    """The atoms of all ranks where each rank has its own at y, and which of them are this rank's. Collective."""
    atoms, own = model.atoms, model.atoms.ownership
    numbers = torch.from_numpy(gathered(atoms.numbers))
    state = State(torch.from_numpy(gathered(y)), numbers, torch.from_numpy(atoms.cell), atoms.pbc)
    return state, slice(own.low, own.low + own.count)


@dataclass(frozen=True)
class Patch:
    model: Model
    crystal: Crystal
    hessian: Any

    def scheme(self, name: str, gradient: np.ndarray | None = None) -> Scheme:
        return SCHEMES[name](self.model, Reference(np.zeros((3, 3)) if gradient is None else gradient))

    def residual(self, scheme: Scheme, gradient: np.ndarray) -> float:
        """Largest force on a free atom or node under a homogeneous displacement gradient, eV/Å."""
        g = self.model.vector()
        scheme.energy_gradient(self.model.unknowns(lambda x: x @ gradient.T), g)
        return self.model.block_norm(g)

    def force_scale(self) -> float:
        """Largest force constant × lattice constant, eV/Å."""
        return largest(self.hessian.getValuesCSR()[2]) * self.crystal.a

    def precondition(self) -> Preconditioner:
        return Preconditioner(stiffness(self.model, self.hessian), model=self.model)


def make_patch(
    material: str,
    comm: Any,
    law: str = "linear",
    core: float = 9.0,
    blend: float = 9.0,
    remove: Removal | None = None,
    degree: int = 1,
    relaxed: bool = False,
    outside: Callable[[Potential], Potential] | None = None,
) -> Patch:
    """outside: what makes another potential of the material's, after its crystal."""
    potential, crystal = MATERIALS[material]()
    if outside is not None:
        potential = outside(potential)
    mask = Mask(Ball((0.3, 0.2), core), blend)
    vectors = projected_lattice(crystal)
    spacing = float(np.linalg.norm(vectors, axis=1).max())
    radius = core + blend + halo(potential, crystal) + 12.0
    data = None
    if comm.rank == 0:
        patch = LatticePatch(vectors, np.zeros(2), core + blend + spacing)
        hole = core - longest_edge(vectors) - 0.4  # the core is off the centre
        data = graded_disc(radius, growth=1.3, hole=hole, patch=patch)
    depth = thickness(crystal, 2)
    bulk = Bulk(
        comm,
        data,
        LAWS[law](potential, crystal),
        depth,
        degree,
        lambda x: mask.core.distance(x) < blend + spacing,
    )
    basis = HomogeneousCrystal(potential, crystal) if relaxed else None
    shift = internal_shift(potential, crystal)
    model = coupled_model(potential, crystal, mask, bulk, depth, shift, remove, basis)
    return Patch(model, crystal, reference_hessian(model.atomistic, crystal))
