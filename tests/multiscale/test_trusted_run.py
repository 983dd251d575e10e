"""A run knows how far its potential can be believed: fields, warnings, and an end where a limit says so."""

import copy
import csv
import json

import ase.io
import numpy as np
import pytest
import torch
from ase.build import bulk

from multiscale.build import build
from multiscale.cli import main
from multiscale.config import InputError, load_case
from multiscale.result import read_result
from nnp.committee import Calibration, Committee, driving
from nnp.data import Frame
from nnp.evaluate import Sites
from nnp.families import load, save
from nnp.neighbors import find_pairs
from nnp.registry import make_potential
from nnp.state import State
from nnp.statistics import remember
from tests.mpi import run_ranks

CASE = """
crystal: {{structure: diamond, symbol: Si}}
potential: {{type: nnp, model: {model}}}
geometry: {{shape: disc, radius: 5 nm}}
regions: {{core: {{shape: disc, radius: 0.4 nm}}, blend: 0.75 nm}}
continuum: {{law: linear}}
load: {{type: strain, gradient: [[0.05, 0, 0], [0, 0, 0], [0, 0, 0]], steps: 2}}
"""
FACTOR = 2.5


def committee() -> Committee:
    """Silicon and a slightly changed copy, with the statistics of a hot crystal."""
    shipped = load("si")
    first = shipped.members[0] if isinstance(shipped, Committee) else shipped
    second = copy.deepcopy(first)
    generator = torch.Generator().manual_seed(0)
    for p in second.parameters():
        p.mul_(1.0 + 1e-3 * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    frames = []
    for k in range(6):
        atoms = bulk("Si", "diamond", 5.46, cubic=True)
        atoms.rattle(0.04, seed=k)
        frames.append(Frame(State.from_ase(atoms), 0.0, np.zeros((8, 3)), None, "hot", None, k))
    both = Committee([first, second], Calibration(forces=2.0, first_forces=FACTOR))
    assert remember(both, frames)
    return both


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trust")


@pytest.fixture(scope="module")
def case(folder):
    save(committee(), folder / "two.safetensors")
    (folder / "case.yaml").write_text(CASE.format(model="./two.safetensors"))
    return folder / "case.yaml"


@pytest.fixture(scope="module")
def done(folder, case):
    low = "potential.trust.warn={extrapolation: 0.01, force_spread: 1e-6}"
    assert main(["run", str(case), "-o", str(folder / "done"), "--set", low]) == 0
    return folder / "done"


def test_fields_rows_and_findings_hold_the_measures(done):
    result = read_result(done)
    atoms = ase.io.read(done / "atoms.extxyz", index=":")
    for name in ("extrapolation", "force_spread", "site_energy_spread"):
        largest = [float(a.arrays[name].max()) for a in atoms]
        assert [s[name] for s in result["steps"]] == pytest.approx(largest, rel=1e-9)
        assert largest[0] > 0.0 and not atoms[0].arrays[name][-1] > 0.0  # nothing far out in the pad
    assert result["results"]["extrapolation"] == max(s["extrapolation"] for s in result["steps"])
    rows = list(csv.DictReader((done / "history.csv").open()))
    assert float(rows[1]["force_spread"]) == result["steps"][1]["force_spread"]
    assert "committee: spread" in (done / "case.yaml").read_text()


def test_a_warning_names_atom_place_step_and_what_to_do(done):
    warnings = read_result(done)["warnings"]
    assert [(w["step"], w["kind"]) for w in warnings] == [
        (s, k) for s in (1, 2) for k in ("extrapolation", "force_spread")
    ]
    atoms = ase.io.read(done / "atoms.extxyz", index=1)
    worst = warnings[2]
    assert worst["atom"] == int(atoms.arrays["extrapolation"].argmax()) and not worst["stops"]
    np.testing.assert_allclose(worst["position"], atoms.positions[worst["atom"]], atol=1e-9)
    log = (done / "log.txt").read_text()
    for part in (f"of atom {worst['atom']} at (", "above 0.01", "unlike those", "nnp select"):
        assert part in worst["message"]
    heads = [w["message"].removesuffix(w["advice"]).rstrip(": ") for w in warnings]
    assert all(head in log for head in heads) and len(set(heads)) == len(heads)
    assert all(w["message"] in log for w in warnings[:2])  # later ones without the advice
    assert log.count("unlike those") == log.count("do not agree") == 1
    assert "its first member moves the atoms; force spread: 68 % intervals" in log


def test_a_limit_ends_the_run_and_keeps_everything(folder, case, done):
    first, second = (s["extrapolation"] for s in read_result(done)["steps"])
    assert first < second
    out, limit = folder / "stopped", 0.5 * (first + second)
    override = f"potential.trust={{warn: {{extrapolation: 0}}, stop: {{extrapolation: {limit}}}}}"
    more = "load.steps=4", "load.gradient=[[0.1, 0, 0], [0, 0, 0], [0, 0, 0]]", "output.every=9"
    arguments = [x for text in (override, *more) for x in ("--set", text)]
    assert main(["run", str(case), "-o", str(out), *arguments]) == 3
    result = read_result(out)
    assert result["status"] == "stopped" and [s["step"] for s in result["steps"]] == [1, 2]
    assert [(w["step"], w["stops"]) for w in result["warnings"]] == [(2, True)]
    assert len(ase.io.read(out / "atoms.extxyz", index=":")) == 1  # the step that ended it, due or not
    assert (out / "history.png").exists()


def test_the_spread_of_a_model_is_that_of_its_committee(case):
    from mpi4py import MPI

    simulation = build(load_case(case), MPI.COMM_WORLD)
    model, both = simulation.model, simulation.material.committee
    assert model.atomistic.potential is both.members[0]
    positions = model.atoms.reference + 0.05 * np.random.default_rng(0).normal(size=(len(model.atoms), 3))
    state, weights = model.atoms.state(positions), torch.from_numpy(model.atomistic.weights)
    expected = both.spread(state, find_pairs(state, both.cutoff), Sites.weighted(weights))
    found = simulation.trust.look(positions, with_spread=True).fields
    by_mean = np.linalg.norm(expected.forces.numpy(), axis=1) / 2.0  # the mean's factor
    np.testing.assert_allclose(found["force_spread"], FACTOR * by_mean, atol=1e-9)


def test_who_drives():
    both = make_potential("committee", models="stillinger-weber, stillinger-weber")
    assert driving(both, None) == driving(both, "spread") == (both.members[0], both)
    assert driving(both, "mean") == (both, both)
    assert driving(both, "off") == (both.members[0], None)
    assert driving(both.members[0], None) == (both.members[0], None)


def test_ranks_see_the_same(folder, case, done):
    low = "potential.trust.warn={extrapolation: 0.01, force_spread: 1e-6}"
    run_ranks(
        2, "multiscale", "run", case, "-o", folder / "ranks", "--set", low, "--set", "output.pictures=false"
    )
    alone, together = read_result(done), read_result(folder / "ranks")
    for a, b in zip(alone["steps"], together["steps"], strict=True):
        assert b["extrapolation"] == pytest.approx(a["extrapolation"], rel=1e-4)
        assert b["force_spread"] == pytest.approx(a["force_spread"], rel=1e-4)
    assert [w["kind"] for w in alone["warnings"]] == [w["kind"] for w in together["warnings"]]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "potential={type: stillinger-weber, committee: mean}",
            "potential.committee: must be left out: type",
        ),
        (
            "potential={type: stillinger-weber, trust: {stop: {extrapolation: 2}}}",
            "potential.trust.stop.extrapolation: cannot be measured",
        ),
        (
            "potential={type: stillinger-weber, trust: {stop: {force_spread: 2}}}",
            "potential.trust.stop.force_spread: cannot be measured: the potential is no committee",
        ),
        ("potential.committee=first", "potential.committee: must be one of spread, mean, off, got first"),
        ("potential.trust.warn.extrapolation=-1", "potential.trust.warn.extrapolation: must be at least 0"),
    ],
)
def test_wrong_wishes_are_named(override, message, case, capsys):
    assert main(["check", str(case), "--set", override]) == 2
    assert message in capsys.readouterr().err


def test_a_single_model_has_no_committee(folder, case, capsys):
    save(committee().members[0], folder / "one.safetensors")
    (folder / "one.yaml").write_text(CASE.format(model="./one.safetensors"))
    assert load_case(folder / "one.yaml").potential.committee is None
    with pytest.raises(InputError, match="is a single potential, got spread"):
        load_case(folder / "one.yaml", ["potential.committee=spread"])
    assert json.loads(json.dumps(load_case(case).potential.committee)) == "spread"
