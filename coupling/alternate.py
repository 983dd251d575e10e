"""Two problems that share a field, relaxed in turn (alternating Schwarz), accelerated.

H. A. Schwarz 1870; P.-L. Lions 1988. One sweep relaxes each part with the other held, q → G(q); Anderson's method
on G(q) − q takes the slow modes out, which plain turns reduce only by about the ratio of the two radii.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from petsc4py import PETSc

from coupling.descent import Monitor, Settings, Solution, descend
from coupling.history import Secants
from coupling.preconditioner import Preconditioner
from coupling.schemes.base import Alternating, Scheme


def alternate(
    scheme: Alternating,
    q: PETSc.Vec,
    precondition: Preconditioner,
    settings: Settings,
    monitor: Monitor | None = None,
) -> Solution:
    """Relax the parts of a scheme in turn until the whole is in equilibrium. Arguments as in
    coupling.solve.minimise; one iteration is one sweep."""
    model, residual = scheme.model, np.inf
    parts = [(part, _held(precondition, part)) for part in scheme.parts]
    secants, evaluations, sweep = Secants(_plain, 10), 0, 0
    start, last, g = q.copy(), None, model.vector()
    while True:
        scheme.residual(q, g)
        evaluations += 1
        residual = model.block_norm(g)
        if residual <= settings.force_tolerance or sweep >= settings.max_iterations:
            break
        if sweep > 0:
            last = _accelerate(secants, start, q, last)
            start = q.copy()
        inner = replace(settings, force_tolerance=max(0.3 * settings.force_tolerance, 0.02 * residual))
        evaluations += sum(descend(part, q, p, inner).evaluations for part, p in parts)
        sweep += 1
        if monitor is not None:
            monitor(sweep, np.nan, residual)
    energy = scheme.energy_gradient(q, g)
    return Solution(energy, residual, sweep, evaluations, residual <= settings.force_tolerance)


def _accelerate(
    secants: Secants, start: PETSc.Vec, q: PETSc.Vec, last: tuple[PETSc.Vec, PETSc.Vec] | None
) -> tuple[PETSc.Vec, PETSc.Vec]:
    """Replace q = G(start) by the accelerated iterate; gives back start and start − G(start)."""
    miss = start.copy()
    miss.axpy(-1.0, q)
    if last is not None:
        s, y = start.copy(), miss.copy()
        s.axpy(-1.0, last[0])
        y.axpy(-1.0, last[1])
        secants.add(s, y)
    start.copy(q)
    q.axpy(1.0, secants.direction(miss))
    return start, miss


def _plain(r: PETSc.Vec, z: PETSc.Vec) -> None:
    r.copy(z)


def _held(precondition: Preconditioner, part: Scheme) -> Preconditioner:
    """The stiffness with the other part's unknowns held."""
    matrix = precondition.matrix.copy()
    first = part.model.layout.starts[part.model.comm.rank]
    held = (part.model.fixed + first).astype(PETSc.IntType)
    matrix.zeroRowsColumns(held, diag=matrix.getDiagonal().max()[1])
    return Preconditioner(matrix, points=precondition.points)
