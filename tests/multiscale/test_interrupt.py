"""Signals end a run after its last whole step, and it goes on from there to the same end."""

import os
import signal

import pytest

from multiscale import stepping
from multiscale.cli import main
from multiscale.result import read_result

CASE = """\
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm}
regions: {core: {shape: disc, radius: 1 nm}, blend: 1 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0, 0], [0, 0, 0]], steps: 3}
output: {pictures: false}
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    path = tmp_path_factory.mktemp("interrupt") / "strain.yaml"
    path.write_text(CASE)
    return path


@pytest.fixture(scope="module")
def whole(case):
    assert main(["run", str(case), "-o", str(case.with_name("whole"))]) == 0
    return energies(case.with_name("whole"))


def energies(folder):
    return [step["energy"]["total"] for step in read_result(folder)["steps"]]


def signal_in_step(monkeypatch, number, *signals):
    """The program is sent signals when it begins to solve the given step."""
    solve, calls = stepping.minimise, []

    def minimise(*args):
        calls.append(1)
        if len(calls) == number:
            for each in signals:
                os.kill(os.getpid(), each)
        return solve(*args)

    monkeypatch.setattr(stepping, "minimise", minimise)


@pytest.mark.parametrize("method", ["quasi-newton", "newton"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_that_then_goes_on_to_the_same_end(
    case, whole, monkeypatch, capsys, method, number, code
):
    out, before = case.with_name(f"{method}-{code}"), signal.getsignal(number)
    arguments = ["run", str(case), "-o", str(out), "--set", f"solver.method={method}"]
    signal_in_step(monkeypatch, 2, number)
    assert main(arguments) == code
    assert (
        f"interrupted by {number.name} after step 1; --restart goes on from there" in capsys.readouterr().out
    )
    assert read_result(out)["status"] == "interrupted" and len(energies(out)) == 1
    assert signal.getsignal(number) == before
    monkeypatch.undo()
    assert main([*arguments, "--restart"]) == 0
    assert read_result(out)["status"] == "done"
    # quasi-Newton repeats itself to the last bit; another method agrees to what the residual leaves
    assert energies(out) == (whole if method == "quasi-newton" else pytest.approx(whole, abs=1e-6))


def test_a_second_interrupt_ends_the_program_at_once(case, monkeypatch, capsys):
    signal_in_step(monkeypatch, 1, signal.SIGINT, signal.SIGINT)
    assert main(["run", str(case), "-o", str(case.with_name("twice"))]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"
