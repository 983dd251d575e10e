"""The command line: help, exit codes, what is printed and what is left behind."""

import json
import logging
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from multiscale.cli import main
from multiscale.config import InputError, case_hash, load_case, parse_case
from multiscale.log import StepProgress
from multiscale.result import Result

ROOT = Path(__file__).parents[2]
CASE = """\
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 20 nm}
regions: {core: {shape: disc, radius: 1 nm}, blend: 1 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0, 0], [0, 0, 0]]}
"""


@pytest.fixture
def case_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.yaml").write_text(CASE)
    return tmp_path / "case.yaml"


def replaced_run(monkeypatch, run_case):
    """Put a stand-in where the loop is, so that only the command line is tested."""
    monkeypatch.setitem(sys.modules, "multiscale.loop", types.SimpleNamespace(run_case=run_case))


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["run"],
        ["check"],
        ["compare"],
        ["material"],
        ["cohesive"],
        ["plot"],
        ["atoms"],
        ["doctor"],
        ["completion"],
        ["init"],
        ["schema"],
    ],
)
def test_every_command_has_help(capsys, command):
    assert main([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "usage: multiscale" in out and "-h, --help" in out


def test_help_and_wrong_input_load_nothing_heavy(case_file):
    program = (
        "import sys; from multiscale.cli import main; main(['--help']);"
        "code = main(['run', 'case.yaml', '--set', 'geometry.radius=-1']);"
        "print(code, {'torch', 'dolfinx', 'petsc4py', 'matplotlib', 'pyvista'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == "2 set()"
    assert done.stderr == "case.yaml: geometry.radius: must be positive, got -1\n"


def test_the_versions_of_the_stack_are_printed(capsys):
    assert main(["--version"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} " in out for name in ("multiscale", "dolfinx", "torch", "numpy"))


@pytest.mark.parametrize("arguments", [["rum"], [], ["run"], ["init", "crack"]])
def test_wrong_arguments_are_wrong_input(capsys, arguments):
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 3])
def test_a_run_gets_a_folder_a_case_and_a_log(case_file, capsys, monkeypatch, code):
    def run_case(case, out, comm, restart, progress):
        progress(1, 2, "first")
        logging.getLogger("multiscale").info("a line")
        return code

    replaced_run(monkeypatch, run_case)
    assert main(["run", "case.yaml", "--set", "output.every=5"]) == code
    out = case_file.parent / "results" / "case"
    assert parse_case((out / "case.yaml").read_text()).output.every == 5
    assert capsys.readouterr().out == "[1/2] first\na line\n"
    assert "INFO a line" in (out / "log.txt").read_text()
    assert logging.getLogger("multiscale").handlers == []


def test_wrong_input_found_late_leaves_nothing_behind(case_file, capsys, monkeypatch):
    def run_case(case, out, comm, restart, progress):
        raise InputError("regions.blend", "must be wider, got 1 nm")

    replaced_run(monkeypatch, run_case)
    assert main(["run", "case.yaml", "-o", "out"]) == 2
    assert capsys.readouterr().err == "case.yaml: regions.blend: must be wider, got 1 nm\n"
    assert [p.name for p in case_file.parent.iterdir()] == ["case.yaml"]


def test_a_bug_is_one_line_and_a_traceback_in_the_log(case_file, capsys, monkeypatch):
    def run_case(case, out, comm, restart, progress):
        raise ZeroDivisionError("division by\nzero")

    replaced_run(monkeypatch, run_case)
    assert main(["run", "case.yaml", "-o", "out"]) == 1
    err = capsys.readouterr().err
    assert err == "multiscale failed: ZeroDivisionError: division by zero (traceback in out/log.txt)\n"
    assert "Traceback" in (case_file.parent / "out" / "log.txt").read_text()


def test_a_finished_run_of_another_case_is_kept(case_file, capsys, monkeypatch):
    replaced_run(monkeypatch, lambda *arguments: 0)
    (case_file.parent / "out").mkdir()
    Result(case_file.parent / "out", "other", {}).finish("done")
    assert main(["run", "case.yaml", "-o", "out"]) == 2
    assert "choose another with -o, or --force" in capsys.readouterr().err
    assert main(["run", "case.yaml", "-o", "out", "--force"]) == 0
    assert main(["run", "case.yaml", "-o", "out", "--restart"]) == 0  # killed before it had a result
    (case_file.parent / "out" / "case.yaml").unlink()
    assert main(["run", "case.yaml", "-o", "out", "--restart"]) == 2  # nothing was run there


def test_restart_is_passed_on(case_file, monkeypatch):
    seen = []
    replaced_run(monkeypatch, lambda case, out, comm, restart, progress: seen.append(restart) or 0)
    (case_file.parent / "out").mkdir()
    case = load_case(case_file, registries=False)
    Result(case_file.parent / "out", case_hash(case), {}).finish("running")
    assert main(["run", "case.yaml", "-o", "out", "--restart"]) == 0 and seen == [True]


def test_init_writes_a_case_that_can_be_read_and_overwrites_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "fracture"]) == 0
    printed = capsys.readouterr().out
    assert main(["init", "fracture", "-o", "crack.yaml"]) == 0
    written = (tmp_path / "crack.yaml").read_text()
    assert written == printed.replace("run fracture.yaml", "run crack.yaml") != printed
    assert parse_case(printed).load.type == "k-field"
    assert main(["init", "patch", "-o", "crack.yaml"]) == 2
    written = (tmp_path / "crack.yaml").read_text()
    assert written == printed.replace("run fracture.yaml", "run crack.yaml") != printed


