"""The law between the surfaces of a tip and a block on the mesh, outside the atoms that adhere by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from coupling.gap import Gap, Line
from coupling.model import Model
from coupling.transfer import block_matrix
from meshes.tip import profile
from multiscale.config import Case
from multiscale.continuum.surface import node_positions
from multiscale.interface import make_law
from multiscale.material import Material
from multiscale.tip import BELOW
from nnp.crystal import Crystal

Array = np.ndarray


def with_gap(case: Case, material: Material, model: Model) -> Model:
    """The model of a tip with the law that the case asks for among its terms. Collective. InputError where the case
    has no such law."""
    if case.geometry.tip is None or case.interface.law == "none" or model.bulk is None:
        return model
    radius = case.geometry.tip.radius
    upper = _surface(model, "upper_surface", lambda x: terraces(x, radius, material.crystal))
    lower = _surface(model, "lower_surface", np.zeros_like)
    rows, columns, weights = (np.concatenate(parts) for parts in zip(upper[1], _after(upper[1], lower)))
    n = len(upper[0].reference) + len(lower[0].reference)
    comm = model.comm
    low, high = n * comm.rank // comm.size, n * (comm.rank + 1) // comm.size
    mine = (rows >= low) & (rows < high)
    blocks = weights[mine, None, None] * np.eye(3)
    size = (high - low, model.layout.n_local // 3)
    follow = block_matrix(comm, rows[mine] - low, columns[mine], blocks, size)
    gap = Gap(upper[0], lower[0], follow, make_law(case, material))
    return replace(model, terms=(*model.terms, gap))


def terraces(x: Array, radius: float, crystal: Crystal) -> Array:
    """Height of the tip's surface as its atomic planes make it, Å: half of the widest gap between planes below the
    lowest atoms at x."""
    period = crystal.period((0.0, 1.0, 0.0))
    planes = np.sort(crystal.planes(1) % period)
    count = int(np.ceil((profile(x, radius).max() + period) / period)) + 1
    heights = (planes + period * np.arange(count)[:, None]).ravel()
    return heights[np.searchsorted(heights, profile(x, radius) + BELOW)] - heights[0]


def _after(entries: Any, lower: tuple[Line, Any]) -> Any:
    rows, columns, weights = lower[1]
    return rows + entries[0].max() + 1, columns, weights


def _surface(model: Model, tag: str, height: Any) -> tuple[Line, tuple[Array, Array, Array]]:
    """The nodes of a surface and the middles of its facets, which have the share, from left to right; and how they
    follow the unknowns: rows, columns (blocks) and weights.

    It is drawn at `height`, with the steps of the crystal, which the mesh does not have. Over the atoms, where it has
    no nodes, what it has been moved by is linear between the last nodes on either side: others that slide there face
    it."""
    bulk: Any = model.bulk
    facets = bulk.facet_nodes(tag)[:, :2]
    nodes, first = np.unique(facets, return_index=True)
    points = node_positions(bulk, facets).reshape(-1, 3)[first]
    order = np.argsort(points[:, 0])
    points, columns = points[order], model.layout.node_block(nodes[order])
    edge = np.diff(points, axis=0)
    length = np.linalg.norm(edge, axis=1)
    hole = int(np.searchsorted(points[:, 0], 0.0)) - 1  # the interval between the rim's nodes
    counts = np.ones(len(edge), int)
    counts[hole] = int(np.ceil(length[hole] / np.delete(length, hole).min()))
    left = np.repeat(np.arange(len(edge)), counts)
    within = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    t = (within + 1.0) / (counts[left] + 1.0)
    between = points[left] + t[:, None] * edge[left]
    free = 1.0 if model.mask is None else 1.0 - model.mask(between)
    share = np.where(left == hole, 0.0, 0.5 * length[left] * bulk.thickness * free)
    place = left + 1
    line = Line(np.insert(points, place, between, axis=0), np.insert(np.zeros(len(points)), place, share))
    line.reference[:, 1] = height(line.reference[:, 0])
    node_rows = np.arange(len(points)) + np.concatenate([[0], np.cumsum(counts)])
    rows = place + np.arange(len(left))
    return line, (
        np.concatenate([node_rows, rows, rows]),
        np.concatenate([columns, columns[left], columns[left + 1]]),
        np.concatenate([np.ones(len(points)), 1.0 - t, t]),
    )
