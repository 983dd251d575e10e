"""The compiled neighbour search against another code."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.neighborlist import primitive_neighbor_list

from nnp.native import build, search
from nnp.neighbors import find_pairs
from nnp.state import State

pytestmark = pytest.mark.skipif(build.library(search._SOURCE) is None, reason="no compiler here")

SKEW = np.array([[4.0, 0.3, -0.8], [1.5, 3.6, 0.4], [-0.7, 2.1, 5.5]])
CASES = {
    "crystal, skew": (SKEW * 3, (True, True, True)),
    "cell smaller than the cutoff": (SKEW * 0.6, (True, True, True)),
    "thin slice": (np.diag([40.0, 30.0, 3.8]), (False, False, True)),
    "free cluster": (np.zeros((3, 3)), (False, False, False)),
    "two periods, no third vector": (np.diag([6.0, 0.0, 5.0]), (True, False, True)),
    "periodic along the first": (SKEW * 2, (True, False, False)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("n", [1, 2, 90])
def test_pairs_are_those_of_another_code(name, n):
    cell, pbc = CASES[name]
    rng = np.random.default_rng(1)
    points = rng.uniform(-6.0, 9.0, (n, 3))  # in and out of the cell
    points[-1] += 200.0
    found = find_pairs(State.from_ase(Atoms(f"Si{n}", points, cell=cell, pbc=pbc)), 4.1)
    i, j, shifts = primitive_neighbor_list("ijS", pbc, cell, points, 4.1)
    ours = np.column_stack([found.i, found.j, found.shifts])
    theirs = np.column_stack([i, j, shifts])
    assert np.array_equal(ours[:, 0], np.sort(i))
    assert np.array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_threads_and_copies_give_the_same_list():
    rng = np.random.default_rng(0)
    state = State.from_ase(Atoms("Si900", rng.uniform(0.0, 26.0, (900, 3)), cell=[26.0] * 3, pbc=True))
    one = find_pairs(state, 5.0)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = find_pairs(state, 5.0)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(one.j, two.j) and torch.equal(one.shifts, two.shifts)


def test_a_position_that_is_no_number_is_named():
    points = torch.zeros(4, 3, dtype=torch.float64)
    points[2, 1] = torch.nan
    state = State(
        points, torch.ones(4, dtype=torch.long), torch.zeros(3, 3, dtype=torch.float64), (False,) * 3
    )
    with pytest.raises(FloatingPointError, match="atom 2"):
        find_pairs(state, 3.0)
