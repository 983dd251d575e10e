"""Potentials on another device: nothing of a family stays behind, and which card a rank takes."""

import numpy as np
import pytest
import torch
from mpi4py import MPI

from nnp.device import DeviceError, OnDevice, chosen_device, placed, rank_within_node
from nnp.evaluate import Curvature, Sites, environments, evaluate
from nnp.external import External
from nnp.neighbors import find_pairs
from nnp.registry import make_potential
from nnp.statistics import extrapolating
from tests.nnp.elsewhere import MixedDevices, elsewhere  # noqa: F401  a fixture
from tests.nnp.test_potential_contract import build, every


@every
def test_all_of_it_is_computed_there_and_the_answer_is_the_same(case, elsewhere) -> None:  # noqa: F811
    """Energies, forces, virial and products with the Hessian, of weighted sites; a tensor made on the processor in
    between would be an error."""
    potential, state = build(case)
    pairs = find_pairs(state, potential.cutoff + 0.3)
    some = torch.arange(0, len(state), 2)
    sites = Sites(some, torch.linspace(0.2, 1.0, len(some), dtype=torch.float64))
    there = placed(potential, elsewhere)
    here, found = (evaluate(p, state, pairs, sites) for p in (potential, there))
    assert found.energy == pytest.approx(here.energy, rel=1e-12)
    for name in ("site_energies", "forces", "virial"):
        torch.testing.assert_close(getattr(found, name), getattr(here, name), rtol=0, atol=1e-11)
        assert getattr(found, name).device.type == "cpu"
    v = torch.as_tensor(np.random.default_rng(0).normal(size=(len(state), 3)))
    products = [Curvature(p, state, pairs, sites)(v) for p in (potential, there)]
    torch.testing.assert_close(products[1], products[0], rtol=0, atol=1e-9)


def test_how_far_it_extrapolates_is_measured_there(elsewhere) -> None:  # noqa: F811
    potential, state = build(("nnp", {"model": "si"}))
    graph = environments(state, find_pairs(state, potential.cutoff))[1]
    there, here = (extrapolating(p) for p in (placed(potential, elsewhere), potential))
    assert isinstance(there, OnDevice)
    torch.testing.assert_close(there.extrapolation(graph), here.extrapolation(graph), rtol=0, atol=1e-6)
    assert extrapolating(placed(make_potential("stillinger-weber"), elsewhere)) is None


def test_a_tensor_left_behind_is_seen(elsewhere) -> None:  # noqa: F811
    """The test above can fail: a factor made in the middle, without a device."""

    class Careless(type(make_potential("stillinger-weber"))):
        def site_energies(self, graph):
            return super().site_energies(graph) * torch.ones(graph.n_sites, dtype=torch.float64)

    _, state = build(("stillinger-weber", {}))
    careless = Careless()
    pairs = find_pairs(state, careless.cutoff)
    evaluate(careless, state, pairs)
    with pytest.raises(MixedDevices, match="aten::mul"):
        evaluate(placed(careless, elsewhere), state, pairs)


@pytest.mark.parametrize(
    ("cards", "wanted"), [(1, [0, 0, 0, 0, 0]), (2, [0, 1, 0, 1, 0]), (4, [0, 1, 2, 3, 0])]
)
def test_ranks_of_a_machine_share_out_its_cards(monkeypatch, cards, wanted) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    for name in ("cuda", "auto"):
        assert [chosen_device(name, rank) for rank in range(5)] == [torch.device("cuda", k) for k in wanted]
    assert chosen_device("cpu", 3) == torch.device("cpu")


def test_without_a_card(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == torch.device("cpu")
    with pytest.raises(DeviceError, match="no graphics card"):
        chosen_device("cuda")
    with pytest.raises(DeviceError, match="must be one of cpu, cuda, auto, got gpu"):
        chosen_device("gpu")
    with pytest.raises(DeviceError, match="calculator"):
        placed(External(lambda: None, 5.0), torch.device("cuda", 0))


def test_the_rank_within_its_machine() -> None:
    """Ranks 2 and 5 of six on three machines of two are the first and the second of theirs."""

    class Node:
        def __init__(self, rank):
            self.rank, self.freed = rank, False

        def Free(self):
            self.freed = True

    class Ranks:
        def __init__(self, rank):
            self.node = Node(rank % 2)

        def Split_type(self, kind):
            assert kind == MPI.COMM_TYPE_SHARED
            return self.node

    for rank, within in ((2, 0), (5, 1)):
        ranks = Ranks(rank)
        assert rank_within_node(ranks) == within and ranks.node.freed
    assert rank_within_node(MPI.COMM_WORLD) == MPI.COMM_WORLD.rank
