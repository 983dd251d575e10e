"""Run under mpirun: numbers that must not depend on the number of ranks, on the last line."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from mpi4py import MPI
from patch import make_patch

from coupling.solve import Settings, minimise

torch.set_num_threads(1)
comm = MPI.COMM_WORLD
numbers = []
for material in ("stillinger-weber", "lennard-jones"):
    patch = make_patch(material, comm)
    scheme, model = patch.scheme("bgfc"), patch.model
    numbers += [
        patch.residual(patch.scheme("bqce"), 0.01 * np.eye(3)),
        patch.residual(scheme, np.zeros((3, 3))),
    ]
    q = model.unknowns(lambda x: 0.02 * x + 0.1 * np.sin(0.7 * x + 0.2))
    g = model.vector()
    energy = scheme.energy_gradient(q, g)
    numbers += [energy.atomistic, energy.continuum, energy.total, g.norm()]
    solution = minimise(scheme, q, patch.precondition(), Settings(force_tolerance=1e-8))
    positions = model.positions(q)
    moved = positions - model.atoms.reference
    numbers += [solution.energy.total, float(solution.converged), *np.linalg.norm(moved, axis=0)]
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
    numbers += [solution.energy.total, float(solution.converged), *np.linalg.norm(moved, axis=0)]
patch = make_patch("stillinger-weber", comm, relaxed=True)
model, g = patch.model, patch.model.vector()
patch.scheme("bqcf").residual(model.unknowns(lambda x: 0.02 * x + 0.1 * np.sin(0.7 * x + 0.2)), g)
numbers += [g.norm(), *np.linalg.norm(model.positions(g), axis=0)]
if comm.rank == 0:
    print(" ".join(repr(float(n)) for n in numbers))
