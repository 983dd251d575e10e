"""Files and folders of another user: one message with the path, no traceback, and nothing lost."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from multiscale.cli import main
from multiscale.result import read_result
from nnp.access import usable_caches
from nnp.cli import main as nnp
from tests.mpi import ROOT
from tests.nnp.training_data import SETTINGS, crystals, write

NOBODY = 65534
CASE = """\
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm}
regions: {core: {shape: disc, radius: 1 nm}, blend: 1 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0, 0, 0], [0, 0, 0]], steps: 3}
output: {pictures: false}
"""


@contextmanager
def another_user():
    """Root may do everything: it becomes nobody for a while; others are kept out by the modes of the files."""
    root = os.geteuid() == 0
    if root:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)


@pytest.fixture(scope="module")
def place():
    """A folder that everyone may enter (pytest's are its user's own), with things that another user may not."""
    pytest.importorskip("dolfinx")  # it takes its cache from the environment when it is imported
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    for name in ("open", "cache", "closed", "hidden", "locked", "n2p2"):
        (path / name).mkdir()
        (path / name).chmod(0o777)
    for name in ("case.yaml", "secret.yaml"):
        (path / name).write_text(CASE)
    (path / "train.yaml").write_text(SETTINGS)
    for name in ("silicon.xyz", "secret.xyz"):
        write(path / name, crystals(4))
    shutil.copy(ROOT / "nnp" / "models" / "si.safetensors", path / "secret.safetensors")
    for name in ("secret.msh", "secret.alloy", "n2p2/input.nn", "locked/.running"):
        (path / name).write_text("{}")
    for name in ("secret.yaml", "secret.xyz", "secret.safetensors", "secret.msh", "secret.alloy"):
        (path / name).chmod(0)
    (path / "locked" / ".running").chmod(0o444)
    (path / "n2p2" / "input.nn").chmod(0)
    (path / "closed").chmod(0o555)
    (path / "hidden").chmod(0)
    yield path
    for name in ("closed", "hidden"):
        (path / name).chmod(0o755)
    shutil.rmtree(path)


@pytest.fixture
def there(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))


def potential(kind: str, **more: str) -> list[str]:
    return [f"--set=potential.{key}={value}" for key, value in {"type": kind, **more}.items()]


TO = ["-o", "open/out"]
RUN = ["run", "case.yaml", *TO]
REFUSED = [
    (main, ["run", "secret.yaml", *TO], "secret.yaml: cannot be read"),
    (main, ["run", "case.yaml", "-o", "closed"], "cannot write to closed"),
    (main, ["run", "case.yaml", "-o", "closed/out"], "cannot write to closed/out"),
    (main, ["run", "case.yaml", "-o", "hidden/out"], "cannot write to hidden/out"),
    (main, ["run", "case.yaml", "-o", "locked"], "/locked/.running)"),
    (main, [*RUN, *potential("nnp", model="secret.safetensors")], "secret.safetensors: cannot be read"),
    (main, [*RUN, *potential("nnp", model="hidden/a.safetensors")], "potential.model: "),
    (main, [*RUN, *potential("eam", **{"parameters.file": "secret.alloy"})], "secret.alloy"),
    (main, [*RUN, *potential("n2p2", **{"parameters.folder": "n2p2"})], "n2p2/input.nn"),
    (main, [*RUN, "--set=atoms.file=secret.xyz"], "secret.xyz cannot be read"),
    (main, [*RUN, "--set=continuum.mesh.file=secret.msh"], "secret.msh' cannot be read"),
    (main, ["compare", "hidden", "open"], "hidden/result.json"),
    (main, ["plot", "hidden"], "hidden/"),
    (main, ["init", "fracture", "-o", "closed/a.yaml"], "closed/a.yaml"),
    (main, ["atoms", "case.yaml", "-o", "closed/a.extxyz"], "closed/a.extxyz"),
    (nnp, ["evaluate", "stillinger-weber", "secret.xyz"], "secret.xyz: cannot be read"),
    (nnp, ["evaluate", "secret.safetensors", "silicon.xyz"], "secret.safetensors: cannot be read"),
    (nnp, ["evaluate", "hidden/a.safetensors", "silicon.xyz"], "hidden/a.safetensors: cannot be read"),
    (nnp, ["train", "train.yaml", "--data", "secret.xyz", *TO], "secret.xyz: cannot be read"),
    (nnp, ["train", "train.yaml", "--data", "silicon.xyz", "-o", "closed/a"], "'closed/a'"),
    (nnp, ["relax", "silicon.xyz", "stillinger-weber", "-o", "closed/a.xyz"], "'closed/a.xyz' cannot be written"),
    (nnp, ["md", "silicon.xyz", "stillinger-weber", "-o", "closed/a.xyz"], "'closed/a.xyz' cannot be written"),
    (nnp, ["relax", "hidden/a.xyz", "stillinger-weber", "-o", "open/a.xyz"], "hidden/a.xyz: cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "arguments", "said"), REFUSED)
def test_what_is_forbidden_is_said(there, capsys, program, arguments, said) -> None:
    with another_user():
        assert program(arguments) == 2
    err = capsys.readouterr().err.strip()
    assert said in err and ("ermission" in err or "denied" in err), err
    assert "Traceback" not in err and len(err.splitlines()) == 1
    assert not os.path.exists("open/out")


def test_a_folder_that_is_closed_during_a_run_keeps_the_last_step(there, monkeypatch, capsys) -> None:
    from multiscale.recording import Recorder

    assert main(["run", "case.yaml", "-o", "open/whole"]) == 0
    whole, folder = Recorder.record, Path("open/closing")

    def record(*given):
        whole(*given)
        for path in (folder, folder / "fields", folder / "atoms"):
            path.chmod(0o555)
        if os.getuid() == 0:
            os.seteuid(NOBODY)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "record", record)
        try:
            assert main(["run", "case.yaml", "-o", str(folder)]) == 1
        finally:
            os.seteuid(os.getuid())
            for path in (folder, folder / "fields", folder / "atoms"):
                path.chmod(0o755)
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert said.startswith("open/closing/") and "Permission denied; the last whole step is kept" in said
    assert len(read_result(folder)["steps"]) == 1
    assert main(["run", "case.yaml", "-o", str(folder), "--restart"]) == 0
    a, b = (read_result(Path(name))["steps"] for name in ("open/whole", "open/closing"))
    assert [s["energy"] for s in a] == [s["energy"] for s in b]


@pytest.mark.parametrize("home", ["closed", "hidden"])
def test_caches_are_found_another_place(there, monkeypatch, home) -> None:
    names = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR")
    for name in names:
        monkeypatch.setenv(name, "")  # which monkeypatch puts back
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(Path(home).absolute()))
    monkeypatch.setattr(tempfile, "tempdir", str(Path("open").absolute()))
    with another_user():
        said = usable_caches()
        assert usable_caches() is None  # all is well now
        own = Path(os.environ["XDG_CACHE_HOME"])
    assert said.endswith(str(own)) and own.parent == Path("open").absolute()
    assert os.environ["MPLCONFIGDIR"] == str(own / "matplotlib")
    assert ("XDG_CONFIG_HOME" in os.environ) == (home == "hidden")
    own.chmod(0o777)  # others could put their code there: it is not used
    with another_user():
        monkeypatch.setenv("XDG_CACHE_HOME", str(Path("closed").absolute()))
        usable_caches()
    assert Path(os.environ["XDG_CACHE_HOME"]) != own
    own.chmod(0o700)


def test_a_run_without_a_home(place) -> None:
    """A process of its own: where compiled forms are kept is decided when DOLFINx is imported."""
    other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MPLCONFIG", "NNP_CACHE"))}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**kept, "PYTHONPATH": path, "HOME": str(place / "hidden"), "TMPDIR": str(place / "open")}
    command = [
        sys.executable,
        "-m",
        "multiscale",
        "run",
        str(place / "case.yaml"),
        "-o",
        f"{place}/open/homeless",
    ]
    try:
        done = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True, **other)
    except PermissionError:
        pytest.skip("another user may not run this Python")
    if "No module named" in done.stderr:
        pytest.skip("another user may not read this program")
    assert done.returncode == 0, done.stderr
    user = NOBODY if os.getuid() == 0 else os.getuid()
    assert "Traceback" not in done.stderr  # PETSc and Open MPI have words of their own
    (said,) = (line for line in done.stderr.splitlines() if line.startswith("warning"))
    assert said.startswith("warning: no permission to write into ") and said.endswith(f"multiscale-{user}")
    own = place / "open" / f"multiscale-{user}"
    assert own.stat().st_mode & 0o777 == 0o700 and list((own / "fenics").iterdir())
