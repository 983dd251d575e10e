"""A tip over a block and its load, in the case file. Values are in Å."""

from __future__ import annotations

from dataclasses import dataclass

from multiscale.config.spec import item


@dataclass(frozen=True)
class TipShape:
    radius: float = item("radius of curvature of its surface, a parabola", dimension="length", above=0.0)


@dataclass(frozen=True, kw_only=True)
class TipLoad:
    """The upper edge of a tip is moved as a whole, the lower edge of the block under it is held."""

    type: str = item("the upper edge of a tip is moved along a path", choices=("tip",))
    path: tuple[tuple[float, float], ...] = item(
        "corners [x, y] of the path, displacements from where the tip touches the block as one crystal with it",
        dimension="length",
    )
    step: float = item("longest way from one load step to the next", dimension="length", above=0.0)
