# mypy: disable-error-code="attr-defined"
"""Every difference between the DOLFINx versions that the bulk runs on (0.5, 0.9, 0.11), and nothing else.

Names and shapes follow the newest version.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import basix
import dolfinx
import dolfinx.fem.petsc
import numpy as np
import ufl
from dolfinx import fem, geometry, graph, la
from dolfinx import mesh as dmesh
from mpi4py import MPI
from petsc4py import PETSc

Array = np.ndarray
VERSION = tuple(int(part) for part in dolfinx.__version__.split(".")[:2])
LEGACY = VERSION < (0, 7)  # elements through UFL, AdjacencyLists for dofmaps

if not LEGACY:
    import basix.ufl

_CELLS = {2: "triangle", 3: "tetrahedron"}


@contextmanager
def _quiet() -> Iterator[None]:
    """Compiling a form configures the root logger and reports compiler commands on it; undo both."""
    root, disabled = logging.getLogger(), logging.root.manager.disable
    handlers, level = list(root.handlers), root.level
    logging.disable(max(disabled, logging.INFO))
    try:
        yield
    finally:
        logging.disable(disabled)
        root.handlers[:] = handlers
        root.setLevel(level)


@_quiet()
def create_mesh(comm: Any, points: Array, cells: Array, goals: tuple[Array, Array] | None = None) -> Any:
    """Mesh of linear simplices spread over the ranks; each rank passes the part of the arrays it has. goals: of each of
    these cells the rank that owns it and those that have a copy, one after the other, and the offsets of the cells in
    that; None where DOLFINx may choose."""
    dim, more = points.shape[1], {}
    cells, points = np.ascontiguousarray(cells, np.int64), np.ascontiguousarray(points, float)
    if goals is not None:
        goal = _adjacency(*goals)
        more = {"partitioner": lambda *unused: goal}
    if LEGACY:
        cell = ufl.Cell(_CELLS[dim], geometric_dimension=dim)
        domain = ufl.Mesh(ufl.VectorElement("Lagrange", cell, 1))
        return dmesh.create_mesh(comm, cells, points, domain, **more)
    domain = ufl.Mesh(basix.ufl.element("Lagrange", _CELLS[dim], 1, shape=(dim,)))
    if VERSION < (0, 10):
        return dmesh.create_mesh(comm, cells, points, domain, **more)
    return dmesh.create_mesh(comm, cells, domain, points, **more)


def _adjacency(data: Array, offsets: Array) -> Any:
    data, offsets = np.asarray(data, np.int32), np.asarray(offsets, np.int32)
    if LEGACY:
        return graph.create_adjacencylist(data, offsets)
    found = graph.adjacencylist(data, offsets)
    return getattr(found, "_cpp_object", found)


@_quiet()
def lagrange_space(mesh: Any, degree: int, components: int) -> Any:
    if LEGACY:
        return fem.FunctionSpace(mesh, ufl.VectorElement("Lagrange", mesh.ufl_cell(), degree, dim=components))
    return fem.functionspace(mesh, ("Lagrange", degree, (components,)))


@_quiet()
def quadrature_space(mesh: Any, degree: int, shape: tuple[int, int]) -> Any:
    """Values at the quadrature points; point q of cell c has number c · nq + q."""
    if LEGACY:
        cell = mesh.ufl_cell()
        element = ufl.TensorElement("Quadrature", cell, degree, shape=shape, quad_scheme="default")
        return fem.FunctionSpace(mesh, element)
    cell = _CELLS[mesh.topology.dim]
    element = basix.ufl.quadrature_element(cell, value_shape=shape, degree=degree, scheme="default")
    return fem.functionspace(mesh, element)


def quadrature_rule(mesh: Any, degree: int) -> tuple[Array, Array]:
    """Points (nq, dim) and weights (nq,) on the reference cell."""
    points, weights = basix.make_quadrature(_cell_type(mesh), degree)
    return np.ascontiguousarray(points), np.asarray(weights)


def tabulate_lagrange(mesh: Any, degree: int, points: Array) -> tuple[Array, Array]:
    """Shape functions (n, k) and their derivatives (n, k, dim) at points (n, dim) of the reference cell."""
    variant = basix.LagrangeVariant.gll_warped
    element = basix.create_element(basix.ElementFamily.P, _cell_type(mesh), degree, variant)
    table = element.tabulate(1, np.ascontiguousarray(points))[..., 0]
    return table[0], np.moveaxis(table[1:], 0, -1)


def _cell_type(mesh: Any) -> Any:
    return getattr(basix.CellType, _CELLS[mesh.topology.dim])


@_quiet()
def expression(value: Any, points: Array) -> Any:
    return fem.Expression(value, np.ascontiguousarray(points))


@_quiet()
def form(integral: Any) -> Any:
    return fem.form(integral)


def evaluate(expression: Any, mesh: Any, cells: Array, shape: tuple[int, ...]) -> Array:
    """Values (n, nq, *shape) of an expression in the given cells."""
    if len(cells) == 0:
        return np.zeros((0, 1, *shape))
    values = expression.eval(cells) if LEGACY else expression.eval(mesh, cells)
    return np.asarray(values).reshape(len(cells), -1, *shape)


class PointRow:
    """Compiled functions of one tensor (3, 3), evaluated for many tensors at once, that belong to no mesh: each is
    the value in a cell of a row of `size` cells on this rank alone. tensor and constants: what to write the
    functions with in UFL."""

    @_quiet()
    def __init__(self, size: int, constants: dict[str, float]):
        mesh = dmesh.create_unit_interval(MPI.COMM_SELF, size)
        if LEGACY:
            space = fem.FunctionSpace(mesh, ufl.TensorElement("DG", mesh.ufl_cell(), 0, shape=(3, 3)))
        else:
            space = fem.functionspace(mesh, ("DG", 0, (3, 3)))
        self.tensor = fem.Function(space)
        self.constants = {name: fem.Constant(mesh, float(value)) for name, value in constants.items()}
        self._mesh, self._size, self._place = mesh, size, dofmap(space)[:size, 0]

    def compiled(self, values: list[Any]) -> tuple[Any, int]:
        return expression(ufl.as_vector(values), np.full((1, 1), 0.5)), len(values)

    def evaluate(self, compiled: tuple[Any, int], tensors: Array) -> Array:
        """(n, values) of tensors (n, 3, 3)."""
        values, count = compiled
        out = [np.zeros((0, count))]
        for start in range(0, len(tensors), self._size):
            part = tensors[start : start + self._size].reshape(-1, 9)
            cells = np.arange(len(part), dtype=np.int32)
            self.tensor.x.array.reshape(-1, 9)[self._place[cells]] = part
            out.append(evaluate(values, self._mesh, cells, (count,))[:, 0])
        return np.concatenate(out)


def geometry_dofmap(mesh: Any) -> Array:
    """Geometry nodes of each local cell, ghosts last, (nc, dim + 1)."""
    if LEGACY:
        return mesh.geometry.dofmap.array.reshape(-1, mesh.topology.dim + 1)
    return mesh.geometry.dofmap if VERSION < (0, 11) else mesh.geometry.dofmaps[0]


def dofmap(space: Any) -> Array:
    """Nodes of the space in each local cell, ghosts last, (nc, k)."""
    nodes, each = space.dofmap.list, space.dofmap.dof_layout.num_dofs
    return nodes.array.reshape(-1, each) if LEGACY else np.asarray(nodes).reshape(-1, each)


def assemble_vector(function: Any, form: Any) -> None:
    """The assembled linear form in a function of its space; owned entries complete, ghosts not."""
    function.x.array[:] = 0.0
    fem.assemble_vector(function.x.array, form)
    add_ghosts(function)


def add_ghosts(function: Any) -> None:
    """Adds what ranks have in their ghosts of others' entries to these."""
    function.x.scatter_reverse(la.ScatterMode.add if LEGACY else la.InsertMode.add)


