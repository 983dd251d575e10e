"""One problem of scaling.py on the ranks that it is started on: kind, size, rounds → a line of JSON.

atoms: energy and forces of a cube, size: its edge, nm. bulk: of a block of tetrahedra, size: bricks along its
edge. coupled: a blended residual and one preconditioned step, size: radius of the core, nm.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from mpi4py import MPI

from coupling.assemble import atomistic_model
from coupling.exchange import Halo, Ownership
from coupling.regions import Box
from meshes.box import box_mesh
from multiscale.build import build
from multiscale.config import load_case
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.laws import make_law
from nnp.crystal import make_crystal
from nnp.equilibrium import lattice_constant
from nnp.registry import make_potential

COMM = MPI.COMM_WORLD
CASE = Path(__file__).parent.parent / "examples" / "fracture" / "silicon_crack.yaml"
WAYS = ((Halo, "extended"), (Halo, "returned"), (Ownership, "sum"), (Ownership, "largest"))
Step = Callable[[], tuple[float, float]]
"""One step → energy of all ranks and norm of the forces."""


def silicon() -> tuple[Any, Any]:
    potential = make_potential("nnp", model="si")
    orientation = {"x": [1, 1, -2], "y": [1, 1, 1], "z": [1, -1, 0]}
    crystal = make_crystal("diamond", "Si", lattice_constant(potential, "diamond", "Si"), orientation)
    return potential, crystal


def atoms(size: float) -> tuple[Step, dict[str, Any]]:
    potential, crystal = silicon()
    region = Box((0.0, 0.0, 0.0), (10.0 * size,) * 3)
    model = atomistic_model(potential, crystal, region, 3, COMM, None)
    x, own = model.atoms.reference, model.atoms.ownership
    directions = iter(range(10**9))

    def step() -> tuple[float, float]:
        y = x + 0.02 * np.sin(x + next(directions))  # other positions each time, or the last answer is given
        energy, gradient = model.atomistic(y)
        return own.sum(energy), own.sum(float((gradient**2).sum())) ** 0.5

    sites = int(own.sum(int((model.atoms.weights != 0.0).sum())))
    reach = potential.cutoff + model.atomistic.skin
    return step, {
        "atoms": sites,
        "unknowns": model.layout.n_global,
        "reach": reach,
        "site": crystal.site_volume,
    }


def bulk(size: float) -> tuple[Step, dict[str, Any]]:
    potential, crystal = silicon()
    n = round(size)
    data = box_mesh([0.0] * 3, [10.0 * n] * 3, [n] * 3) if COMM.rank == 0 else None
    mesh = Bulk(COMM, data, make_law("elastic-series", potential, crystal))
    x = mesh.node_coordinates()

    def step() -> tuple[float, float]:
        energy, gradient = mesh.energy_gradient((1e-2 * x + 0.1 * np.sin(x / 20.0)).ravel())
        return COMM.allreduce(energy), COMM.allreduce(float(gradient @ gradient)) ** 0.5

    return step, {"atoms": 0, "unknowns": mesh.n_global}


def coupled(size: float) -> tuple[Step, dict[str, Any]]:
    case = load_case(CASE, (f"regions.core.radius={size} nm", "regions.core.adaptive=false"))
    sim = build(case, COMM)
    model = sim.model
    q = model.unknowns(sim.load.field(sim.load.values[0]))
    g, z, turns = model.vector(), model.vector(), iter(range(10**9))
    bend = model.unknowns(lambda x: 1e-3 * np.sin(0.2 * x))

    def step() -> tuple[float, float]:
        q.axpy(1.0 if next(turns) % 2 else -1.0, bend)
        energy = sim.scheme.energy_gradient(q, g)
        sim.precondition(g, z)
        return energy.total, g.norm()

    sites = int(model.atoms.ownership.sum(int((model.atoms.weights != 0.0).sum())))
    return step, {"atoms": sites, "unknowns": model.layout.n_global}


def instrumented(spent: dict[str, float]) -> None:
    """From now on, messages are preceded by a barrier and both are timed."""
    for owner, name in WAYS:
        setattr(owner, name, _timed(getattr(owner, name), spent))


def _timed(do: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        began = perf_counter()
        COMM.Barrier()
        met = perf_counter()
        value = do(*args)
        spent["waiting"] += met - began
        spent["exchange"] += perf_counter() - met
        halo = isinstance(args[0], Halo)
        spent["reductions"] += not halo
        if halo:
            out = do.__name__ == "extended"
            spent["bytes"] += 24 * (args[0].sent if out else args[0].size - args[0].own)
            spent["messages"] += len(args[0].sends if out else args[0].receives)
        return value

    return timed


def main() -> None:
    torch.set_num_threads(1)
    kind, size, rounds = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    began = perf_counter()
    step, counts = {"atoms": atoms, "bulk": bulk, "coupled": coupled}[kind](size)
    building = perf_counter() - began
    energy, norm = step()
    times = []
    for _ in range(2 * rounds):  # an even number: the coupled state comes back
        COMM.Barrier()
        start = perf_counter()
        step()
        times.append(COMM.allreduce(perf_counter() - start, MPI.MAX))
    spent = dict.fromkeys(("waiting", "exchange", "reductions", "bytes", "messages"), 0.0)
    instrumented(spent)
    for _ in range(rounds):
        step()
    each = {name: COMM.allreduce(value / rounds, MPI.MAX) for name, value in spent.items()}
    peak = COMM.allreduce(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    if COMM.rank == 0:
        seconds = min(times)
        row = {"ranks": COMM.size, **counts, "seconds": seconds, **each, "energy": energy, "norm": norm}
        per_site = seconds * COMM.size / counts["atoms"] if counts["atoms"] else None
        print(json.dumps(row | {"site_seconds": per_site, "peak": peak, "building": building}))


if __name__ == "__main__":
    main()