def test_the_schema_is_json(capsys):
    assert main(["schema"]) == 0
    assert "potential" in json.loads(capsys.readouterr().out)["properties"]


def test_material_prints_what_the_potential_says_beside_the_reference(tmp_path, capsys, monkeypatch):
    def report(potential, structure, symbol, full):
        constants = {"C11": {"value": 151.4242, "unit": "GPa"}}
        return {"structure": structure, "symbol": symbol, "elastic": constants, "full": full}

    monkeypatch.setattr("nnp.observables.report", report)
    (tmp_path / "mine.yaml").write_text("elastic: {source: me, C11: 150.0}")
    mine, out = ["--reference", str(tmp_path / "mine.yaml")], tmp_path / "si.json"
    assert main(["material", "stillinger-weber", "--json", *mine, "-o", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(out.read_text())
    row = {"value": 151.4242, "unit": "GPa", "reference": 150.0, "source": "me"}
    assert {**row, "deviation": pytest.approx(1.4242 / 150)} == found["elastic"]["C11"]
    assert main(["material", "stillinger-weber", "--symbol", "Si", *mine]) == 0
    assert "151.424GPa150+0.9%" in "".join(capsys.readouterr().out.split())
    assert main(["material", "lennard-jones"]) == 0  # not silicon: the shipped table does not fit, fcc does
    printed = capsys.readouterr().out
    assert "fcc" in printed and "%" not in printed
    assert main(["material", "stillinger-weber"]) == 2
    assert "lattice_constant: the report has no such figure" in capsys.readouterr().err
    (tmp_path / "mine.yaml").write_text("elastic: {C12: 150.0}")
    assert main(["material", "stillinger-weber", *mine]) == 2
    assert (
        "mine.yaml: elastic.C12: the report has no such figure; did you mean 'C11'?"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stillinger-wber"], "kinds of potential: ase, committee, eam, lennard-jones,"),
        (["stillinger-weber", "--structure", "diamnd"], "unknown structure 'diamnd'"),
        (["stillinger-weber", "--symbol", "Zz"], "'Zz' is no chemical element"),
        (["stillinger-weber", "--set", "sigmma=2"], "no parameter 'sigmma'"),
        (["si", "--set", "sigma=2"], "this names none"),
        (["stillinger-weber", "--reference", "none.yaml"], "no reference file 'none.yaml' (shipped: si)"),
    ],
)
def test_a_material_that_is_none_is_wrong_input(capsys, arguments, message):
    assert main(["material", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


def test_progress_without_a_terminal_is_plain_lines(caplog):
    with caplog.at_level(logging.INFO, logger="multiscale"), StepProgress() as progress:
        progress(3, 10, "K = 0.8")
    assert [r.getMessage() for r in caplog.records] == ["[3/10] K = 0.8"]
