"""Further parts of the energy enter every scheme as they are."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from patch import make_patch
from petsc4py import PETSc

from coupling.schemes import SCHEMES, Reference
from tests.mpi import COMM


@dataclass(frozen=True)
class Wells:
    """Σ k (q − 1)⁴ / 4 of every unknown: neither energy nor force vanish at rest."""

    k: float = 0.3
    part: str = "external"

    def energy_gradient(self, q: PETSc.Vec, g: PETSc.Vec) -> float:
        g.array[:] += self.k * (q.array_r - 1.0) ** 3
        return q.comm.tompi4py().allreduce(self.k * float(((q.array_r - 1.0) ** 4).sum()) / 4.0)

    def stiffness(self, q: PETSc.Vec) -> PETSc.Mat:
        n = (q.getLocalSize(), q.getSize())
        diagonal = 3.0 * self.k * (q.array_r - 1.0) ** 2
        rows, first = np.arange(n[0] + 1, dtype=PETSc.IntType), q.getOwnershipRange()[0]
        return PETSc.Mat().createAIJ((n, n), csr=(rows, rows[:-1] + first, diagonal), comm=q.comm)


@pytest.mark.parametrize("name", [name for name in SCHEMES if name != "atomistic"])
def test_a_term_adds_its_energy_force_and_stiffness_and_is_not_corrected_away(name) -> None:
    patch = make_patch("triangular", COMM)
    term = Wells()
    bare = SCHEMES[name](patch.model, Reference())
    full = SCHEMES[name](replace(patch.model, terms=(term,)), Reference())
    q, own = patch.model.vector(), patch.model.vector()
    q.array[:] = 0.02 * np.random.default_rng(1).normal(size=q.getLocalSize())
    energy = term.energy_gradient(q, own)
    with_term, without = patch.model.vector(), patch.model.vector()
    difference = (
        full.energy_gradient(q, with_term).total - bare.energy_gradient(q, without).total,
        with_term.array - without.array,
    )
    assert difference[0] == pytest.approx(energy, rel=1e-9)
    np.testing.assert_allclose(difference[1], own.array, atol=1e-12)
    if hasattr(full, "tangent"):
        products = [patch.model.vector() for _ in range(3)]
        full.tangent(q)(q, products[0])
        bare.tangent(q)(q, products[1])
        term.stiffness(q).mult(q, products[2])
        np.testing.assert_allclose(products[0].array - products[1].array, products[2].array, atol=1e-12)
