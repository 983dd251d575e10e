"""The section of the case file that names a crystal."""

from __future__ import annotations

from dataclasses import dataclass

from multiscale.config.spec import item

Direction = tuple[int, int, int]


@dataclass(frozen=True)
class Orientation:
    x: Direction = item("crystal direction along x, three whole numbers", at_least=-1000, at_most=1000)
    y: Direction = item("crystal direction along y", at_least=-1000, at_most=1000)
    z: Direction = item(
        "crystal direction along z; x, y and z are orthogonal and right-handed", at_least=-1000, at_most=1000
    )


@dataclass(frozen=True)
class CrystalConfig:
    structure: str = item(
        "kind of lattice", choices=("sc", "fcc", "bcc", "diamond", "zincblende", "rocksalt", "triangular")
    )
    symbol: str | tuple[str, ...] = item("chemical element, or a list with one for each atom of the basis")
    a: float | None = item("lattice constant; null: from the potential", None, dimension="length", above=0.0)
    orientation: Orientation | None = item("crystal directions along x, y, z; null: the cubic axes", None)
