"""What the doctor says of placements and packages; versions; completion in the shells themselves."""

import shutil
import subprocess
import sys

import pytest

from multiscale import doctor
from multiscale.cli import main
from nnp.cli import main as nnp

HERE = "here"


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        ([(HERE, (0, 1, 2, 3), 1, 64.0)] * 4, ["ok", "ok", "ok"]),
        ([(HERE, (0, 1, 2, 3), 4, 64.0)] * 4, ["slow", "ok", "ok"]),  # 16 threads on 4 cores
        ([(HERE, (0,), 1, 64.0)] * 4, ["slow", "slow", "ok"]),  # all bound to one core
        ([(HERE, (k,), 2, 64.0) for k in range(2)], ["slow", "slow", "ok"]),
        ([(HERE, (k,), 1, 3.0) for k in range(2)], ["ok", "ok", "slow"]),  # 1.5 GiB each
        ([(host, (0, 1), 2, 3.0) for host in "ab"], ["ok", "ok", "ok"]),  # cores of two machines
    ],
)
def test_placements_are_judged(monkeypatch, placed, expected):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    found = [judge(placed) for judge in (doctor.threads, doctor.binding, doctor.memory)]
    assert [f.state for f in found] == expected
    assert all(bool(f.todo) == (f.state == "slow") for f in found)


def test_here_all_that_is_needed_is_found(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "missing" not in out and "torch" in out and "BLAS" in out


def test_what_is_missing_is_said_with_what_to_do(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gmsh", None)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert (
        "missing gmsh" in out and "pip install gmsh" in out and out.splitlines()[-1].startswith("1 missing")
    )


def test_versions_name_the_stack(capsys):
    assert main(["--version"]) == 0
    stack = dict(line.split(" ", 1) for line in capsys.readouterr().out.splitlines())
    assert {"multiscale", "python", "numpy", "torch", "dolfinx", "petsc4py", "mpi4py", "MPI", "ase", "gmsh",
            "compiler"} <= set(stack)  # fmt: skip
    import numpy

    assert stack["numpy"] == numpy.__version__ and stack["python"].startswith("3.")
    with pytest.raises(SystemExit, match="0"):
        nnp(["--version"])
    assert f"numpy {numpy.__version__}" in capsys.readouterr().out


def completed(program, words, script):
    """What bash offers for the last of the words."""
    line = " ".join(f"'{w}'" for w in words)
    ask = (
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _{program}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_bash_completes_commands_options_values_and_keys(capsys):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    ask = lambda *words: completed("multiscale", ["multiscale", *words], script)  # noqa: E731
    assert ask("co") == ["compare", "cohesive", "completion"]
    assert ask("run", "--re") == ["--restart"]
    assert ask("init", "f") == ["fracture"] and ask("run", "case") == []  # files
    assert ask("plot", "out", "--animation", "") == ["gif", "mp4"]
    assert ask("run", "c.yaml", "--set", "regions.core.ra") == ["regions.core.radius="]
    assert nnp(["completion", "bash"]) == 0
    assert completed("nnp", ["nnp", "md", "--ens"], capsys.readouterr().out) == ["--ensemble"]


@pytest.mark.parametrize("program", [main, nnp])
def test_fish_completes(capsys, program):
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    assert program(["completion", "fish"]) == 0
    script, name = capsys.readouterr().out, "multiscale" if program is main else "nnp"
    option = {"multiscale": "run c.yaml --rest", "nnp": "md a b --ensem"}[name]
    for line, expected in ((f"{name} {option}", option.split()[-1]), (f"{name} complet", "completion")):
        ask = f"{script}\ncomplete -C '{line}'"
        done = subprocess.run(["fish", "-c", ask], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(expected) and not done.stderr


@pytest.mark.parametrize("program", [main, nnp])
def test_zsh_accepts_the_script(capsys, program):
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    assert program(["completion", "zsh"]) == 0
    ask = "echo $_comps[multiscale]$_comps[nnp]"
    script = f"autoload -U compinit; compinit -u -D\n{capsys.readouterr().out}\n{ask}"
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ("_multiscale" if program is main else "_nnp") and not done.stderr
