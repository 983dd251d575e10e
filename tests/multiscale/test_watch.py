"""One thing gone wrong for each watchdog: it is found, at its place, on any number of ranks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from multiscale import stepping, watchdogs
from multiscale.build import build
from multiscale.cli import main
from multiscale.config import parse_case
from multiscale.config.watching import WatchConfig
from multiscale.result import read_result
from multiscale.watch import GROWN, PATIENCE, Halted, Watch
from tests.mpi import COMM, gathered, run_ranks
from tests.multiscale.restarts import OPENING
from tests.multiscale.test_failures import CASE, PROGRAM
from tests.multiscale.test_indent import CASE as INDENT

SITE, FAR = np.array([4.073175, 4.073175, 4.073175]), np.array([0.0, 150.0, 0.0])


@pytest.fixture(scope="module")
def sim():
    return build(parse_case(CASE), COMM)


def moved(sim, place, by):
    """The state at rest but for what is nearest to a place, among free atoms and nodes: its position, and q."""
    model, q = sim.model, sim.model.vector()
    x = np.concatenate([model.atoms.reference[model.atoms.free], model.nodes])
    distance = np.linalg.norm(x - place, axis=1)
    if len(x) and distance.min() == model.comm.allreduce(distance.min(initial=np.inf), MPI.MIN):
        q.array[3 * distance.argmin() :][:3] = by
    places = model.comm.allgather((distance.min(initial=np.inf), x[distance.argmin()] if len(x) else None))
    return min(places, key=lambda place: place[0])[1], q


def found(sim, q, kind):
    entries = [e for e in watchdogs.look(sim, q, 0.0, 1) if e["kind"] == kind]
    return entries[0] if entries else None


def test_nothing_is_found_at_rest(sim):
    assert watchdogs.look(sim, sim.model.vector(), 0.0, 1) == []


def test_an_atom_that_is_lost(sim):
    x, q = moved(sim, SITE, FAR)
    entry = found(sim, q, "lost_atoms")
    assert entry["stops"] and entry["limit"] == sim.material.potential.cutoff
    np.testing.assert_allclose(entry["position"], x + FAR, atol=1e-9)
    everyone = gathered(sim.model.atoms.reference)
    np.testing.assert_allclose(everyone[entry["atom"]], x)
    nearest = np.linalg.norm(everyone - x - FAR, axis=1).min()
    assert nearest - 3.0 < entry["value"] <= nearest  # images along z may be nearer
    assert f"atom {entry['atom']}, (" in entry["message"] and "smaller steps" in entry["message"]


def test_an_atom_that_has_left_its_region(sim):
    """A little within the blend zone it is let be, beyond not, and among others it is not lost."""
    x = moved(sim, SITE, FAR)[0]
    out = x[:2] / np.linalg.norm(x[:2])
    for distance, left in ((19.0, False), (21.0, True)):
        by = np.append((distance - np.linalg.norm(x[:2])) * out, 0.0)
        entry = found(sim, moved(sim, SITE, by)[1], "left_region")
        assert (entry is not None) == left
    assert entry["value"] == pytest.approx(11.0) and entry["limit"] == pytest.approx(10.0)
    assert not entry["stops"] and found(sim, moved(sim, SITE, by)[1], "lost_atoms") is None


def test_an_element_that_is_turned_inside_out(sim):
    x, q = moved(sim, np.array([35.0, 0.0, 0.0]), np.array([-30.0, 0.0, 0.0]))
    entry = found(sim, q, "inversion")
    assert entry["stops"] and entry["value"] < 0.0
    assert np.linalg.norm(np.array(entry["position"]) - x) < 15.0
    assert (
        found(sim, moved(sim, np.array([35.0, 0.0, 0.0]), np.array([-0.5, 0.0, 0.0]))[1], "inversion") is None
    )


def test_faces_pressed_into_each_other():
    """Of fcc crystals (001) planes are half a lattice constant apart, a quarter of which laws know."""
    sim = build(parse_case(OPENING), COMM)
    known = 0.25 * 0.5 * sim.material.crystal.a
    for closed, deep in ((0.9 * known, False), (1.1 * known, True)):
        q = sim.model.vector()
        q.array[1::3] = -0.5 * closed * np.sign(sim.model.nodes[:, 1])
        entry = found(sim, q, "penetration")
        assert (entry is not None) == deep
    assert [entry["value"], entry["limit"]] == pytest.approx([1.1 * known, known])
    assert entry["position"][1] == pytest.approx(0.0) and "grid.compression" in entry["message"]


def test_an_indenter_that_has_gone_through():
    sim = build(parse_case(INDENT), COMM)
    q = sim.model.vector()
    for depth, deep in ((0.2 * sim.material.crystal.a, False), (0.5 * sim.material.crystal.a, True)):
        (term,) = sim.model.terms
        term.drive(depth)
        assert (found(sim, q, "penetration") is not None) == deep


def test_two_ranks_find_the_same(sim, tmp_path):
    (tmp_path / "case.yaml").write_text(CASE)
    out = run_ranks(2, PROGRAM, "watched", tmp_path, timeout=60)
    (line,) = [line for line in out.splitlines() if line.startswith("[{")]
    here = watchdogs.look(sim, moved(sim, SITE, FAR)[1], 0.0, 1)
    assert len(here) == 2
    for a, b in zip(here, json.loads(line), strict=True):
        assert b["kind"] == a["kind"] and b["value"] == pytest.approx(a["value"])
        assert b["position"] == pytest.approx(a["position"])


def test_a_force_that_explodes_ends_the_step():
    watch = Watch(WatchConfig(), 3)
    watch(1, 0.0, 500.0)
    watch(2, 0.0, 0.9 * GROWN * 500.0)
    with pytest.raises(Halted):
        watch(3, 0.0, 1.1 * GROWN * 500.0)
    assert [e["kind"] for e in watch.entries] == ["explosion"] and watch.entries[0]["stops"]


def test_a_residual_that_stalls_is_said_once():
    watch = Watch(WatchConfig(), 1)
    for iteration in range(1, 3 * PATIENCE):
        watch(iteration, 0.0, 1.0 if iteration < 20 else 0.5 - 1e-4 * iteration)
    assert [e["kind"] for e in watch.entries] == ["stall"] and not watch.entries[0]["stops"]
    falling = Watch(replace(WatchConfig(), stall="stop"), 1)
    for iteration in range(1, 3 * PATIENCE):
        falling(iteration, 0.0, 0.99**iteration)
    assert falling.entries == []
    with pytest.raises(Halted):
        for iteration in range(3 * PATIENCE, 5 * PATIENCE):
            falling(iteration, 0.0, 1.0)


@pytest.mark.parametrize(("action", "code"), [("stop", 3), ("warn", 0), ("off", 0)])
def test_the_case_says_what_is_done(tmp_path, monkeypatch, capsys, action, code):
    """An explosion in the second step: what was before it is kept, and a restart begins with it again."""
    monkeypatch.chdir(tmp_path)
    Path("case.yaml").write_text(CASE)
    whole, calls = stepping.minimise, []

    def minimise(scheme, q, precondition, settings, monitor, method):
        calls.append(1)
        if len(calls) == 2:
            monitor(1, 0.0, 1.0)
            monitor(2, 0.0, 5e3)
        return whole(scheme, q, precondition, settings, monitor, method)

    monkeypatch.setattr(stepping, "minimise", minimise)
    arguments = ["run", "case.yaml", "-o", "out", "--set", f"solver.watch.explosion={action}"]
    assert main(arguments) == code
    result = read_result(Path("out"))
    assert [w["kind"] for w in result["warnings"]] == ([] if action == "off" else ["explosion"])
    if action == "stop":
        assert result["status"] == "stopped" and "eV/Å, at (" in result["warnings"][0]["message"]
        assert len(result["steps"]) == 2 and not result["steps"][-1]["converged"]
        assert main([*arguments, "--restart"]) == 0  # the checkpoint is that of the first step
    assert [s["step"] for s in read_result(Path("out"))["steps"]] == [1, 2, 3]


@pytest.mark.parametrize("method", ["quasi-newton", "newton"])
def test_where_there_are_no_numbers_is_said(tmp_path, monkeypatch, capsys, method):
    from coupling.atomistic import AtomisticEnergy

    whole, spoiled = AtomisticEnergy._evaluated, []

    def evaluated(self, potential, positions):
        energy, energies, gradient = whole(self, potential, positions)
        free = np.flatnonzero(self.atoms.free)
        if len(free) and np.abs(positions - self.atoms.reference).max() > 0.1:  # under load
            atom = free[:6][-1]
            spoiled[:] = [self.atoms.ownership.low + atom, self.atoms.reference[atom]]
            gradient[atom] = np.nan
        return energy, energies, gradient

    monkeypatch.chdir(tmp_path)
    Path("case.yaml").write_text(CASE)
    monkeypatch.setattr(AtomisticEnergy, "_evaluated", evaluated)
    assert main(["run", "case.yaml", "-o", "out", "--set", f"solver.method={method}"]) == 1
    atom, (x, y, z) = next(filter(None, COMM.allgather(spoiled)))
    said = capsys.readouterr().err
    assert f"not finite, first at atom {atom}, ({x:.2f}, {y:.2f}, {z:.2f}) Å; take smaller steps" in said
