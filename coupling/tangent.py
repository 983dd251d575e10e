"""The derivative of a scheme's residual about a state, as a product with a vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from petsc4py import PETSc

from coupling.model import Model

Array = np.ndarray


@dataclass(frozen=True)
class Tangent:
    """v → ∂R/∂q v with R = Tᵀ ∇E_atomistic(X + T q) + ∇E_continuum(u) + ∇E_terms(q), prescribed unknowns included.

    atoms: (n, 3) displacements of this rank's atoms → the second derivatives times those of all; stiffness: of the
    bulk at u, None without one. known: (n,) factors on the atoms' forces, and weight: on this rank's unknowns, the
    atomistic share of a residual that is blended row by row (both None: plain sum). terms: the stiffness of each term
    at q. motion: of this rank's atoms along v, T v if not given.
    """

    model: Model
    atoms: Callable[[Array], Array]
    stiffness: PETSc.Mat | None
    known: Array | None = None
    weight: Array | None = None
    terms: tuple[PETSc.Mat, ...] = ()
    motion: Callable[[PETSc.Vec], Array] | None = None

    def __call__(self, v: PETSc.Vec, out: PETSc.Vec) -> None:
        """out = ∂R/∂q v. Collective."""
        model, clock = self.model, self.model.clock
        with clock("transfer"):
            moved = (self.motion or model.displacements)(v)
        with clock("potential"):
            dy = self.atoms(moved)
        with clock("transfer"):
            model.pull_back(dy if self.known is None else self.known[:, None] * dy, out)
        with clock("bulk"):
            self._add_bulk(v, out)
        with clock("terms"):
            for matrix in self.terms:
                matrix.multAdd(v, out, out)

    def _add_bulk(self, v: PETSc.Vec, out: PETSc.Vec) -> None:
        values, mesh = out.array, self.model.layout.mesh
        if self.weight is not None:
            values *= self.weight
        if self.stiffness is None:
            return
        u = self.stiffness.createVecRight()
        u.array[:] = v.array_r[mesh]
        f = self.stiffness * u
        values[mesh] += f.array_r if self.weight is None else (1.0 - self.weight[mesh]) * f.array_r


def energy_tangent(model: Model, q: PETSc.Vec) -> Tangent:
    """The Hessian of the blended energy at q. Collective."""
    with model.clock("potential"):
        atoms = model.atomistic.curvature(model.positions(q))
    with model.clock("bulk"):
        bulk = model.bulk
        stiffness = None if bulk is None else bulk.stiffness(q.array_r[model.layout.mesh].copy())
    return Tangent(model, atoms, stiffness, terms=tuple(term.stiffness(q) for term in model.terms))
