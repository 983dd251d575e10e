"""The factor that ranks share: the solution is that of a dense solve, and parts do not meet."""

import numpy as np
import pytest
from factor_ranks import lattice
from scipy.sparse import csr_matrix

from coupling.dissection import dissected, divided
from tests.mpi import run_ranks


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_solution_is_that_of_a_dense_solve(ranks) -> None:
    assert run_ranks(ranks, "tests/coupling/factor_ranks.py").splitlines()[-1] == "ok"


def test_parts_do_not_meet_and_separators_are_small() -> None:
    """A square of 24² points that have to do with those within two: two rows of it separate halves."""
    points, matrix = lattice(24)
    near = csr_matrix(np.abs(matrix[::3, ::3]) > 0.0)
    *parts, between = divided(points, near, 2)
    assert len(between) <= 2 * 24 and len(between) + sum(map(len, parts)) == 24**2
    assert near[parts[0]][:, parts[1]].nnz == 0 and abs(len(parts[0]) - len(parts[1])) <= 48

    groups = dissected(points, near, 5)
    order = np.concatenate([group.points for group in groups])
    np.testing.assert_array_equal(np.sort(order), np.arange(len(points)))
    above = {part: s for s, group in enumerate(groups) for part in group.parts}
    assert set(above) == set(range(len(groups) - 1))  # but the last, all are part of one
    for s, group in enumerate(groups):  # what meets comes before on the way up, or is part of it
        met = {t for t, other in enumerate(groups) if t > s and near[group.points][:, other.points].nnz}
        way = set()
        while s in above:
            s = above[s]
            way.add(s)
        assert met <= way
