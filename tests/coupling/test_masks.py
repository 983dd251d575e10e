"""The mask with the least second difference, against any other."""

import numpy as np
import pytest

from coupling.least_mask import least_second_difference
from coupling.regions import OPTIMAL, Ball, Box, Mask

TRIANGULAR = np.array([[1.0, 0.0], [0.5, 0.75**0.5]])
FCC = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]) / 2**0.5
CASES = {
    "disc": (Ball((0.2, 0.1), 6.0), 6.0, TRIANGULAR),
    "box": (Box((0.0, 0.0), (9.0, 6.0)), 5.0, TRIANGULAR),
    "rectangular": (Ball((0.0, 0.0), 6.0), 8.0, np.diag([1.0, 1.7])),
    "ball": (Ball((0.0, 0.0, 0.0), 3.0), 4.0, FCC),
}


def _block(vectors, n):
    """Sites of a block around the origin, (2n + 1, …, d)."""
    k = np.arange(-n, n + 1)
    return np.stack(np.meshgrid(*[k] * len(vectors), indexing="ij"), -1) @ vectors


def _bending(w, vectors):
    """Σ |∇²w|² by fitting a quadratic to each site and its neighbours: no formula of the solver's is used."""
    d = w.ndim
    near = np.stack(np.meshgrid(*[(-1, 0, 1)] * d, indexing="ij"), -1).reshape(-1, d)
    near = near[np.abs(near).sum(1) > 0]
    diagonal = [n for n in near if np.abs(n).sum() == 2]
    keep = [n for n in near if np.abs(n).sum() == 1]
    for n in diagonal:  # the shorter diagonal of each face
        other = n.copy()
        other[np.flatnonzero(n)[-1]] *= -1
        short, long_ = np.linalg.norm(n @ vectors), np.linalg.norm(other @ vectors)
        if short < long_ - 1e-9 or (abs(short - long_) < 1e-9 and n[np.flatnonzero(n)].prod() > 0):
            keep.append(n)
    keep = np.array(keep)
    r = keep @ vectors
    pairs = [(i, j) for i in range(d) for j in range(i, d)]
    design = np.column_stack([r, *[r[:, i] * r[:, j] * (0.5 if i == j else 1.0) for i, j in pairs]])
    change = np.stack([np.roll(w, tuple(-n), range(d)) - w for n in keep], -1)
    fit = change @ np.linalg.pinv(design).T
    weight = np.array([1.0 if i == j else 2.0 for i, j in pairs])
    return float((fit[..., d:] ** 2 * weight).sum())


@pytest.mark.parametrize("case", CASES)
def test_no_other_mask_bends_less(case) -> None:
    core, blend, vectors = CASES[case]
    best = Mask(core, blend, OPTIMAL, least_second_difference(core, blend, vectors, np.zeros(len(vectors))))
    sites = _block(vectors, 14 if len(vectors) == 3 else 24)
    flat = sites.reshape(-1, len(vectors))
    shape, distance = sites.shape[:-1], core.distance(flat)
    w = best(flat)
    assert (w[distance <= 0] == 1.0).all() and (w[distance >= blend] == 0.0).all()
    least = _bending(w.reshape(shape), vectors)
    for step in ("cubic", "quintic"):
        assert least < _bending(Mask(core, blend, step)(flat).reshape(shape), vectors)
    inside = (distance > 0) & (distance < blend) & (w > 0.0) & (w < 1.0)
    change = np.where(inside, np.random.default_rng(0).normal(size=len(w)), 0.0)
    up, down = (_bending((w + e * change).reshape(shape), vectors) - least for e in (1e-2, -1e-2))
    assert up > 0.0 and up == pytest.approx(down, rel=1e-6)


def test_between_its_sites_it_is_a_mask() -> None:
    core, blend, vectors = CASES["disc"]
    best = Mask(core, blend, OPTIMAL, least_second_difference(core, blend, vectors, np.zeros(2)))
    line = np.column_stack([np.linspace(0.0, 15.0, 400), np.full(400, 0.3)])
    w = best(line)
    assert w[0] == 1.0 and w[-1] == 0.0 and (np.diff(w) < 1e-3).all()
    assert np.abs(w - Mask(core, blend, "cubic")(line)).max() < 0.12


def test_an_optimal_mask_without_its_table_is_refused() -> None:
    with pytest.raises(ValueError, match="table"):
        Mask(Ball((0.0, 0.0), 1.0), 1.0, OPTIMAL)(np.zeros((1, 2)))
