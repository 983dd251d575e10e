"""Run on any number of ranks: writes what the bulk computes, in an order that does not depend on them."""

from __future__ import annotations

import sys

import numpy as np
from mpi4py import MPI

from meshes.box import box_mesh
from meshes.disc import LatticePatch, Slit, graded_disc
from multiscale.continuum.bulk import Bulk
from tests.continuum.materials import NeoHooke

COMM = MPI.COMM_WORLD


def disc():
    lattice = LatticePatch(np.array([[3.0, 0], [1.5, 1.5 * 3**0.5]]), np.zeros(2), 30.0)
    return graded_disc(100.0, hole=12.0, patch=lattice, crack=Slit((0.0, 0.0)))


CASES = {
    "disc P1": (disc, 1),
    "disc P2": (disc, 2),
    "box P1": (lambda: box_mesh([-60.0, -30, -30], [60, 30, 30], [6, 3, 4]), 1),
    "box P2": (lambda: box_mesh([-60.0, -30, -30], [60, 30, 30], [4, 2, 2]), 2),
}


def field(x):
    x = x / 100.0
    return 0.8 * np.stack(
        [np.sin(2 * x[:, 1]), x[:, 0] * x[:, 1], np.cos(x[:, 0] + x[:, 2]) * x[:, 1]], axis=1
    )


def gathered(x):
    return np.concatenate(COMM.allgather(x))


def probes(data):
    """Scattered ones, in and out of the mesh, and nodes, where several cells meet."""
    points = np.random.default_rng(0).uniform(-100, 100, (400, 3))
    points[300:, : data.dim] = data.points[np.linspace(0, len(data.points) - 1, 100).astype(int)]
    points[:, data.dim :] = 0.0
    return points


def results(make, degree, ranks):
    data = make() if COMM.rank == 0 else None
    thickness = COMM.bcast(2.0 if data is not None and data.dim == 2 else 1.0)
    bulk = Bulk(COMM, data, NeoHooke(), thickness, degree, ranks=ranks)
    bulk.set_fraction(0.5 + 0.4 * np.sin(bulk.original_cells))
    u = field(bulk.node_coordinates()).ravel()
    energy, gradient = bulk.energy_gradient(u)
    matrix = bulk.stiffness(u)
    v = matrix.createVecRight()
    v.array_w[:] = np.cos(bulk.node_coordinates() / 7.0).ravel()
    table = bulk.tabulate(np.array_split(probes(COMM.bcast(data)), COMM.size)[COMM.rank])
    everywhere = gathered(u.reshape(-1, 3))
    x = gathered(bulk.node_coordinates())
    cells = np.argsort(gathered(bulk.original_cells))
    fields = bulk.cell_fields(u)
    bulk.near_nullspace()
    return {
        "energy": COMM.allreduce(energy),
        "gradient norm": np.sqrt(COMM.allreduce(gradient @ gradient)),
        "gradient moment": COMM.allreduce(gradient.reshape(-1, 3).T @ bulk.node_coordinates()),
        "stiffness": np.sqrt((matrix * v).dot(matrix * v)),
        "found": gathered(table.found),
        "values": gathered(np.einsum("nk,nki->ni", table.values, everywhere[table.nodes])),
        "slopes": gathered(np.einsum("nkj,nki->nij", table.gradients, everywhere[table.nodes])),
        "outer": x[bulk.facet_nodes("outer")],
        "outer nodes": COMM.allreduce(len(bulk.tagged_dofs("outer"))),
        "stress": gathered(fields["stress"])[cells],
        "local": COMM.allreduce(
            np.abs(bulk.to_local(u) - field(bulk.output_mesh()[0])).max(initial=0.0), MPI.MAX
        ),
    }


if __name__ == "__main__":
    some = int(sys.argv[2]) if len(sys.argv) > 2 else None
    out = {f"{name}/{k}": v for name, case in CASES.items() for k, v in results(*case, some).items()}
    if COMM.rank == 0:
        np.savez(sys.argv[1], **out)
