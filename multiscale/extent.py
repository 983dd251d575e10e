"""How large the domain is where the case does not say.

What a held boundary at R costs falls with R: for a point defect, whose strain decays as r⁻², the energy norm of what is
cut off goes as R⁻¹; for a crack the process zone's next field, u ~ r^(-1/2), is reflected with the effect of a change
of K of relative size ℓ / R. What elements and Cauchy–Born law cost goes as (d / r)² where atoms end, at r, with the
interatomic distance d. Both fall alike with

    R = c r² / d,

the radius ~ K₀² of M. Luskin, C. Ortner, B. Van Koten (Comput. Methods Appl. Mech. Eng. 253, 160, 2013,
doi:10.1016/j.cma.2012.09.007). A graded mesh takes few unknowns for it: they grow with ln R.
"""

from __future__ import annotations

import math
from dataclasses import replace

from coupling.assemble import halo
from multiscale.config import Case, InputError, core_center, lattice_spacing
from multiscale.material import Material

CRACK, DEFECT = 8.0, 1.0
"""c. In benchmarks/blending_2d.py, whose defects are vacancies, the rim makes most of the error below 1. At a crack in
Stillinger–Weber silicon ℓ = 0.9 Å, and the blend's own error is a few 1e-4 of K; 8 meets that."""

LEAST = 1.5
"""Of the pad's reach: below, hardly any mesh would be left between it and the rim."""


def with_radius(case: Case, material: Material) -> Case:
    """The case with a radius of its domain. InputError where there are no regions to choose it by."""
    if case.geometry.sized:
        return case
    pad = halo(material.potential, material.crystal)
    return replace(case, geometry=replace(case.geometry, radius=chosen_radius(case, material.crystal.a, pad)))


def chosen_radius(case: Case, a: float, pad: float) -> float:
    """Outer radius for a lattice constant a and a pad of a given width, Å, rounded up to three digits."""
    regions, geometry = case.regions, case.geometry
    if regions is None:
        raise InputError("geometry.radius", "is missing; it can be chosen only where regions are given")
    core = regions.core
    half = core.radius if core.size is None else 0.5 * math.hypot(*core.size)
    assert half is not None
    off = math.dist(core_center(regions, geometry), geometry.middle)
    if geometry.crack is not None:
        off = max(off, math.dist(geometry.crack.tip, geometry.middle[:2]))
    reach, factor = half + regions.blend, DEFECT if geometry.crack is None else CRACK
    radius = off + max(factor * reach**2 / lattice_spacing(case.crystal.structure, a), LEAST * (reach + pad))
    digits = 2 - math.floor(math.log10(radius))
    return math.ceil(radius * 10.0**digits) / 10.0**digits
