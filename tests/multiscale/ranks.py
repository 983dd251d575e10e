"""Run by test_cli_ranks.py on two ranks, one check at a time: `ranks.py CHECK FOLDER`."""

import os
import signal
import sys
import types
from pathlib import Path

import numpy as np
from mpi4py import MPI

from multiscale import ending
from multiscale.cli import main
from multiscale.config import InputError
from multiscale.writers import MeshSnapshot, SeriesWriter

COMM = MPI.COMM_WORLD
ending._PATIENCE = 1.0
sys.stderr = sys.stdout  # the test reads one stream


def run(run_case):
    """The command line with a stand-in for the loop."""
    sys.modules["multiscale.loop"] = types.SimpleNamespace(run_case=run_case)
    return main(["run", "case.yaml", "-o", "out"])


def wrong_case():
    return main(["run", "case.yaml", "--set", "geometry.radius=-1"])


def wrong_everywhere():
    def run_case(*unused):
        raise InputError("regions", "do not fit")

    return run(run_case)


def wrong_on_one():
    def run_case(case, out, comm, restart, progress):
        if comm.rank == 1:
            raise InputError("regions", "do not fit")
        comm.recv(source=1)  # a message that never comes

    return run(run_case)


def failed_on_one():
    def run_case(case, out, comm, restart, progress):
        if comm.rank == 1:
            raise FloatingPointError("forces are not numbers")
        comm.recv(source=1)  # a message that never comes

    return run(run_case)


def interrupted_on_one():
    """A batch system ends rank 1 only, in the second step."""
    from multiscale import stepping

    solve, calls = stepping.minimise, []

    def minimise(*args):
        calls.append(1)
        if len(calls) == 2 and COMM.rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return solve(*args)

    stepping.minimise = minimise
    return main(["run", "case.yaml", "-o", "out", "--set", "load.steps=3"])


def _in_second_step(do):
    """A whole run in which rank 1 does something when its second step is solved."""
    from multiscale import stepping

    solve, calls = stepping.minimise, []

    def minimise(*args):
        calls.append(1)
        if len(calls) == 2 and COMM.rank == 1:
            do()
        return solve(*args)

    stepping.minimise = minimise
    return main(["run", "case.yaml", "-o", "out", "--set", "load.steps=3"])


def full_on_one():
    import resource

    return _in_second_step(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))


def killed_on_one():
    return _in_second_step(lambda: os.kill(os.getpid(), signal.SIGKILL))


def nan_on_one():
    from coupling.atomistic import AtomisticEnergy

    def spoil():
        whole = AtomisticEnergy._evaluated

        def evaluated(self, potential, positions):
            energy, energies, gradient = whole(self, potential, positions)
            return energy, energies, np.full_like(gradient, np.nan)

        AtomisticEnergy._evaluated = evaluated

    return _in_second_step(spoil)


def watched():
    """What two ranks see of an atom that is lost."""
    import json

    from multiscale import watchdogs
    from multiscale.build import build
    from multiscale.config import load_case
    from tests.multiscale.test_watch import FAR, SITE, moved

    sim = build(load_case(Path("case.yaml"), []), COMM)
    entries = watchdogs.look(sim, moved(sim, SITE, FAR)[1], 0.0, 1)
    if COMM.rank == 0:
        print(json.dumps(entries))
    return 0


def lines_of_first_rank():
    def run_case(case, out, comm, restart, progress):
        progress(1, 1, f"said by {comm.rank}")
        return 3

    return run(run_case)


def series():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    points[:, 0] += COMM.rank
    writer = SeriesWriter(COMM, Path("."), "fields")
    for time in (1.0, 2.0):
        data = {"rank": np.array([COMM.rank])}
        writer.write(time, MeshSnapshot(points, np.array([[0, 1, 2]]), {}, data))
    return 0


if __name__ == "__main__":
    os.chdir(sys.argv[2])
    sys.exit(globals()[sys.argv[1]]())
