"""The rim of a star-shaped hole as a closed polygon."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def star_contour(distance: Callable[[Array], Array], seed: Array, reach: float, h: float | None) -> Array:
    """Counterclockwise points (k, 2) at equal spacing of about h where `distance` is zero, seen from `seed`.

    One point lies exactly to the right of the seed and one exactly to its left. h defaults to a 32nd of the
    circumference. ValueError where the seed is outside the hole or no rim is within `reach` of it.
    """
    if distance(seed[None])[0] >= 0:
        raise ValueError("the centre of the mesh (the crack tip, if there is one) must lie in the hole")
    halves = []
    fine = np.linspace(0.0, np.pi, 361)
    whole = _length(_on_rays(distance, seed, fine, reach)) + _length(
        _on_rays(distance, seed, fine + np.pi, reach)
    )
    h = whole / 32 if h is None else h
    for start in (0.0, np.pi):
        curve = _on_rays(distance, seed, start + fine, reach)
        run = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1)))
        count = max(3, int(np.ceil(run[-1] / h)))
        angles = np.interp(np.linspace(0.0, run[-1], count + 1), run, fine)[:-1]
        points = _on_rays(distance, seed, start + angles, reach)
        points[0, 1] = seed[1]
        halves.append(points)
    return np.concatenate(halves)


def _length(curve: Array) -> float:
    return float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())


def _on_rays(distance: Callable[[Array], Array], seed: Array, angles: Array, reach: float) -> Array:
    """Where the distance changes sign along each ray, by bisection."""
    ray = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    low, high = np.zeros(len(ray)), np.full(len(ray), 2.0 * reach)
    if (distance(seed + high[:, None] * ray) < 0).any():
        raise ValueError("the hole is not within the disc")
    for _ in range(60):
        middle = 0.5 * (low + high)
        inside = distance(seed + middle[:, None] * ray) < 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return seed + low[:, None] * ray
