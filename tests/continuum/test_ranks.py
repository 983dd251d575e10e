"""The bulk's answers do not depend on the number of ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.mpi import run_ranks

SCRIPT = Path(__file__).with_name("ranks.py")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    out = {}
    for n, some in ((1, None), (2, None), (3, None), (2, 1), (3, 2)):
        run_ranks(n, SCRIPT, folder / "x.npz", *([] if some is None else [some]))
        with np.load(folder / "x.npz") as data:
            out[n if some is None else (n, some)] = dict(data)
    return out


@pytest.mark.parametrize("n", [2, 3, (2, 1), (3, 2)])
def test_same_answers_as_on_one_rank(runs, n):
    """(3, 2): the mesh on two ranks of three."""
    assert runs[n].keys() == runs[1].keys() and len(runs[1]) == 44
    for key, one in runs[1].items():
        scale = np.abs(one).max() if one.dtype != bool else 1
        assert runs[n][key] == pytest.approx(one, abs=1e-12 * scale), key
        assert scale > 0 or key.endswith("local"), key


def test_probes_are_partly_in_the_mesh(runs):
    for key in (k for k in runs[1] if k.endswith("found")):
        assert runs[1][key][300:].all()  # nodes
        assert 10 < runs[1][key][:300].sum() < 290
    for key in (k for k in runs[1] if k.endswith("local")):
        assert runs[1][key] < 1e-13
