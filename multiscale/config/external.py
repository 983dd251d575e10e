"""What goes with a potential that has no site energies (type ase)."""

from __future__ import annotations

from multiscale.config.case import Case
from multiscale.config.errors import InputError

TYPE = "ase"
SCHEMES = ("schwarz", "atomistic")
LAWS = ("linear", "neo-hookean", "saint-venant-kirchhoff")


def check_external(case: Case) -> None:
    """InputError where type ase lacks a key, meets one that needs site energies, or its keys come without it."""
    config = case.potential
    if config.type != TYPE:
        for key in ("calculator", "cutoff"):
            if getattr(config, key) is not None:
                raise InputError(f"potential.{key}", f"belongs to type ase, not to type {config.type}")
        return
    if config.calculator is None:
        raise InputError(
            "potential.calculator",
            "is missing; type ase needs a class, as ase.calculators.emt.EMT",
        )
    if config.cutoff is None:
        raise InputError(
            "potential.cutoff", "is missing; type ase needs the reach of the calculator's interactions"
        )
    if case.interface.law != "none":
        raise InputError(
            "interface.law",
            "must be none with an ASE calculator, since a cohesive law needs site energies",
        )
    scheme, law, solver = case.coupling.scheme, case.continuum.law, case.solver
    if scheme not in SCHEMES:
        message = (
            f"{scheme} needs site energies, which an ASE calculator has not; {' and '.join(SCHEMES)} do not"
        )
        raise InputError("coupling.scheme", message)
    if scheme == "schwarz" and law not in LAWS:
        message = f"{law} needs site energies, which an ASE calculator has not; one of {', '.join(LAWS)}"
        raise InputError("continuum.law", message)
    if solver.method == "newton" or solver.path == "arc-length":
        key, value = ("path", "load") if solver.path == "arc-length" else ("method", "quasi-newton")
        raise InputError(f"solver.{key}", f"must be {value}: an ASE calculator gives no second derivatives")
