"""Static equilibrium of a scheme, by the method that its kind needs."""

from __future__ import annotations

from petsc4py import PETSc

from coupling.alternate import alternate
from coupling.descent import Monitor, NotANumberError, Settings, Solution, descend
from coupling.preconditioner import Preconditioner
from coupling.schemes.base import Alternating, Scheme

__all__ = ["NotANumberError", "Settings", "Solution", "minimise"]


def minimise(
    scheme: Scheme,
    q: PETSc.Vec,
    precondition: Preconditioner,
    settings: Settings,
    monitor: Monitor | None = None,
) -> Solution:
    """Bring q to equilibrium in place: to a minimum of the energy, or to zero residual where the scheme has none.
    Prescribed unknowns stay as they are. Collective.

    monitor(iteration, energy, residual) is called once an iteration. NotANumberError when the start is not
    finite. Non-convergence is reported in the Solution, not raised.
    """
    if isinstance(scheme, Alternating):
        return alternate(scheme, q, precondition, settings, monitor)
    return descend(scheme, q, precondition, settings, monitor)
