"""A few tests of each kind under mpirun, and what becomes of one that fails there (`make test-ranks` runs all)."""

from pathlib import Path

import pytest

from tests.mpi import run_ranks

PYTEST = ("pytest", "-p", "no:cacheprovider", "--color=no")
QUICK = (
    "gradient or vacancy or without_numbers or two_full_evaluations or derivatives or no_step or hessian_is "
    "or layers_that"
)

FAILING = """
import pytest
from tests.mpi import COMM

def test_that_fails_on_one_rank():
    assert COMM.rank == 0, "the last words"
    {then}

def test_after_it():
    pass
"""


@pytest.mark.parametrize("ranks", [2, 3])
def test_some_of_each_kind(ranks, tmp_path) -> None:
    files = [
        f"tests/coupling/test_{name}.py" for name in ("schemes", "newton", "masking", "faces", "atomistic")
    ]
    files += ["tests/continuum/test_bulk.py", "tests/multiscale/test_sharing.py"]
    more = " or as_if_nothing" if ranks == 2 else ""
    chosen = f"({QUICK}{more}) and not nnp and not equivariant"
    out = run_ranks(ranks, *PYTEST, "-k", chosen, *files)
    (line,) = [line for line in out.splitlines() if " passed" in line]
    assert "failed" not in line and int(line.split(" passed")[0].split()[-1]) >= 25, line


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("", ["on rank 1", "1 failed, 1 passed"]),
        ("COMM.recv(source=1)", ["on rank 1, others wait for it: ended"]),
    ],
    ids=["all arrive", "one waits"],
)
def test_a_failure_on_one_rank_ends_all(then, said, tmp_path, monkeypatch) -> None:
    """Once all have arrived it is a failure like any other; where they wait for each other they are ended."""
    monkeypatch.setenv("MULTISCALE_TEST_LATE", "4")
    path = Path(tmp_path) / "test_failing.py"
    path.write_text(FAILING.format(then=then or "pass"))
    with pytest.raises(AssertionError) as caught:
        run_ranks(2, *PYTEST, "-c", "pyproject.toml", "-p", "tests.conftest", path, timeout=60)
    text = str(caught.value)
    for words in ("the last words", *said):
        assert words in text
