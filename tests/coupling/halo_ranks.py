"""Run under mpirun: parts of equal cost, every atom on one rank, and halos against distances measured on all points."""

import numpy as np
from mpi4py import MPI
from scipy.spatial import cKDTree

from coupling.atoms import sites_around
from coupling.exchange import Halo, Ownership
from coupling.partition import bisected
from coupling.regions import Ball, Mask
from nnp.crystal import make_crystal

comm = MPI.COMM_WORLD
rng = np.random.default_rng(comm.rank)
points = rng.uniform(0.0, [80.0, 30.0, 20.0], (900 + 200 * comm.rank, 3))
cost = rng.uniform(0.1, 2.0, len(points))
for parts in (comm.size, 7):
    owner = bisected(comm, points, cost, parts)
    load = comm.allreduce(np.bincount(owner, cost, parts))
    assert load.min() > 0.97 * load.mean(), load  # to within an atom or two of each cut

REACH = 4.0
everyone = np.concatenate(comm.allgather(points))
number = Ownership.of(comm, len(points))
near = rng.uniform(-5.0, 85.0, (40 * (comm.rank + 1), 3)) if comm.rank != 1 else np.zeros((0, 3))
for reach in (REACH, np.linspace(1.0, 9.0, len(near))):
    halo = Halo.around(comm, points, near, reach)
    mine = halo.extended(number.low + np.arange(len(points)))
    np.testing.assert_array_equal(halo.extended(points), everyone[mine])
    wanted = set()
    if len(near):
        hits = cKDTree(everyone).query_ball_point(near, reach)
        wanted = set(np.concatenate([np.asarray(h, int) for h in hits]).tolist())
    own = set(range(number.low, number.low + len(points)))
    assert set(mine[halo.own :].tolist()) == wanted - own
    total = halo.returned(np.ones((halo.size, 2)))
    held = np.bincount(np.concatenate(comm.allgather(mine)), minlength=number.total)
    np.testing.assert_array_equal(total[:, 1], held[list(own)])

crystal = make_crystal("fcc", "Ar", 5.3)
kept, left = sites_around(
    comm, crystal, Mask(Ball((0.0, 0.0, 0.0), 12.0), 5.0), 25.0, 3, lambda x: x[:, 1] > 9.0
)
whole = crystal.sites(np.full(3, -38.0), np.full(3, 38.0))[0]
whole = whole[np.linalg.norm(whole, axis=1) < 37.0]
found = np.concatenate(comm.allgather(np.concatenate([kept.points, left.points])))
assert len(found) == len(whole) and cKDTree(found).query(whole)[0].max() < 1e-9
assert (kept.points[:, 1] <= 9.0).all() and (left.points[:, 1] > 9.0).all()
dear = comm.allgather(int((kept.weights > 0.0).sum()))
assert max(dear) - min(dear) < 0.1 * np.mean(dear), dear  # though planes of atoms have the same coordinate
if comm.rank == 0:
    print("ok")
