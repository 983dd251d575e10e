"""How stiff the flat surface of an anisotropic half-space is against a smooth indenter.

A normal load on the surface y = 0 sinks it by ŵ(k) = (L⁻¹)_yy(φ) p̂(k) / |k|, with L⁻¹ of Stroh's formalism for fields
that vary along the direction φ of k alone (Barnett & Lothe; Ting, Anisotropic Elasticity, 1996). An isotropic solid has
(L⁻¹)_yy = 2 (1 − ν²) / E. So a cylinder feels the modulus M = 2 / (L⁻¹)_yy across its axis, and a sphere
M = 2 / mean over φ, exactly where the surface has a three-fold axis or more (J. J. Vlassak, W. D. Nix, J. Mech. Phys.
Solids 42, 1223, 1994, doi:10.1016/0022-5096(94)90033-7).
"""

from __future__ import annotations

import numpy as np

from nnp.stroh import stroh

Array = np.ndarray


def line_modulus(C: Array) -> float:
    """M of a line contact along z, eV/Å³; C (3, 3, 3, 3), surface normal y. E / (1 − ν²) in an isotropic solid."""
    return float(2.0 / stroh(C).compliance[1, 1])


def indentation_modulus(C: Array, directions: int = 24) -> float:
    """M of an axisymmetric indenter on the surface normal to y, eV/Å³; C (3, 3, 3, 3)."""
    compliance = [_turned(C, angle) for angle in np.pi * np.arange(directions) / directions]
    return float(2.0 / np.mean(compliance))


def _turned(C: Array, angle: float) -> float:
    """(L⁻¹)_yy for fields that vary along the direction at an angle from x in the surface."""
    c, s = np.cos(angle), np.sin(angle)
    R = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return float(stroh(np.einsum("ia,jb,kc,ld,abcd->ijkl", R, R, R, R, C)).compliance[1, 1])


def sphere_force(depth: Array, radius: float, modulus: float) -> Array:
    """Hertz: F = 4/3 M √R δ^{3/2}, eV/Å, zero above the surface; lengths Å, modulus eV/Å³."""
    return 4.0 / 3.0 * modulus * np.sqrt(radius) * np.maximum(depth, 0.0) ** 1.5


def contact_radius(force: Array, radius: float, modulus: float, line: bool) -> Array:
    """Hertz: a³ = 3 F R / (4 M) of a sphere, a² = 4 F R / (π M) of a cylinder (F per length), Å."""
    pressed = np.maximum(force, 0.0)
    if line:
        return np.sqrt(4.0 * pressed * radius / (np.pi * modulus))
    return np.cbrt(0.75 * pressed * radius / modulus)


def tabor(radius: float, work: float, distance: float, modulus: float) -> float:
    """μ = (R w² / (M² z₀³))^{1/3}: small for stiff and long-ranged (DMT), large for soft and short-ranged (JKR)
    contacts (D. Tabor, J. Colloid Interface Sci. 58, 2, 1977, doi:10.1016/0021-9797(77)90366-6). Å, eV/Å², eV/Å³."""
    return float(np.cbrt(radius * work**2 / (modulus**2 * distance**3)))
