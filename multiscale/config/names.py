"""Words that registries define. Looking them up imports the packages behind, so it is done last."""

from __future__ import annotations


def potential_types() -> tuple[str, ...]:
    from nnp.registry import POTENTIALS

    return tuple(POTENTIALS)


def continuum_laws() -> tuple[str, ...]:
    from multiscale.continuum.laws import LAWS

    return tuple(LAWS)


def coupling_schemes() -> tuple[str, ...]:
    from coupling.schemes import SCHEMES

    return tuple(SCHEMES)
