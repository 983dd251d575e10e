"""Training on tabulated geometry finds what the potential finds."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ase.build import bulk

from nnp.data import Frame, free_atom
from nnp.density.architecture import Architecture
from nnp.density.model import DensityPotential
from nnp.state import State
from nnp.train import tables
from nnp.train.batch import collate, prepare
from nnp.train.loss import Weights, loss, predict


def labelled(seed: int, close: bool) -> Frame:
    """Two elements, displaced at random; with `close`, atoms under the repulsion's reach."""
    rng = np.random.default_rng(seed)
    atoms = bulk("GaAs", "zincblende", 5.6 if not close else 4.2, cubic=True)
    atoms.rattle(0.15, seed=seed)
    n = len(atoms)
    stress = rng.normal(size=(3, 3))
    return Frame(State.from_ase(atoms), rng.normal(), rng.normal(size=(n, 3)), stress, "all", None, 0)


@pytest.fixture
def case() -> SimpleNamespace:
    torch.manual_seed(0)
    shape = Architecture(cutoff=4.0, radial=5, channels=4, degree=3, three_body=4, many_body=3, repulsion=2.2)
    model = DensityPotential(shape, [31, 33]).double()
    frames = [labelled(1, False), free_atom("As", -1.0), labelled(2, True)]
    return SimpleNamespace(model=model, parts=[prepare(f, shape.cutoff, torch.float64, 2.0) for f in frames])


def test_loss_and_its_gradient_are_those_of_the_potential(case):
    batch, factors = collate(case.parts), Weights(3.0, 1.0, 0.7)
    found = tables.tabulate(case.model, case.parts)
    gradients = []
    for p in (
        predict(case.model, batch, True),
        tables.predict_tabulated(case.model, tables.join(found), batch),
    ):
        value = loss(p, batch, factors)
        weights = list(case.model.parameters())
        gradients.append([value, *torch.autograd.grad(value, weights, allow_unused=True)])
    assert gradients[0][0].item() > 1.0
    for a, b in zip(*gradients):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(b, a, rtol=1e-10, atol=1e-11)


def test_large_data_are_trained_without_tables(case, monkeypatch):
    monkeypatch.setattr(tables, "LIMIT", 1e4)
    assert tables.tabulate(case.model, case.parts) is None
