"""The finite-element bulk as the coupling sees it: plain arrays in and out, PETSc for the stiffness."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from petsc4py import PETSc

from meshes.data import MeshData
from multiscale.continuum import compat, distribute
from multiscale.continuum.assembly import Assembly
from multiscale.continuum.laws import Law
from multiscale.continuum.straight import Binding, Region, straight_edges
from multiscale.continuum.tabulate import Locator, Tabulation

Array = np.ndarray


class Bulk:
    """Energy of a displacement with three components on a mesh of triangles or tetrahedra.

    comm: the ranks it is spread over; mesh_data: counts on rank 0; law: energy density W(F); thickness: of a
    plane mesh, Å; degree: 1 or 2, of the shape functions; linear: a part of the mesh where functions of degree 2 are
    linear all the same; ranks: how many have a part of the mesh, the last ones, None: all. Nodes are numbered globally,
    dof = 3 node + component; a vector on a rank holds its owned dofs only. All methods that compute are collective.

    comm, dim, law, thickness: as given. n_owned, first, n_global: owned dofs of this rank, the first one's global
    number, all dofs. original_cells: (nc,) place of each owned cell in the mesh as given.
    """

    def __init__(
        self,
        comm: Any,
        mesh_data: MeshData | None,
        law: Law,
        thickness: float = 1.0,
        degree: int = 1,
        linear: Region | None = None,
        ranks: int | None = None,
    ):
        if degree not in (1, 2):
            raise ValueError(f"the shape functions of the bulk are of degree 1 or 2, not {degree}")
        if not thickness > 0:
            raise ValueError(f"the thickness must be positive, not {thickness}")
        self.comm, self.law, self.thickness = comm, law, thickness
        mesh, tags = distribute.spread(comm, mesh_data, ranks)
        self.dim, self.degree = mesh.topology.dim, degree
        if self.dim == 3 and thickness != 1.0:
            raise ValueError("a thickness belongs to a plane mesh; this one is solid")
        self._mesh, self._space = mesh, compat.lagrange_space(mesh, degree, 3)
        nodes = self._space.dofmap.index_map
        self.n_owned, self.n_global = 3 * nodes.size_local, 3 * nodes.size_global
        self.first = 3 * nodes.local_range[0]
        self._facets = {name: distribute.facet_nodes(self._space, degree, f) for name, f in tags.items()}
        cells = distribute.owned_cells(mesh)
        corners = mesh.geometry.x[compat.geometry_dofmap(mesh)][:, :, : self.dim]
        self._vertices = corners[cells]
        edges = self._vertices[:, 1:] - self._vertices[:, :1]
        self.volumes = np.abs(np.linalg.det(edges)) / math.factorial(self.dim)
        self._assembly = Assembly(self._space, law, degree, thickness, self._vertices, self.volumes)
        self.original_cells = np.asarray(mesh.topology.original_cell_index, np.int64)[: len(cells)]
        self._binding, straight = None, None
        if linear is not None and degree == 2:
            self._binding = Binding(self._space, corners, linear)
            straight = straight_edges(self._vertices, linear)
        self._locator = Locator(self._space, degree, self._vertices, self.original_cells, straight)

    def _set(self, u: Array) -> None:
        self._assembly.set_displacement(u if self._binding is None else self._binding.spread(u))

    # ---------------------------------------------------------------- nodes and cells
    def node_coordinates(self) -> Array:
        """Reference positions of the owned nodes, (n_owned / 3, 3); z = 0 in a plane mesh."""
        return self._space.tabulate_dof_coordinates()[: self.n_owned // 3].copy()

    @property
    def bound_nodes(self) -> Array:
        """Owned nodes (local numbers) that follow others: without stiffness or force of their own."""
        return np.zeros(0, np.int64) if self._binding is None else self._binding.bound

    @property
    def tags(self) -> tuple[str, ...]:
        """Names of the tagged boundaries."""
        return tuple(self._facets)

    def facet_nodes(self, tag: str) -> Array:
        """Global nodes of the tagged facets, on every rank alike, in the order of the mesh's tag, (k, dim);
        with degree 2 followed by the nodes on the edges. KeyError for an unknown tag.
        """
        return self._facets[tag]

    def tagged_dofs(self, tag: str) -> Array:
        """Owned nodes (local numbers, ascending) on a tagged boundary. KeyError for an unknown tag."""
        nodes = np.unique(self._facets[tag]) - self.first // 3
        return nodes[(nodes >= 0) & (nodes < self.n_owned // 3)]

    def tabulate(self, points: Array) -> Tabulation:
        """Shape functions at points (n, 3), each rank with its own. Collective."""
        return self._locator.tabulate(points)

    def cell_geometry(self) -> Array:
        """Vertices of the owned cells, (nc, dim + 1, dim)."""
        return self._vertices

    def set_fraction(self, fraction: Array) -> None:
        """The share of each owned cell's volume, (nc,), that the continuum carries; 1 at first."""
        fraction = np.asarray(fraction, float)
        if fraction.shape != self.volumes.shape:
            raise ValueError(
                f"{len(self.volumes)} fractions are needed, one per owned cell; got {fraction.shape}"
            )
        self._assembly.set_fraction(fraction.copy())

    @property
    def fraction(self) -> Array:
        """The share of each owned cell's volume that the continuum carries, (nc,)."""
        return self._assembly.fraction

    def with_fraction(self, fraction: Array) -> Bulk:
        """The same bulk, sharing mesh and storage, that carries another share of each owned cell, (nc,)."""
        other = copy.copy(self)
        other._assembly = copy.copy(self._assembly)
        other.set_fraction(fraction)
        return other

    def set_upper(self, law: Law, height: float) -> None:
        """Another law in the owned cells whose middle lies above y = height, Å."""
        self._assembly.upper = law, self._vertices[:, :, 1].mean(axis=1) > height

    # ---------------------------------------------------------------- energy
    def energy_gradient(self, u: Array) -> tuple[float, Array]:
        """Energy of this rank's cells, eV (sum over the ranks for the total), and gradient on the owned dofs,
        eV/Å.
        """
        self._set(u)
        energy, gradient = self._assembly.energy_gradient()
        return energy, gradient if self._binding is None else self._binding.collect(gradient)

    def stiffness(self, u: Array | None = None) -> PETSc.Mat:
        """A new matrix of second derivatives at u (zero if not given), eV/Å², without boundary conditions;
        block size 3, the rigid-body modes attached as near null space.
        """
        self._set(np.zeros(self.n_owned) if u is None else u)
        matrix = self._assembly.tangent()
        if self._binding is not None:
            matrix = self._binding.condensed(matrix)
        matrix.setNearNullSpace(self.near_nullspace())
        return matrix

    def near_nullspace(self) -> PETSc.NullSpace:
        """Rigid-body modes: three translations and, in a plane mesh, the rotation in the plane (the others
        bend u out of it), in a solid three rotations.
        """
        x = self.node_coordinates() - self._mean_position()
        modes = [np.broadcast_to(e, x.shape) for e in np.eye(3)]
        modes += [np.cross(e, x) for e in (np.eye(3)[2:] if self.dim == 2 else np.eye(3))]
        vectors: list[PETSc.Vec] = []
        for mode in modes:
            v = PETSc.Vec().createMPI(((self.n_owned, self.n_global)), bsize=3, comm=self.comm)
            v.array_w[:] = np.ascontiguousarray(mode).ravel()
            for other in vectors:
                v.axpy(-v.dot(other), other)
            v.normalize()
            vectors.append(v)
        return PETSc.NullSpace().create(vectors=vectors, comm=self.comm)

    def _mean_position(self) -> Array:
        return self.comm.allreduce(self.node_coordinates().sum(0)) / (self.n_global // 3)

    # ---------------------------------------------------------------- output
    def cell_fields(self, u: Array) -> dict[str, Array]:
        """Means over the owned cells: "stress" (Cauchy, eV/Å³) and "strain" (Green–Lagrange), (nc, 3, 3),
        "energy_density" (eV/Å³) and "fraction", (nc,). Zero where the continuum carries nothing."""
        self._set(u)
        energy, stress, strain = self._assembly.cell_means()
        fraction = self._assembly.fraction.copy()
        return {"stress": stress, "strain": strain, "energy_density": energy, "fraction": fraction}

    def cell_response(self, u: Array) -> tuple[Array, Array]:
        """Means over the owned cells of the Green–Lagrange strain and the second Piola–Kirchhoff stress, eV/Å³, both
        (nc, 3, 3). Zero where the continuum carries nothing."""
        self._set(u)
        return self._assembly.cell_response()

    def eshelby(self, u: Array, cells: Array) -> Array:
        """Means over owned cells (k,) of Eshelby's tensor W 1 − (F − 1)ᵀ P of the bare law, (k, 3, 3), eV/Å³."""
        self._set(u)
        return self._assembly.eshelby(cells)

    def extrapolation(self, u: Array, least: float = 0.1) -> Array:
        """How far the strain at each quadrature point of the owned cells, (nc, nq), is beyond what the law was made
        from: above one, it extrapolates. 0 where the continuum carries no more than `least` of a cell. Of a law
        with bounds only."""
        self._set(u)
        return self._assembly.extrapolation(least)

    def output_mesh(self) -> tuple[Array, Array]:
        """Corners of the owned cells: points (n, 3) and cells (nc, dim + 1) as indices of them."""
        _, corners, cells = self._corner_nodes()
        x = np.zeros((len(corners), 3))
        x[cells.ravel(), : self.dim] = self._vertices.reshape(-1, self.dim)
        return x, cells

    def to_local(self, u: Array) -> Array:
        """Displacement (n, 3) at the points of `output_mesh` from the owned dofs. Collective."""
        self._set(u)
        return self._assembly.u.x.array.reshape(-1, 3)[self._corner_nodes()[1]]

    def _corner_nodes(self) -> tuple[Array, Array, Array]:
        nodes = compat.dofmap(self._space)[: len(self._vertices), : self.dim + 1]
        corners, cells = np.unique(nodes, return_inverse=True)
        return nodes, corners, cells.reshape(nodes.shape)
