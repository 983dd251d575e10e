"""The outer boundary of a plane mesh: a circle or a rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import gmsh
import numpy as np

Array = np.ndarray


class Outline(Protocol):
    """centre: (2,) Å; reach: distance of the farthest point from it; width: of the domain about its centre."""

    @property
    def centre(self) -> Array: ...
    @property
    def reach(self) -> float: ...
    @property
    def radius(self) -> float:
        """Half the smallest extent."""
        ...

    def inside(self, points: Array) -> Array:
        """Which points (n, 2) lie within, (n,)."""
        ...

    def right(self, y: float) -> float:
        """Where the line at height y leaves it on the right, x."""
        ...

    def draw(self, y: float) -> tuple[list[int], list[int], tuple[int, int]]:
        """Curves of the gmsh model from the right over the top to the left, and on over the bottom back to the
        right; and their common points (left, right) at height y."""
        ...

    def sides(self, facets: Array) -> dict[str, Array]:
        """Which of the boundary edges (k, 2, 2) lie on it, (k,), by the name of the side."""
        ...


@dataclass(frozen=True)
class Circle:
    """Side "outer"."""

    radius: float
    middle: Sequence[float]

    @property
    def centre(self) -> Array:
        return np.asarray(self.middle, float)

    @property
    def reach(self) -> float:
        return self.radius

    def inside(self, points: Array) -> Array:
        return np.linalg.norm(points - self.centre, axis=1) < self.radius

    def right(self, y: float) -> float:
        return float(self.centre[0] + np.sqrt(self.radius**2 - (y - self.centre[1]) ** 2))

    def draw(self, y: float) -> tuple[list[int], list[int], tuple[int, int]]:
        geo, (cx, cy) = gmsh.model.geo, self.centre
        middle = geo.addPoint(cx, cy, 0.0)
        right, top = geo.addPoint(self.right(y), y, 0.0), geo.addPoint(cx, cy + self.radius, 0.0)
        left = geo.addPoint(2.0 * cx - self.right(y), y, 0.0)
        bottom = geo.addPoint(cx, cy - self.radius, 0.0)
        arcs = [geo.addCircleArc(a, middle, b) for a, b in pairwise([right, top, left, bottom, right])]
        return arcs[:2], arcs[2:], (left, right)

    def sides(self, facets: Array) -> dict[str, Array]:
        off = np.abs(np.linalg.norm(facets - self.centre, axis=2) - self.radius)
        return {"outer": (off < 1e-6 * self.radius).all(axis=1)}


@dataclass(frozen=True)
class Rectangle:
    """Sides "left", "right", "bottom" and "top", which together are "outer"; size: (2,) Å."""

    size: Sequence[float]
    middle: Sequence[float]

    @property
    def centre(self) -> Array:
        return np.asarray(self.middle, float)

    @property
    def half(self) -> Array:
        return 0.5 * np.asarray(self.size, float)

    @property
    def reach(self) -> float:
        return float(np.linalg.norm(self.half))

    @property
    def radius(self) -> float:
        return float(self.half.min())

    def inside(self, points: Array) -> Array:
        return (np.abs(points - self.centre) < self.half).all(axis=1)

    def right(self, y: float) -> float:
        return float(self.centre[0] + self.half[0])

    def draw(self, y: float) -> tuple[list[int], list[int], tuple[int, int]]:
        geo = gmsh.model.geo
        (x0, y0), (x1, y1) = self.centre - self.half, self.centre + self.half
        around = [(x1, y), (x1, y1), (x0, y1), (x0, y), (x0, y0), (x1, y0)]
        points = [geo.addPoint(*p, 0.0) for p in around]
        lines = [geo.addLine(a, b) for a, b in pairwise([*points, points[0]])]
        return lines[:3], lines[3:], (points[3], points[0])

    def sides(self, facets: Array) -> dict[str, Array]:
        off = (facets - self.centre) / self.half
        names = {"left": (0, -1.0), "right": (0, 1.0), "bottom": (1, -1.0), "top": (1, 1.0)}
        on = {k: (np.abs(off[..., axis] - at) < 1e-6).all(axis=1) for k, (axis, at) in names.items()}
        return {"outer": np.any(list(on.values()), axis=0), **on}
