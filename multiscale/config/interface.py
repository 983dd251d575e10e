"""The section of the case file on the crack plane: its cohesive law, and who carries the adhesion where."""

from __future__ import annotations

from dataclasses import dataclass

from multiscale.config.crystal import CrystalConfig
from multiscale.config.spec import item


@dataclass(frozen=True)
class FadeConfig:
    """A second value of χ away from the centre."""

    radius: float = item("distance along the plane up to which chi holds", dimension="length", at_least=0.0)
    width: float = item("width of the smooth step to the other value", dimension="length", above=0.0)
    to: float = item("chi beyond, from 0 to 1", 0.0, at_least=0.0)
    centre: float | None = item("position x of the centre on the plane; null: the crack tip", None, key="center",
                                dimension="length")  # fmt: skip


@dataclass(frozen=True)
class GridConfig:
    """Rigid openings at which the potential is asked."""

    openings: int = item(
        "number of normal openings in tension, closer where the bonds break", 24, at_least=6, at_most=1000
    )
    sliding: float = item(
        "largest distance between sliding displacements", 0.35, dimension="length", above=0.0
    )
    compression: float | None = item(
        "deepest compression; null: a quarter of the gap between the planes, at most 0.08 nm", None,
        dimension="length", above=0.0, at_most=20.0,
    )  # fmt: skip


@dataclass(frozen=True)
class InterfaceConfig:
    law: str = item(
        "cohesive law across the crack plane, or between tip and block, where the mesh is: none, derive (from the "
        "potential), uber, xu-needleman or ppr (fitted to that), or the path of a law file (.json)",
        "none",
    )
    where: str = item(
        "ahead: on the plane ahead of the tip; plane: on its faces behind the tip too", "ahead",
        choices=("ahead", "plane"),
    )  # fmt: skip
    surfaces: str = item(
        "relaxed: the work of the law is that of relaxed surfaces, as the atoms find them; rigid: that of rigid bodies",
        "relaxed",
        choices=("relaxed", "rigid"),
    )
    compliance: str = item(
        "subtract: the law without the elastic compliance of one interplanar spacing, which the mesh has already; "
        "keep: as it is",
        "subtract",
        choices=("subtract", "keep"),
    )
    stiffness_ratio: float = item(
        "with subtract: stiffness of the closed surface over that of one interplanar spacing", 20.0, above=1.0
    )
    planes: int = item(
        "interplanar spacings that the law stands for; above 1 for meshes too coarse for its cohesive zone", 1,
        at_least=1, at_most=1000,
    )  # fmt: skip
    grid: GridConfig = item("rigid openings and slidings that a derived law goes through", make=GridConfig)
    upper: CrystalConfig | None = item(
        "the crystal above the plane where it is another one (a grain boundary, two materials), in a run with "
        "coupling.scheme continuum; null: the same", None,
    )  # fmt: skip
    max_strain: float = item(
        "with upper: largest strain that gives both crystals a common period", 0.01, above=0.0
    )
    irreversible: bool = item("damage: what has opened unloads to the origin and does not heal", False)
    chi: float = item(
        "share of the adhesion across the plane that atoms carry, from 0 to 1; it is taken out of them elsewhere and "
        "the law holds it", 1.0, at_least=0.0,
    )  # fmt: skip
    fade: FadeConfig | None = item("where and to what chi changes along the plane; null: nowhere", None)
    masked: bool = item(
        "take the law's share of the adhesion out of the atoms; false: leave it in, which counts it twice (to see "
        "what that does)", True,
    )  # fmt: skip
