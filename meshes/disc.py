"""A disc or a plate meshed finely around an atomistic core and ever more coarsely outwards, whole or with a crack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import gmsh
import numpy as np
from scipy.spatial import cKDTree

from meshes.contour import star_contour
from meshes.data import MeshData, boundary_facets, cell_facets, make_mesh
from meshes.lattice import Distance, LatticePatch, as_distance, boundary_loops, lattice_triangles
from meshes.outline import Circle, Outline, Rectangle
from meshes.session import gmsh_model, mesh_arrays, size_field
from meshes.split import split_along

Array = np.ndarray


@dataclass(frozen=True)
class Slit:
    """A crack along y = tip[1] from the far left to its tip, (2,) Å. through: the mesh is cut ahead of the tip too,
    right across the disc, for a surface that may open there."""

    tip: Sequence[float]
    through: bool = False


@dataclass(frozen=True)
class Band:
    """Elements of size h along the crack plane up to `length` beyond the tip, Å."""

    h: float
    length: float


def graded_disc(
    radius: float,
    growth: float = 1.2,
    h: float | None = None,
    hole: float | Distance | None = None,
    patch: LatticePatch | None = None,
    crack: Slit | None = None,
    centre: Sequence[float] = (0.0, 0.0),
    h_max: float | None = None,
    band: Band | None = None,
) -> MeshData:
    """Triangles between a hole (the atomistic core) and a circle.

    radius: of the outer circle, Å. hole: radius of the hole, or signed distance of points from a hole of any
    shape (negative inside), which must be star-shaped about the crack tip (the centre without a crack) unless
    a patch surrounds it. patch: where the nodes are lattice sites; a lattice triangle belongs to the mesh if
    no corner lies in the hole. Around it the element size is h + (growth − 1) · distance, so that neighbours
    differ by about the factor `growth`, at most h_max (default radius / 8). h: first size, Å (default: the
    patch's own, else a 32nd of the hole's circumference, else radius / 50). band: where on the plane of a crack the
    mesh is finer than that; between core and band elements grow no faster than elsewhere.

    Tags: "outer" (circle), "inner" (the hole's rim); with a crack also its faces "crack_upper" and
    "crack_lower" (row k of both is the same edge; nodes doubled up to the tip) and "crack_ahead", the edges
    on its plane beyond the tip, or where the slit goes through the faces there, "interface_upper" and
    "interface_lower" (row k of both is the same edge). Every node on the plane has y equal to the tip's.

    Raises ValueError where the shapes do not fit into each other or no node lies at a tip outside the hole.
    """
    return graded(Circle(radius, centre), growth, h, hole, patch, crack, h_max, band)


def graded_plate(
    size: Sequence[float],
    growth: float = 1.2,
    h: float | None = None,
    hole: float | Distance | None = None,
    patch: LatticePatch | None = None,
    crack: Slit | None = None,
    centre: Sequence[float] = (0.0, 0.0),
    h_max: float | None = None,
    band: Band | None = None,
) -> MeshData:
    """As graded_disc in a rectangle of the given width and height, Å; its sides "left", "right", "bottom" and "top"
    are tagged, and all of them together "outer"."""
    return graded(Rectangle(size, centre), growth, h, hole, patch, crack, h_max, band)


def graded(
    outline: Outline,
    growth: float,
    h: float | None,
    hole: float | Distance | None,
    patch: LatticePatch | None,
    crack: Slit | None,
    h_max: float | None,
    band: Band | None,
) -> MeshData:
    """As graded_disc, within any outline."""
    radius, middle = outline.radius, outline.centre
    tip = None if crack is None else np.asarray(crack.tip, float)
    _check(outline, growth, tip)
    core = as_distance(hole, middle) if hole else None
    points, cells, rim = _inner_part(outline, h, core, patch, tip)
    h = _mean_edge(rim) if len(rim) > 1 else (h or radius / 50)
    ring = _fill(rim, outline, tip, h, growth, h_max or radius / 8, band)
    mesh = _tag(make_mesh(*_merge(points, cells, *ring)), outline)
    return mesh if crack is None else _cut(mesh, crack, core)


def _check(outline: Outline, growth: float, tip: Array | None) -> None:
    if not outline.radius > 0:
        raise ValueError(f"the radius of a disc, and the sizes of a plate, must be positive, not {outline}")
    if not 1 < growth < 3:
        raise ValueError(
            f"growth is the ratio of neighbouring element sizes, above 1 and below 3, not {growth}"
        )
    if tip is not None and not outline.inside(tip[None])[0]:
        raise ValueError("the crack tip lies outside the domain")


def _inner_part(
    outline: Outline, h: float | None, core: Distance | None, patch: LatticePatch | None, tip: Array | None
) -> tuple[Array, Array, Array]:
    """Points and triangles of the patch, if any, and the loop of points (k, 2) that gmsh starts from."""
    seed = outline.centre if tip is None else tip
    if patch is not None:
        return _patch(patch, core, outline, tip)
    rim = seed[None, :] if core is None else star_contour(core, seed, outline.reach, h)
    if core is not None and not outline.inside(rim).all():
        raise ValueError("the hole reaches the outer boundary")
    return np.empty((0, 2)), np.empty((0, 3), np.int64), rim


def _patch(
    patch: LatticePatch, core: Distance | None, outline: Outline, tip: Array | None
) -> tuple[Array, Array, Array]:
    centre = outline.centre
    inside = as_distance(patch.region, centre)
    reach = outline.reach + float(np.linalg.norm(np.asarray(patch.origin) - centre))
    along = None if tip is None else np.array([1.0, 0.0])
    points, cells = lattice_triangles(patch.vectors, patch.origin, inside, core, reach, along)
    if tip is not None:
        on_plane = np.abs(points[:, 1] - tip[1]) < 1e-6 * outline.radius
        if not on_plane.any():
            raise ValueError("no row of the patch's nodes lies on the crack plane; shift its origin")
        points[on_plane, 1] = tip[1]
    loops = [points[k] for k in boundary_loops(cells)]
    if core is not None and len(loops) == 1:
        raise ValueError("the hole does not lie within the lattice patch")
    rim = max(loops, key=_enclosed_area)
    away = (rim - centre) / np.linalg.norm(rim - centre, axis=1, keepdims=True).clip(min=1e-300)
    if not outline.inside(rim + _mean_edge(rim) * away).all():
        raise ValueError("the lattice patch reaches the outer boundary")
    return points, cells, rim


def _enclosed_area(loop: Array) -> float:
    x, y = loop.T
    return float(0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def _mean_edge(loop: Array) -> float:
    return float(np.linalg.norm(np.roll(loop, -1, axis=0) - loop, axis=1).mean())


def _fill(
    rim: Array, outline: Outline, tip: Array | None, h: float, growth: float, h_max: float, band: Band | None
) -> tuple[Array, Array]:
    """Points and triangles between the rim (a counterclockwise loop, or one point) and the outline."""
    with gmsh_model():
        geo = gmsh.model.geo
        corners = [geo.addPoint(x, y, 0.0) for x, y in rim]
        lines = (
            [geo.addLine(a, b) for a, b in zip(corners, corners[1:] + corners[:1])] if len(rim) > 1 else []
        )
        for line in lines:
            geo.mesh.setTransfiniteCurve(line, 2)
        *arcs, ends = outline.draw(float(outline.centre[1] if tip is None else tip[1]))
        fine: list[int] = []
        if tip is None:
            surfaces = [
                geo.addPlaneSurface(
                    [geo.addCurveLoop(arcs[0] + arcs[1])] + ([geo.addCurveLoop(lines)] if lines else [])
                )
            ]
        else:
            finer = None if band is None else _band(rim, outline, tip, band, h, growth)
            surfaces, fine = _two_halves(rim, corners, lines, arcs, ends, tip[1], finer)
        geo.synchronize()
        if tip is None and not lines:
            gmsh.model.mesh.embed(0, corners, 2, surfaces[0])
        size_field(corners, h, growth, h_max, None if band is None else (fine, band.h))
        gmsh.option.setNumber("Mesh.Algorithm", 6)  # frontal Delaunay: the best-shaped triangles
        gmsh.option.setNumber("Mesh.Smoothing", 10)
        gmsh.model.mesh.generate(2)
        return mesh_arrays(2)


def _band(rim: Array, outline: Outline, tip: Array, band: Band, h: float, growth: float) -> Array | None:
    """Where nodes lie on the plane between the rim and the end of the band, (k, 2) from left to right, the rim's own
    not among them; None where the band ends within the rim."""
    start = rim[rim[:, 1] == tip[1], 0].max(initial=tip[0])
    end = min(tip[0] + band.length, outline.right(tip[1]) - band.h)
    if end <= start + band.h:
        return None
    sizes = [min(h, band.h)]
    ratio = growth if h < band.h else 1.0
    while sum(sizes) < end - start:
        sizes.append(min(sizes[-1] * ratio, band.h))
    x = start + np.cumsum(sizes) * (end - start) / sum(sizes)
    return np.stack([x, np.full(len(x), tip[1])], axis=1)


def _two_halves(
    rim: Array,
    corners: list[int],
    lines: list[int],
    arcs: list[list[int]],
    ends: tuple[int, int],
    y: float,
    finer: Array | None,
) -> tuple[list[int], list[int]]:
    """The surfaces above and below the line y, which runs from outline to rim on the left and on the right; and the
    points on it that are given."""
    geo = gmsh.model.geo
    on_line = np.flatnonzero(rim[:, 1] == y)
    if len(on_line) == 0:
        raise ValueError("the crack plane misses the hole or the lattice patch around the tip")
    left, right = on_line[np.argmin(rim[on_line, 0])], on_line[np.argmax(rim[on_line, 0])]
    points = [] if finer is None else [geo.addPoint(x, y, 0.0) for x, y in finer]
    to_left = geo.addLine(ends[0], corners[left])
    along = [geo.addLine(a, b) for a, b in pairwise([corners[right], *points, ends[1]])]
    for line in along[:-1]:
        geo.mesh.setTransfiniteCurve(line, 2)
    n = len(lines)
    above = [lines[(right + k) % n] for k in range((left - right) % n)] if n else []
    below = [lines[(left + k) % n] for k in range((right - left) % n)] if n else []
    upper = [*arcs[0], to_left, *(-k for k in reversed(above)), *along]
    lower = [*arcs[1], *(-k for k in reversed(along)), *(-k for k in reversed(below)), -to_left]
    return [geo.addPlaneSurface([geo.addCurveLoop(loop)]) for loop in (upper, lower)], points


def _merge(points: Array, cells: Array, ring_points: Array, ring_cells: Array) -> tuple[Array, Array]:
    """Both parts as one; points at the same place become one point, the patch's."""
    if len(cells) == 0:
        return ring_points, ring_cells
    spacing = np.linalg.norm(points[cells[0, 0]] - points[cells[0, 1]])
    distance, nearest = cKDTree(points).query(ring_points)
    new = distance > 1e-6 * spacing
    number = np.where(new, len(points) + np.cumsum(new) - 1, nearest)
    return np.concatenate([points, ring_points[new]]), np.concatenate([cells, number[ring_cells]])


def _tag(mesh: MeshData, outline: Outline) -> MeshData:
    facets = boundary_facets(mesh.cells)
    sides = outline.sides(mesh.points[facets])
    tags = {name: facets[on] for name, on in sides.items()}
    if not sides["outer"].all():
        tags["inner"] = facets[~sides["outer"]]
    return make_mesh(mesh.points, mesh.cells, tags)


def _cut(mesh: MeshData, crack: Slit, core: Distance | None) -> MeshData:
    """Nodes doubled along the crack plane up to the tip, or right through."""
    tip = np.asarray(crack.tip, float)
    edges = np.unique(np.sort(cell_facets(mesh.cells).reshape(-1, 2), axis=1), axis=0)
    size = np.linalg.norm(np.ptp(mesh.points, axis=0))
    edges = edges[(np.abs(mesh.points[edges][:, :, 1] - tip[1]) < 1e-9 * size).all(1)]
    in_core = core is not None and core(tip[None])[0] < 0
    gap = np.linalg.norm(mesh.points - tip, axis=1).min()
    if not in_core and gap > 1e-6 * size:
        raise ValueError(f"no node of the mesh lies at the crack tip (the nearest is {gap:.3g} away)")
    behind = (mesh.points[edges][:, :, 0] <= tip[0] + 1e-6 * size).all(1)
    up, faces = np.array([0.0, 1.0]), ("crack_upper", "crack_lower")
    if not crack.through:
        mesh = make_mesh(mesh.points, mesh.cells, {**mesh.tags, "crack_ahead": edges[~behind]})
        split = split_along(mesh, edges[behind], up, faces)
        return make_mesh(split.points, split.cells, split.tags)
    split = split_along(mesh, edges, up, ("upper", "lower"))
    tags = {k: v for k, v in split.tags.items() if k not in ("upper", "lower")}
    for side, name in zip(("upper", "lower"), faces):
        tags |= {name: split.tags[side][behind], f"interface_{side}": split.tags[side][~behind]}
    return make_mesh(split.points, split.cells, tags)
