"""The homogeneously deformed crystal (Cauchy–Born), batched over deformation gradients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from nnp import measured
from nnp.crystal import Array, Crystal
from nnp.equilibrium import cohesive_energy, lattice_constant
from nnp.external import External
from nnp.homogeneous_basis import Cells, relax_basis
from nnp.potential import Potential
from nnp.state import Tensor

__all__ = [
    "HomogeneousCrystal",
    "Response",
    "bulk_modulus",
    "cohesive_energy",
    "elastic_tensor",
    "internal_shift",
    "lattice_constant",
]

_REACHES = (1.1, 1.25, 1.6, 2.5)
"""How far beyond the cutoff neighbours are kept at rest; compressions below 1/2.5 are out of range."""
_PAIRS_PER_CHUNK = 120_000


@dataclass(frozen=True)
class Response:
    """energy: (n,) eV/Å³, zero at rest. stress: (n, 3, 3) first Piola–Kirchhoff P = ∂W/∂F, eV/Å³.
    shifts: (n, b, 3) relaxed displacements of the basis, Å, zero mean. residual: (n,) largest force left on
    the basis, eV/Å."""

    energy: Array
    stress: Array
    shifts: Array
    residual: Array


class HomogeneousCrystal:
    """W(F) of a crystal whose atom p of cell R sits at F·(R + X_p) + s_p, with Σ_p s_p = 0:

        W(F) = min_s Σ_p [ε_p(F, s) − ε_p(I)] / V,     P = ∂W/∂F,     A = ∂P/∂F,

    V the volume of the primitive cell at rest (area, of a flat crystal). The derivatives are exact: the
    basis stands at a minimum, so P is the partial derivative there, and A has the basis condensed out,
    A = W_FF − W_Fs W_ss⁻¹ W_sF. Neighbours are never lost: the stronger the compression, the longer the
    list. Points compressed to less than 1/2.5 in some direction get energy +inf and stress nan, which a
    line search understands.
    """

    def __init__(self, potential: Potential, crystal: Crystal, chunk: int = 4096):
        self.potential, self.crystal, self.chunk = potential, crystal, chunk
        self._cells: dict[float, Cells] = {}
        self._rest_energy, self._rest_shift = self._rest()

    def evaluate(self, F: Array, shifts: Array | None = None) -> Response:
        """Energy, stress and relaxed shifts at F (n, 3, 3); `shifts` (n, b, 3) is a start for them."""
        F = np.asarray(F, float)
        n, b = len(F), len(self.crystal.basis)
        energy, residual = np.full(n, np.inf), np.full(n, np.inf)
        stress, moved = np.full((n, 3, 3), np.nan), np.zeros((n, b, 3))
        for rows, cells in self._chunks(F):
            relaxed = relax_basis(cells, _torch(F[rows]), self._start(cells, F[rows], shifts, rows))
            energy[rows] = (relaxed.energy.numpy() - self._rest_energy) / self.crystal.volume
            stress[rows] = relaxed.stress.numpy() / self.crystal.volume
            moved[rows] = cells.shifts(relaxed.z).numpy()
            residual[rows] = relaxed.residual.numpy()
        return Response(energy, stress, moved, residual)

    def tangent(self, F: Array, shifts: Array | None = None, relaxed: bool = True) -> Array:
        """A = ∂P/∂F, (n, 9, 9), row-major in (iJ, kL), eV/Å³. `relaxed=False`: at fixed shifts (clamped)."""
        F = np.asarray(F, float)
        out = np.full((len(F), 9, 9), np.nan)
        for rows, cells in self._chunks(F):
            f = _torch(F[rows])
            z = relax_basis(cells, f, self._start(cells, F[rows], shifts, rows)).z
            ff, fz, zz = cells.hessian(f, z)
            if relaxed:
                ff = ff - fz @ _solve(zz, fz.transpose(1, 2))
            out[rows] = ff.numpy() / self.crystal.volume
        return out

    def shift_slope(self, F: Array, shifts: Array) -> Array:
        """∂s/∂F at F (n, 3, 3) with its relaxed shifts (n, b, 3): (n, b, 3, 3, 3), s by sublattice and component,
        then F's row and column."""
        F = np.asarray(F, float)
        out = np.zeros((len(F), len(self.crystal.basis), 3, 3, 3))
        for rows, cells in self._chunks(F):
            _, fz, zz = cells.hessian(_torch(F[rows]), cells.reduced(_torch(shifts[rows])))
            dz = -_solve(zz, fz.transpose(1, 2))  # (n, 3(b−1), 9)
            columns = dz.transpose(1, 2).reshape(len(rows), 9, -1, 3)
            out[rows] = cells.shifts(columns).permute(0, 2, 3, 1).reshape(len(rows), -1, 3, 3, 3).numpy()
        return out

    @cached_property
    def shift_gradient(self) -> Array:
        """∂s/∂(∇u) at rest, (b, 3, 3, 3), symmetric in the last two: Λ with s = Λ : sym ∇u."""
        one, cells = torch.eye(3, dtype=torch.float64)[None], self._cells_within(_REACHES[0])
        z = cells.reduced(_torch(self._rest_shift)[None])
        _, fz, zz = cells.hessian(one, z)
        dz = -_solve(zz, fz.transpose(1, 2))[0]  # (3(b-1), 9)
        columns = [cells.shifts(c.reshape(1, -1, 3))[0] for c in dz.T]
        out = torch.stack(columns, -1).reshape(-1, 3, 3, 3)
        return (0.5 * (out + out.transpose(2, 3))).numpy()

    def _rest(self) -> tuple[float, Array]:
        cells = self._cells_within(_REACHES[0])
        start = torch.zeros((1, cells.free, 3), dtype=torch.float64)
        found = relax_basis(cells, torch.eye(3, dtype=torch.float64)[None], start)
        return float(found.energy[0]), cells.shifts(found.z)[0].numpy()

    def _start(self, cells: Cells, F: Array, shifts: Array | None, rows: Array) -> Tensor:
        """Where the basis starts: the given shifts, or the linear ones, carried along by F so that a
        rotation of the crystal rotates them."""
        if cells.free == 0:
            return torch.zeros((len(F), 0, 3), dtype=torch.float64)
        if shifts is not None:
            return cells.reduced(_torch(shifts[rows]))
        strain = 0.5 * (np.swapaxes(F, 1, 2) @ F - np.eye(3))
        local = self._rest_shift + np.einsum("pikl,nkl->npi", self.shift_gradient, strain)
        return cells.reduced(_torch(np.einsum("nij,npj->npi", F, local)))

    def _chunks(self, F: Array) -> list[tuple[Array, Cells]]:
        """Rows of F that share a list of neighbours, at most `chunk` of them at a time."""
        least = np.sqrt(np.maximum(np.linalg.eigvalsh(np.swapaxes(F, 1, 2) @ F)[:, 0], 1e-12))
        need = 1.05 / least  # 5 % of the cutoff for the shifts
        level = np.searchsorted(_REACHES, need)
        out = []
        for k, reach in enumerate(_REACHES):
            rows = np.flatnonzero(level == k)
            if len(rows):
                cells = self._cells_within(reach)
                size = int(np.clip(_PAIRS_PER_CHUNK // max(1, cells.n_close), 16, self.chunk))
                out += [(rows[i : i + size], cells) for i in range(0, len(rows), size)]
        return out

    def _cells_within(self, reach: float) -> Cells:
        if reach not in self._cells:
            self._cells[reach] = Cells(self.potential, self.crystal, reach)
        return self._cells[reach]


def internal_shift(potential: Potential, crystal: Crystal) -> Array:
    """Λ (b, 3, 3, 3), Å: the basis moves by s_p = Λ_p : sym(∇u) to first order, with zero mean."""
    if isinstance(potential, External):
        return measured.internal_shift(potential, crystal)
    return HomogeneousCrystal(potential, crystal).shift_gradient


def elastic_tensor(potential: Potential, crystal: Crystal, relaxed: bool = True) -> Array:
    """Elastic constants C (3, 3, 3, 3) of the crystal at rest, laboratory frame, eV/Å³ (flat crystal: eV/Å²).
    Initial stress, where `a` is not the equilibrium, is taken out: C = A − δ_ik σ_jl, symmetrised.
    `relaxed=False`: with the basis held (clamped)."""
    if isinstance(potential, External):
        return measured.elastic_tensor(potential, crystal, relaxed)
    homogeneous = HomogeneousCrystal(potential, crystal)
    one = np.eye(3)[None]
    stress = homogeneous.evaluate(one).stress[0]
    C = homogeneous.tangent(one, relaxed=relaxed)[0].reshape(3, 3, 3, 3)
    C = C - np.einsum("ik,jl->ijkl", np.eye(3), stress)
    C = 0.5 * (C + C.transpose(1, 0, 2, 3))
    C = 0.5 * (C + C.transpose(0, 1, 3, 2))
    return 0.5 * (C + C.transpose(2, 3, 0, 1))


def bulk_modulus(C: Array) -> float:
    """Voigt average C_iijj / 9, the bulk modulus of a cubic crystal, in the unit of C."""
    return float(np.einsum("iijj->", C) / 9.0)


def _torch(x: Array) -> Tensor:
    return torch.as_tensor(np.ascontiguousarray(x), dtype=torch.float64)


def _solve(a: Tensor, b: Tensor) -> Tensor:
    """a⁻¹ b of symmetric (n, m, m); a direction of no stiffness (torn crystal, flat crystal) stays put."""
    if a.shape[-1] == 0:
        return b
    return torch.linalg.pinv(a, hermitian=True, rtol=1e-12) @ b
