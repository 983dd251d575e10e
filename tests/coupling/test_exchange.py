"""Atoms shared out to ranks: equal cost, each on one rank, and every copy where it is needed."""

import pytest

from tests.mpi import run_ranks


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_parts_and_halos(ranks) -> None:
    assert run_ranks(ranks, "tests/coupling/halo_ranks.py").splitlines()[-1] == "ok"
