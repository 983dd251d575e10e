"""Threads per rank: ranks times threads are as many as the cores that the ranks of a machine share."""

import os

import pytest

from multiscale.threads import VARIABLE, set_threads, threads_per_rank


class Ranks:
    """A communicator of one machine whose ranks may run on the given cores; this one is the first."""

    def __init__(self, *cores):
        self.cores, self.size = cores, len(cores)

    def Split_type(self, kind):
        return self

    def allgather(self, mine):
        return [mine, *self.cores[1:]]

    def Free(self):
        pass


@pytest.mark.parametrize(
    ("cores", "threads"),
    [
        ([{0, 1, 2, 3}], 4),
        ([{0, 1, 2, 3}] * 2, 2),
        ([{0, 1, 2, 3}] * 3, 1),
        ([{0}, {1}], 1),  # bound to a core each
        ([{0, 1}, {2, 3}], 2),
        ([{0}] * 4, 1),  # more ranks than cores
    ],
)
def test_ranks_share_the_cores(monkeypatch, cores, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: cores[0], raising=False)
    assert threads_per_rank(Ranks(*cores)) == threads


def test_what_the_user_says_stays(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setenv(VARIABLE, "3")
    set_threads(Ranks({0, 1, 2, 3}))
    assert os.environ[VARIABLE] == "3"
    monkeypatch.delenv(VARIABLE)
    set_threads(Ranks({0, 1, 2, 3}))
    assert os.environ.pop(VARIABLE) == "4"