def assemble_matrix(form: Any) -> PETSc.Mat:
    """A new matrix of the bilinear form, without boundary conditions."""
    matrix = fem.petsc.create_matrix(form)
    assemble = getattr(fem.petsc, "_assemble_matrix_mat", None) or getattr(
        fem.petsc, "assemble_matrix_mat", None
    )
    (assemble or fem.petsc.assemble_matrix)(matrix, form)
    matrix.assemble()
    return matrix


def box_tree(mesh: Any, cells: Array, padding: float) -> Any:
    dim = mesh.topology.dim
    if LEGACY:
        return geometry.BoundingBoxTree(mesh, dim, cells, padding)
    if VERSION < (0, 10):
        return geometry.bb_tree(mesh, dim, cells, padding)
    return geometry.bb_tree(mesh, dim, entities=cells, padding=padding)


def box_candidates(tree: Any, points: Array) -> tuple[Array, Array]:
    """Pairs (row of points (n, 3), cell) where the point lies in the cell's bounding box."""
    collide = geometry.compute_collisions if LEGACY else geometry.compute_collisions_points
    found = collide(tree, np.ascontiguousarray(points, float))
    count = np.diff(np.asarray(found.offsets))
    return np.repeat(np.arange(len(points)), count), np.asarray(found.array)
