"""Run under mpirun: numbers that must not depend on the number of ranks, on the last line."""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from mpi4py import MPI
from patch import make_patch
from test_masking import GRADED, masking_of

from coupling.bodies import by_surface_cell
from coupling.cohesive.uber import Uber
from coupling.forces import true_energy
from coupling.hessian import reference_hessian
from coupling.masking import masked
from coupling.planes import plane_law
from coupling.solve import Settings, minimise
from multiscale.masking import adhesion

torch.set_num_threads(1)
comm = MPI.COMM_WORLD
numbers = []


def norms(values):
    """Of the columns, over the atoms of all ranks."""
    return np.sqrt(comm.allreduce((values**2).sum(axis=0)))


for material in ("stillinger-weber", "lennard-jones"):
    patch = make_patch(material, comm)
    scheme, model = patch.scheme("bgfc"), patch.model
    numbers += [
        patch.residual(patch.scheme("bqce"), 0.01 * np.eye(3)),
        patch.residual(scheme, np.zeros((3, 3))),
    ]
    for axis in (0, 1):  # one side of a cut between ranks feels the other
        felt = true_energy(model.atomistic, model.atoms.reference[:, axis] > 2.0)
        numbers += [comm.allreduce(felt.weights.sum())]
    v = patch.hessian.createVecRight()
    v.array[:] = np.sin(model.atoms.reference).ravel()
    numbers += [(patch.hessian * v).norm(), v.dot(patch.hessian * v)]
    q = model.unknowns(lambda x: 0.02 * x + 0.1 * np.sin(0.7 * x + 0.2))
    g = model.vector()
    energy = scheme.energy_gradient(q, g)
    numbers += [energy.atomistic, energy.continuum, energy.total, g.norm()]
    solution = minimise(scheme, q, patch.precondition(), Settings(force_tolerance=1e-8))
    positions = model.positions(q)
    moved = positions - model.atoms.reference
    numbers += [solution.energy.total, float(solution.converged), *norms(moved)]
patch = make_patch("lennard-jones", comm, law="cauchy-born", degree=2)
for name, method in (
    ("bgfc", "quasi-newton"),
    ("bgfc", "newton"),
    ("bqcf", "newton"),
    ("bqcf", "quasi-newton"),
    ("sharp", "quasi-newton"),
    ("schwarz", "quasi-newton"),
):
    scheme, model = patch.scheme(name), patch.model
    q = model.unknowns(lambda x: 0.02 * x + 0.1 * np.sin(0.2 * x + 0.2))
    solution = minimise(scheme, q, patch.precondition(), Settings(force_tolerance=1e-11), None, method)
    moved = model.positions(q) - model.atoms.reference
    numbers += [solution.energy.total, float(solution.converged), *norms(moved)]
patch = make_patch("stillinger-weber", comm, relaxed=True)
model, g = patch.model, patch.model.vector()
patch.scheme("bqcf").residual(model.unknowns(lambda x: 0.02 * x + 0.1 * np.sin(0.7 * x + 0.2)), g)
numbers += [g.norm(), *norms(model.positions(g))]
patch = make_patch("stillinger-weber", comm)
masking = masking_of(patch.model, by_surface_cell(GRADED, patch.crystal))
law = Uber.of(0.17, 0.22, 0.05, np.array([[3.3, 1.9], [0.0, 3.8]]))
model = replace(patch.model, atomistic=masked(patch.model.atomistic, masking))
model = replace(model, terms=(plane_law(model, masking, law),))
patch = replace(patch, model=model, hessian=reference_hessian(model.atomistic, patch.crystal))
numbers += [adhesion(model)]
for name, method in (("bgfc", "newton"), ("bqcf", "quasi-newton"), ("schwarz", "quasi-newton")):
    scheme, model = patch.scheme(name), patch.model
    q = model.unknowns(lambda x: 0.004 * x[:, 1:2] * np.array([0.3, 1.0, 0.1]))
    solution = minimise(scheme, q, patch.precondition(), Settings(force_tolerance=1e-10), None, method)
    moved = model.positions(q) - model.atoms.reference
    energy = solution.energy
    numbers += [energy.total, energy.interface, float(solution.converged), *norms(moved)]
    numbers += [float(comm.allreduce(scheme.model.atomistic.n_sites))]
if comm.rank == 0:
    print(" ".join(repr(float(n)) for n in numbers))
