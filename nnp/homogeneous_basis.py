"""One primitive cell under many deformation gradients, and the relaxation of its basis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from nnp.crystal import Crystal
from nnp.potential import Graph, HasGradients, Potential
from nnp.state import Tensor

FORCE_TOLERANCE = 1e-10
"""eV/Å on the basis: the error of the stress is this times shift/volume, far below 1e-10 eV/Å³."""
_LARGEST_STEP = 0.3  # Å


class Cells:
    """Energy of the basis atoms of one cell as a function of F and the shifts.

    The zero-mean shifts are s = T z with orthonormal T (b, b−1), so z (n, b−1, 3) is free. With the
    unknowns stacked as Y = [Fᵀ; z] (n, 3 + b − 1, 3), every pair vector is linear in them, r = D Y, with
    one matrix D (K, 3 + b − 1) for all points.
    """

    def __init__(self, potential: Potential, crystal: Crystal, reach: float):
        self.potential = potential
        self.b = len(crystal.basis)
        self.free = self.b - 1
        p, q, lattice = crystal.environment(potential.cutoff, reach - 1.0)
        order = np.argsort(p, kind="stable")
        p, q, lattice = p[order], q[order], lattice[order]
        rest = lattice + crystal.basis[q] - crystal.basis[p]
        self.n_close = int(np.sum(np.linalg.norm(rest, axis=1) < 1.1 * potential.cutoff))
        # orthonormal columns, orthogonal to a common translation
        full = np.linalg.qr(np.column_stack([np.ones(self.b), np.eye(self.b)[:, 1:]]))[0]
        self.T = torch.as_tensor(full[:, 1:].copy())
        self.D = torch.cat([torch.as_tensor(rest), self.T[q] - self.T[p]], dim=1)
        self.p, self.q = torch.as_tensor(p), torch.as_tensor(q)
        self._inverse: Tensor | None = None
        self.numbers = torch.as_tensor(crystal.numbers, dtype=torch.long)

    def shifts(self, z: Tensor) -> Tensor:
        """(n, b, 3) from z."""
        return self.T @ z

    def reduced(self, shifts: Tensor) -> Tensor:
        """z (n, b−1, 3) from shifts; a common translation drops out."""
        return self.T.T @ shifts

    def unknowns(self, F: Tensor, z: Tensor) -> Tensor:
        return torch.cat([F.transpose(1, 2), z], dim=1).detach()

    def energy(self, Y: Tensor) -> Tensor:
        """Σ_p ε_p of each point, eV, (n,), differentiable in Y."""
        return self._summed(self.potential.site_energies(self._graph(Y)[0]), len(Y))

    def _graph(self, Y: Tensor) -> tuple[Graph, Tensor]:
        """The cells' environments, and the rows of D that make their pair vectors."""
        n = len(Y)
        with torch.no_grad():  # pairs out of reach at every point of the batch need no graph
            nearest = (self.D @ Y).square().sum(-1).amin(0)
            keep = torch.nonzero(nearest < self.potential.cutoff**2)[:, 0]
        D, p, q = self.D[keep], self.p[keep], self.q[keep]
        cell = self.b * torch.arange(n)[:, None]
        graph = Graph(
            centre=(cell + p).reshape(-1),
            neighbour=(cell + q).reshape(-1),  # its copy in the cell
            vectors=(D @ Y).reshape(-1, 3),
            numbers=self.numbers.repeat(n),
            neighbour_numbers=self.numbers[q].repeat(n),
        )
        return graph, D

    def _summed(self, energies: Tensor, n: int) -> Tensor:
        return energies.reshape(n, self.b).sum(1)

    def slope(self, Y: Tensor) -> tuple[Tensor, Tensor]:
        """Energy (n,) and its gradient in Y."""
        if isinstance(self.potential, HasGradients):
            graph, D = self._graph(Y)
            found = self.potential.gradients(graph, None)
            if found is not None:
                return self._summed(found[0], len(Y)), D.T @ found[1].reshape(len(Y), -1, 3)
        Y = Y.requires_grad_(True)
        E = self.energy(Y)
        (g,) = torch.autograd.grad(E.sum(), Y)
        return E.detach(), g

    def curvature(self, Y: Tensor, first: int) -> tuple[Tensor, Tensor, Tensor]:
        """Energy, gradient, and the rows of the Hessian from unknown `first` on, (n, 3m − first, 3m)."""
        if isinstance(self.potential, HasGradients):
            rows = [self._row(self.potential, Y, k) for k in range(first, Y[0].numel())]
            if all(row is not None for row in rows):
                return *self.slope(Y), torch.stack([row for row in rows if row is not None], 1)
        Y = Y.requires_grad_(True)
        E = self.energy(Y)
        (g,) = torch.autograd.grad(E.sum(), Y, create_graph=True)
        columns = g.reshape(len(Y), -1)[:, first:].unbind(1)
        automatic = [
            torch.autograd.grad(c.sum(), Y, retain_graph=True)[0].reshape(len(Y), -1) for c in columns
        ]
        return E.detach(), g.detach(), torch.stack(automatic, 1)

    def _row(self, potential: HasGradients, Y: Tensor, k: int) -> Tensor | None:
        """One row of the Hessian, (n, 3m), where the potential knows it."""
        graph, D = self._graph(Y)
        along = torch.zeros((len(D), 3), dtype=D.dtype)
        along[:, k % 3] = D[:, k // 3]
        found = potential.curvature(graph, None, along.repeat(len(Y), 1))
        return None if found is None else (D.T @ found.reshape(len(Y), -1, 3)).flatten(1)

    def rest_inverse(self, F: Tensor) -> Tensor:
        """F H⁻¹ Fᵀ, (n, 3(b−1), 3(b−1)), with H the Hessian in z of the crystal before its basis is relaxed:
        a fair guess of the inverse Hessian at F that turns with the crystal."""
        if self._inverse is None:
            one = torch.eye(3, dtype=torch.float64)[None]
            _, _, zz = self.hessian(one, torch.zeros((1, self.free, 3), dtype=torch.float64))
            self._inverse = torch.linalg.pinv(zz[0], hermitian=True, rtol=1e-9)
        m = self.free
        blocks = self._inverse.reshape(m, 3, m, 3)
        return torch.einsum("nij,ajbk,nlk->naibl", F, blocks, F).reshape(len(F), 3 * m, 3 * m)

    def hessian(self, F: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """E_FF (n, 9, 9) row-major in F, E_Fz (n, 9, 3(b−1)), E_zz, eV and Å."""
        _, _, H = self.curvature(self.unknowns(F, z), 0)
        ff = H[:, :9, :9].reshape(-1, 3, 3, 3, 3).permute(0, 2, 1, 4, 3).reshape(-1, 9, 9)
        fz = H[:, :9, 9:].reshape(len(F), 3, 3, -1).transpose(1, 2).reshape(len(F), 9, -1)
        return ff, fz, H[:, 9:, 9:]


@dataclass
class Relaxed:
    """z (n, b−1, 3), energy (n,) eV, stress (n, 3, 3) ∂E/∂F eV, slope (n, 3(b−1)) ∂E/∂z and its largest
    component, residual (n,), eV/Å."""

    z: Tensor
    energy: Tensor
    stress: Tensor
    slope: Tensor
    residual: Tensor


def relax_basis(cells: Cells, F: Tensor, z: Tensor) -> Relaxed:
    """Minimum of the energy over z at fixed F (n, 3, 3), from the start z.

    One evaluation serves a start that is already relaxed. The rest take quasi-Newton steps, one evaluation
    each; where those fail, Newton steps within a trust radius.
    """
    out = _evaluated(cells, F, z)
    open_ = torch.nonzero(out.residual > FORCE_TOLERANCE)[:, 0]
    if len(open_):
        left = _quasi_newton(cells, F, out, open_)
        if len(left):
            _trust_region(cells, F, out, left, z)
    return out


def _evaluated(cells: Cells, F: Tensor, z: Tensor) -> Relaxed:
    E, g = cells.slope(cells.unknowns(F, z))
    residual = g[:, 3:].abs().amax((1, 2)) if cells.free else torch.zeros(len(F), dtype=E.dtype)
    return Relaxed(z.clone(), E, g[:, :3].transpose(1, 2).contiguous(), g[:, 3:].flatten(1), residual)


def _store(out: Relaxed, rows: Tensor, z: Tensor, E: Tensor, g: Tensor) -> None:
    out.z[rows], out.energy[rows], out.slope[rows] = z, E, g[:, 3:].flatten(1)
    out.stress[rows], out.residual[rows] = g[:, :3].transpose(1, 2), g[:, 3:].abs().amax((1, 2))


def _quasi_newton(cells: Cells, F: Tensor, out: Relaxed, rows: Tensor, steps: int = 15) -> Tensor:
    """Broyden's good method from the inverse Hessian at rest, carried along by F; one plain evaluation a
    step. Converged points enter `out`; those that step too far or fail are returned."""
    z, g = out.z[rows], out.slope[rows]
    inverse = cells.rest_inverse(F[rows])
    stubborn = rows[:0]
    for _ in range(steps):
        if len(rows) == 0:
            break
        dz = -(inverse @ g[:, :, None])[:, :, 0]
        z = z + dz.reshape(z.shape)
        E, full = cells.slope(cells.unknowns(F[rows], z))
        g_new = full[:, 3:].flatten(1)
        size = g_new.abs().amax(1)
        wild = (dz.abs().amax(1) > _LARGEST_STEP) | ~(size < g.abs().amax(1))
        done = (size <= FORCE_TOLERANCE) & ~wild
        _store(out, rows[done], z[done], E[done], full[done])
        stubborn = torch.cat([stubborn, rows[wild]])
        go = ~(done | wild)
        inverse = _broyden(inverse[go], dz[go], (g_new - g)[go])
        rows, z, g = rows[go], z[go], g_new[go]
    return torch.cat([stubborn, rows])


def _broyden(inverse: Tensor, dz: Tensor, dg: Tensor) -> Tensor:
    """inverse + (dz − inverse dg) (dzᵀ inverse) / (dzᵀ inverse dg)."""
    left = (dz[:, None, :] @ inverse)[:, 0]
    miss = dz - (inverse @ dg[:, :, None])[:, :, 0]
    return inverse + miss[:, :, None] * (left / (left * dg).sum(1, keepdim=True))[:, None, :]


def _trust_region(
    cells: Cells, F: Tensor, out: Relaxed, rows: Tensor, start: Tensor, steps: int = 100
) -> None:
    """Newton with |eigenvalues| and a radius that shrinks when the energy rises; ends in `out`."""
    z = start[rows].clone()
    radius = torch.full((len(rows),), 0.1, dtype=z.dtype)
    E, full, H = cells.curvature(cells.unknowns(F[rows], z), 9)
    for _ in range(steps):
        dz = _bounded_step(H[:, :, 9:], full[:, 3:].flatten(1), radius)
        E_new, full_new, H_new = cells.curvature(cells.unknowns(F[rows], z + dz.reshape(z.shape)), 9)
        slope, slope_new = (f[:, 3:].abs().amax((1, 2)) for f in (full, full_new))
        flat = (E_new - E).abs() <= 1e-12 * (1.0 + E.abs())  # energies alike to rounding: forces decide
        better = torch.where(flat, slope_new < slope, E_new < E)
        z = torch.where(better[:, None, None], z + dz.reshape(z.shape), z)
        E, full = torch.where(better, E_new, E), torch.where(better[:, None, None], full_new, full)
        H = torch.where(better[:, None, None], H_new, H)
        radius = torch.where(better, (2.0 * radius).clamp(max=_LARGEST_STEP), 0.25 * radius)
        _store(out, rows, z, E, full)
        go = (out.residual[rows] > FORCE_TOLERANCE) & (radius > 1e-9)
        if not bool(go.any()):
            return
        rows, z, E, full, H, radius = rows[go], z[go], E[go], full[go], H[go], radius[go]


def _bounded_step(H: Tensor, g: Tensor, radius: Tensor) -> Tensor:
    value, vector = torch.linalg.eigh(H)
    stiffness = value.abs().clamp(min=1e-6)
    step = -(vector @ ((vector.transpose(1, 2) @ g[:, :, None]) / stiffness[:, :, None]))[:, :, 0]
    length = step.norm(dim=1)
    return step * torch.clamp(radius / length.clamp(min=1e-300), max=1.0)[:, None]
