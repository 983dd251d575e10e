"""Point defects in the flat triangular crystal, the problem on which blended coupling was first measured.

Luskin, Ortner & Van Koten, Comput. Methods Appl. Mech. Eng. 253, 160 (2013), doi:10.1016/j.cma.2012.09.007;
Ortner & Zhang, arXiv:1407.0053; Li, Ortner, Shapeev & Van Koten, Numer. Math. 134, 275 (2016). Lattice spacing 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import process_time

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc
from scipy.spatial import cKDTree

from coupling.assemble import atomistic_model, coupled_model
from coupling.hessian import reference_hessian
from coupling.least_mask import least_second_difference
from coupling.model import Field, Model
from coupling.preconditioner import Preconditioner, stiffness
from coupling.regions import OPTIMAL, Hexagon, Mask
from coupling.schemes import SCHEMES, Reference, Scheme
from coupling.solve import Settings, Solution, minimise
from meshes.hexagon import graded_hexagon
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.laws import LAWS
from nnp.crystal import Crystal, make_crystal
from nnp.registry import make_potential

Array = np.ndarray
LAYER = np.sqrt(0.75)  # between two rows of atoms
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Case:
    """c of the potential, the far field F0, how many neighbouring sites of a row are vacant."""

    name: str
    c: float
    far: Array
    vacancies: int
    energy: float

    @property
    def gradient(self) -> Array:
        return np.block([[self.far - np.eye(2), np.zeros((2, 1))], [np.zeros((1, 3))]])

    def removed(self, points: Array) -> Array:
        half = 0.5 * (self.vacancies - 1) + 1e-6
        return (np.abs(points[:, 1]) < 1e-6) & (np.abs(points[:, 0]) <= half)

    def potential(self):
        return make_potential("triangular", c=self.c)


CASES = {
    "A": Case("A", 10.0, 0.98380467 * np.array([[1.0, 0.02], [0.0, 1.03]]), 1, -0.0278820),
    "B": Case("B", 20.0, 0.97255298 * np.array([[1.0, 0.02], [0.0, 1.02]]), 9, -2.5356266),
}
"""`energy`: of relaxation, in a domain without bounds."""


@dataclass(frozen=True)
class Run:
    """A solved model. energy: of relaxation; dof: unknowns that are free to move; seconds: CPU, building, solving."""

    model: Model
    q: PETSc.Vec
    energy: float
    dof: int
    solution: Solution
    seconds: tuple[float, float]

    def displacement(self, points: Array) -> Array:
        """u (n, 2) at reference points (n, 2), F0 x included, nan where the model has none. Free atoms are found by
        their places."""
        atoms = self.model.atoms
        x = np.column_stack([points, np.zeros(len(points))])
        distance, index = cKDTree(atoms.reference).query(x)
        own = (self.model.positions(self.q) - atoms.reference)[index, :2]
        if self.model.bulk is None:
            return np.where(distance[:, None] < 1e-6, own, np.nan)
        at = self.model.bulk.tabulate(x)
        nodal = self.q.array_r[self.model.layout.mesh].reshape(-1, 3)[:, :2]
        u = np.einsum("nk,nkc->nc", at.values, nodal[at.nodes])
        u[~at.found] = np.nan
        free = (distance < 1e-6) & atoms.free[index]
        return np.where(free[:, None], own, u)


def crystal_of(case: Case) -> Crystal:
    return make_crystal("triangular", "X", 1.0)


@dataclass(frozen=True)
class Layout:
    """Layers of core and of blend, degree of the elements beyond, their size h(r) = coarser · degree · (r / K)^γ with
    K = core + blend and γ = 3/2 or 4/3, radius of the domain, mask; by how much all is lengthened along x, and where
    on the x axis it is centred (a whole number: a site)."""

    @property
    def middle(self) -> tuple[float, float]:
        return self.centre, 0.0

    core: int
    blend: int
    degree: int
    coarser: float
    radius: float
    mask: str = "cubic"
    length: int = 0
    centre: float = 0.0

    def size(self, r: float) -> float:
        """The exponents give the least error for as many unknowns when |∇u| falls as r⁻² (Luskin et al. 2013)."""
        exponent = {1: 3.0 / 2.0, 2: 4.0 / 3.0}[self.degree]
        more = 0.25 * self.length  # beyond a lengthened core the solution decays as from its middle
        return self.coarser * self.degree * ((r + more) / (self.core + self.blend + more)) ** exponent


def coupled(case: Case, layout: Layout) -> Model:
    """Atoms in core and blend, a node on each of their sites in the blend, elements beyond; u = 0 on F0 at the rim."""
    potential, crystal = case.potential(), crystal_of(case)
    k = layout.core + layout.blend
    data = graded_hexagon(layout.radius, layout.core, k, layout.size, layout.length)
    data = replace(data, points=data.points + layout.middle)
    resolved, law = Hexagon(layout.middle, k + 1e-6, layout.length), LAWS["cauchy-born"](potential, crystal)
    bulk = Bulk(MPI.COMM_SELF, data, law, degree=layout.degree, linear=lambda x: resolved.distance(x) < 0.0)
    mask = make_mask(layout)
    return coupled_model(potential, crystal, mask, bulk, 1.0, None, case.removed)


def make_mask(layout: Layout) -> Mask:
    core, blend = Hexagon(layout.middle, layout.core, layout.length), LAYER * layout.blend
    if layout.mask != OPTIMAL:
        return Mask(core, blend, layout.mask)
    vectors = np.array([[1.0, 0.0], [0.5, LAYER]])
    return Mask(core, blend, OPTIMAL, least_second_difference(core, blend, vectors, np.zeros(2)))


def atomistic(case: Case, layers: float) -> Model:
    region = Hexagon((0.0, 0.0), layers - 0.5)
    return atomistic_model(case.potential(), crystal_of(case), region, 2, MPI.COMM_SELF, None, case.removed)


def make_scheme(case: Case, name: str, model: Model) -> Scheme:
    return SCHEMES[name](model, Reference(case.gradient))


def solve(
    case: Case, name: str, make: Model, began: float, rim: Field | None = None, method: str = "quasi-newton"
) -> Run:
    """Equilibrium from F0 x, or with a prescribed displacement `rim` where unknowns are held."""
    scheme = make_scheme(case, name, make)
    model = scheme.model
    hessian = reference_hessian(model.atomistic, crystal_of(case))
    precondition = Preconditioner(stiffness(model, hessian))
    q = model.unknowns(lambda x: x @ case.gradient.T)
    start = scheme.energy_gradient(q, model.vector()).total
    if rim is not None:
        held = model.unknowns(rim)
        q.array[model.fixed] = held.array_r[model.fixed]
    built = process_time()
    settings = Settings(force_tolerance=TOLERANCE, max_iterations=200)
    solution = minimise(scheme, q, precondition, settings, method=method)
    done = process_time()
    dof = model.layout.n_global - len(model.fixed)
    return Run(model, q, solution.energy.total - start, dof, solution, (built - began, done - built))


def couple(case: Case, name: str, layout: Layout, method: str = "quasi-newton") -> Run:
    began = process_time()
    return solve(case, name, coupled(case, layout), began, method=method)


def linear(core: int, mask: str = "cubic") -> Layout:
    """K0 layers of core and of blend, P1 in 4 K0² + 10 layers. In the K0² + 10 of the publications the rim makes most
    of the error; a larger and coarser mesh takes as many unknowns."""
    return Layout(core, core, 1, 1.7, 4 * core**2 + 10, mask)


def quadratic(core: int, blend: int | None = None, coarser: float = 1.5) -> Layout:
    """P2 beyond the blend; the domain so large that its rim costs nothing."""
    blend = core if blend is None else blend
    return Layout(core, blend, 2, coarser, min((core + blend) ** 3 // 4, 2000))
