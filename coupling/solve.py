"""Static equilibrium of a scheme, by the method that its kind needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from petsc4py import PETSc

from coupling.alternate import alternate
from coupling.descent import Monitor, NotANumberError, Settings, Solution, descend
from coupling.newton import newton
from coupling.preconditioner import Preconditioner
from coupling.schemes.base import Alternating, Scheme

__all__ = ["METHODS", "NotANumberError", "Settings", "Solution", "minimise"]


METHODS: dict[str, Callable[..., Solution]] = {"quasi-newton": descend, "newton": newton}


def minimise(
    scheme: Scheme,
    q: PETSc.Vec,
    precondition: Preconditioner,
    settings: Settings,
    monitor: Monitor | None = None,
    method: str = "quasi-newton",
) -> Solution:
    """Bring q to equilibrium in place: to a minimum of the energy, or to zero residual where the scheme has none.
    Prescribed unknowns stay as they are. Collective.

    monitor(iteration, energy, residual) is called once an iteration. method: of METHODS; what Newton's leaves
    unconverged the quasi-Newton method takes over, and alternating schemes have their own. NotANumberError when the
    start is not finite. Non-convergence is reported in the Solution, not raised.
    """
    if isinstance(scheme, Alternating):
        return alternate(scheme, q, precondition, settings, monitor)
    solution = METHODS[method](scheme, q, precondition, settings, monitor)
    if solution.converged or METHODS[method] is descend:
        return solution
    rest = descend(scheme, q, precondition, settings, monitor)
    return replace(
        rest,
        iterations=solution.iterations + rest.iterations,
        evaluations=solution.evaluations + rest.evaluations,
        products=solution.products,
    )
