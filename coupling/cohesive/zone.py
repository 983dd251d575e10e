"""How long the cohesive zone of a crack is, and what elements it needs."""

from __future__ import annotations

import numpy as np

from coupling.cohesive.law import CohesiveLaw
from coupling.cohesive.renormalised import in_series
from nnp.stroh import stroh

Array = np.ndarray
ELEMENTS = 3
"""Least number of elements in a cohesive zone."""


def crack_modulus(C: Array) -> float:
    """E′ with G = K_I²/E′ for a crack on the plane normal to y with its front along z, eV/Å³; E/(1 − ν²) of an
    isotropic solid."""
    return float(2.0 / stroh(C).compliance[1, 1])


def zone_length(C: Array, work: float, peak: float) -> float:
    """l_cz = E′ G_c/T_c², Å (Hillerborg's length; Rice 1968), of the work of adhesion and the peak traction."""
    return crack_modulus(C) * work / peak**2


def element_size(C: Array, law: CohesiveLaw, planes: int = 1) -> float:
    """Largest elements, Å, of which three lie in the cohesive zone of the law, or of N planes of it in series."""
    return zone_length(C, law.work, in_series(law, planes).peak) / ELEMENTS


def planes_needed(C: Array, law: CohesiveLaw, h: float, most: int = 100_000) -> int:
    """Fewest planes in series for which elements of size h (Å) are small enough. ValueError beyond `most`."""
    if element_size(C, law) >= h:
        return 1
    low, high = 1, 2
    while element_size(C, law, high) < h:
        low, high = high, 2 * high
        if high > most:
            raise ValueError(
                f"elements of {h:g} Å are too large for this law even with {most} planes in series"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if element_size(C, law, middle) >= h else (middle, high)
    return high
