"""A ball meshed finely around an atomistic core and ever more coarsely outwards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import gmsh
import numpy as np
from scipy.spatial import cKDTree

from meshes.data import MeshData, boundary_facets, make_mesh, signed_volumes
from meshes.lattice import Distance, LatticePatch, as_distance, pieces
from meshes.lattice3d import lattice_tetrahedra
from meshes.session import gmsh_model, mesh_arrays, size_field

Array = np.ndarray


def graded_ball(
    radius: float,
    growth: float = 1.3,
    h: float | None = None,
    hole: float | Distance | None = None,
    patch: LatticePatch | None = None,
    centre: Sequence[float] = (0.0, 0.0, 0.0),
    h_max: float | None = None,
) -> MeshData:
    """Tetrahedra between a hole (the atomistic core) and a sphere.

    radius: of the outer sphere, Å. hole: radius of the hole, or signed distance of points (n, 3) from a hole
    of any shape (negative inside). patch: where the nodes are lattice sites (vectors (3, 3), origin (3,),
    region); without one, a face-centred cubic lattice of spacing h three layers thick lines the hole. A
    lattice tetrahedron belongs to the mesh if no corner lies in the hole. Around the patch the element size
    is h + (growth − 1) · distance, at most h_max (default radius / 4). h: first size, Å (default: the patch's
    own, else a quarter of the hole's radius, else radius / 12).

    Tags: "outer" (the sphere) and "inner" (the hole's rim). ValueError where the shapes do not fit into each
    other.
    """
    if not radius > 0:
        raise ValueError(f"the radius of a ball must be positive, not {radius}")
    if not 1 < growth < 3:
        raise ValueError(
            f"growth is the ratio of neighbouring element sizes, above 1 and below 3, not {growth}"
        )
    middle = np.asarray(centre, float)
    core = as_distance(hole, middle) if hole else None
    if patch is None and core is not None:
        patch = _lining(core, h or -float(core(middle[None])[0]) / 4, middle)
    points, cells = np.empty((0, 3)), np.empty((0, 4), np.int64)
    skin, holes = np.empty((0, 3), np.int64), np.empty((0, 3), np.int64)
    if patch is not None:
        points, cells, skin, holes = _patch(patch, core, radius, middle)
        h = _edge_length(points, skin)
    filling = _fill(points, skin, radius, middle, h or radius / 12, growth, h_max or radius / 4)
    mesh = make_mesh(*_merge(points, cells, *filling), {} if core is None else {"inner": holes})
    facets = boundary_facets(mesh.cells)
    far = (np.abs(np.linalg.norm(mesh.points[facets] - middle, axis=2) - radius) < 1e-6 * radius).all(1)
    return make_mesh(mesh.points, mesh.cells, {"outer": facets[far], **mesh.tags})


def _lining(core: Distance, h: float, centre: Array) -> LatticePatch:
    if not h > 0:
        raise ValueError("the centre of the ball must lie in the hole")
    vectors = h / np.sqrt(2) * (np.ones((3, 3)) - np.eye(3))
    return LatticePatch(vectors, centre, lambda points: core(points) - 3.0 * h)


def _patch(
    patch: LatticePatch, core: Distance | None, radius: float, centre: Array
) -> tuple[Array, Array, Array, Array]:
    """Points and tetrahedra of the patch, its outer skin and the facets on the rim of the hole."""
    inside = as_distance(patch.region, centre)
    spacing = float(np.linalg.norm(patch.vectors, axis=1).min())
    reach = _reach(inside, np.asarray(patch.origin, float), spacing, radius)
    points, cells = lattice_tetrahedra(patch.vectors, patch.origin, inside, core, reach)
    facets = boundary_facets(cells)
    surface = pieces(facets[:, [[0, 1], [1, 2], [2, 0]]])
    extent = [
        np.linalg.norm(np.ptp(points[facets[surface == k]], axis=(0, 1))) for k in range(surface.max() + 1)
    ]
    inner = surface != np.argmax(extent)
    if core is not None and not inner.any():
        raise ValueError("the hole does not lie within the lattice patch")
    if np.linalg.norm(points - centre, axis=1).max() + spacing > radius:
        raise ValueError("the lattice patch reaches the outer sphere of the ball")
    return points, cells, facets[~inner], facets[inner]


def _reach(inside: Distance, origin: Array, step: float, limit: float) -> float:
    """Distance from the origin beyond which no point of the region lies, seen along many directions."""
    k = np.arange(400) + 0.5
    z, angle = 1 - 2 * k / 400, np.pi * (1 + 5**0.5) * k
    ray = np.stack([np.cos(angle) * np.sqrt(1 - z**2), np.sin(angle) * np.sqrt(1 - z**2), z], axis=1)
    radii = np.arange(step, limit + step, step)
    within = inside((origin + radii[:, None, None] * ray).reshape(-1, 3)).reshape(len(radii), -1) <= 0
    return float(1.1 * (radii[within.any(1)].max(initial=step) + step))


def _edge_length(points: Array, facets: Array) -> float:
    v = points[facets]
    return float(np.linalg.norm(v - np.roll(v, 1, axis=1), axis=2).mean())


def _fill(
    points: Array, skin: Array, radius: float, centre: Array, h: float, growth: float, h_max: float
) -> tuple[Array, Array]:
    """Points and tetrahedra between the skin (k, 3) of the patch, if any, and the sphere."""
    with gmsh_model():
        loops = [gmsh.model.geo.addSurfaceLoop(_sphere(radius, centre))]
        used = np.unique(skin)
        seeds = [gmsh.model.geo.addPoint(*x) for x in (points[used] if len(used) else centre[None])]
        if len(used):
            loops.append(gmsh.model.geo.addSurfaceLoop([_discrete_surface(points[used], used, skin)]))
        gmsh.model.geo.addVolume(loops)
        gmsh.model.geo.synchronize()
        size_field(seeds, h, growth, h_max)
        gmsh.option.setNumber("Mesh.Algorithm", 6)
        gmsh.option.setNumber("Mesh.Algorithm3D", 1)
        gmsh.option.setNumber("Mesh.Optimize", 1)
        gmsh.model.mesh.generate(3)
        gmsh.model.mesh.optimize("Netgen")
        return mesh_arrays(3)


def _discrete_surface(points: Array, used: Array, skin: Array) -> int:
    gmsh.model.geo.synchronize()  # or the new surface gets the number of one of the sphere's
    surface = gmsh.model.addDiscreteEntity(2)
    first = 1_000_000  # above the numbers of the geometric points' nodes
    number = first + np.arange(len(used))
    gmsh.model.mesh.addNodes(2, surface, number, points.ravel())
    triangles = first + np.searchsorted(used, skin)
    gmsh.model.mesh.addElementsByType(surface, 2, [], triangles.ravel())
    return surface


def _sphere(radius: float, centre: Array) -> list[int]:
    """The eight triangular faces of a sphere."""
    geo = gmsh.model.geo
    middle = geo.addPoint(*centre)
    tips = {}
    for axis, side in product(range(3), (1, -1)):
        tips[axis, side] = geo.addPoint(*(centre + side * radius * np.eye(3)[axis]))
    pairs = [(0, 1), (1, 2), (2, 0)]
    arcs = {
        (i, s, j, t): geo.addCircleArc(tips[i, s], middle, tips[j, t])
        for (i, j), s, t in product(pairs, (1, -1), (1, -1))
    }
    faces = []
    for sign in product((1, -1), repeat=3):
        loop = geo.addCurveLoop([arcs[i, sign[i], j, sign[j]] for i, j in pairs])
        faces.append(geo.addSurfaceFilling([loop], sphereCenterTag=middle))
    return faces


def _merge(points: Array, cells: Array, more: Array, more_cells: Array) -> tuple[Array, Array]:
    """Both parts as one; points of the skin become one point, the patch's, and stay first."""
    if len(cells) == 0:
        return more, more_cells
    spacing = float(np.abs(signed_volumes(points, cells[:1])[0])) ** (1 / 3)
    distance, nearest = cKDTree(points).query(more)
    new = distance > 1e-6 * spacing
    number = np.where(new, len(points) + np.cumsum(new) - 1, nearest)
    return np.concatenate([points, more[new]]), np.concatenate([cells, number[more_cells]])
