"""Regions in space by signed distance, and the mask that blends atoms into elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Array = np.ndarray


class Shape(Protocol):
    """A region with a signed distance: negative inside, positive outside, Å."""

    def distance(self, points: Array) -> Array:
        """points (n, 2 or 3) → (n,)."""
        ...

    def bounds(self) -> tuple[Array, Array]:
        """Corners of a box around the region; infinite along directions that the region does not limit."""
        ...


@dataclass(frozen=True)
class Ball:
    """All points closer to the centre than the radius; with a centre of two numbers, a disc (a cylinder
    along z)."""

    centre: Sequence[float]
    radius: float

    def distance(self, points: Array) -> Array:
        d = len(self.centre)
        return np.linalg.norm(points[:, :d] - np.asarray(self.centre, float), axis=1) - self.radius

    def bounds(self) -> tuple[Array, Array]:
        return _box_bounds(self.centre, np.full(len(self.centre), self.radius))


@dataclass(frozen=True)
class Box:
    """A box with sides along the axes, of full lengths `size`; two numbers give an infinite prism along z."""

    centre: Sequence[float]
    size: Sequence[float]

    def distance(self, points: Array) -> Array:
        d = len(self.centre)
        q = np.abs(points[:, :d] - np.asarray(self.centre, float)) - 0.5 * np.asarray(self.size, float)
        return np.linalg.norm(np.maximum(q, 0.0), axis=1) + np.minimum(q.max(axis=1), 0.0)

    def bounds(self) -> tuple[Array, Array]:
        return _box_bounds(self.centre, 0.5 * np.asarray(self.size, float))


@dataclass(frozen=True)
class Hexagon:
    """A regular hexagon (a prism along z) with a corner on the x axis through its centre, `radius` from it: `radius`
    layers of a triangular lattice of spacing 1. Its halves on the left and on the right may be `length` apart, with
    straight sides between."""

    centre: Sequence[float]
    radius: float
    length: float = 0.0

    def distance(self, points: Array) -> Array:
        x, y = (np.asarray(points)[:, :2] - np.asarray(self.centre, float)[:2]).T
        x = np.sign(x) * np.maximum(np.abs(x) - 0.5 * self.length, 0.0)
        angle = np.arctan2(y, x) % (np.pi / 3.0) - np.pi / 6.0  # from the normal of the side that is faced
        r = np.hypot(x, y)
        off = r * np.cos(angle) - np.sqrt(0.75) * self.radius
        return np.where(
            off > 0.0, np.hypot(off, np.maximum(r * np.abs(np.sin(angle)) - 0.5 * self.radius, 0.0)), off
        )

    def bounds(self) -> tuple[Array, Array]:
        return _box_bounds(self.centre[:2], np.array([self.radius + 0.5 * self.length, self.radius]))


SHAPES: dict[str, Callable[..., Shape]] = {"disc": Ball, "ball": Ball, "box": Box}


def _box_bounds(centre: Sequence[float], half: Array) -> tuple[Array, Array]:
    low, high = np.full(3, -np.inf), np.full(3, np.inf)
    c = np.asarray(centre, float)
    low[: len(c)], high[: len(c)] = c - half, c + half
    return low, high


def cubic(t: Array) -> Array:
    """3t² − 2t³: a C¹ step from 0 to 1."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def quintic(t: Array) -> Array:
    """10t³ − 15t⁴ + 6t⁵: a C² step from 0 to 1."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))


def sharp(t: Array) -> Array:
    """The jump at t = ½."""
    return (np.asarray(t) >= 0.5 - 1e-9).astype(float)


STEPS: dict[str, Callable[[Array], Array]] = {"cubic": cubic, "quintic": quintic, "sharp": sharp}
OPTIMAL = "optimal"


@dataclass(frozen=True)
class Mask:
    """w(x): 1 in the core, 0 beyond the blend zone around it, a smooth step of the distance between.

    core: the region where only atoms carry energy; blend: width of the transition, Å; step: a key of STEPS, or
    "optimal", which takes the values within the zone from `table` (coupling.least_mask).
    """

    core: Shape
    blend: float
    step: str = "quintic"
    table: Callable[[Array], Array] | None = None

    def __call__(self, points: Array) -> Array:
        """points (n, 2 or 3) Å → w (n,)."""
        t = 1.0 - self.core.distance(points) / self.blend
        if self.step != OPTIMAL:
            return STEPS[self.step](t)
        if self.table is None:
            raise ValueError("the optimal mask is given by a table on a lattice")
        return np.where(t >= 1.0 - 1e-9, 1.0, np.where(t <= 1e-9, 0.0, self.table(points)))


@dataclass(frozen=True)
class Everywhere:
    """The mask of a model without continuum: 1 inside the region widened by `margin`, 0 beyond."""

    core: Shape
    margin: float

    def __call__(self, points: Array) -> Array:
        return (self.core.distance(points) < self.margin).astype(float)
