"""Structures and arguments of `nnp` that cannot be used, and datasets spoiled at random."""

# ruff: noqa: E501

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnp.cli import main
from nnp.data import DataError, read_frames
from tests.bad_input.test_bad_training import frame

CUBE = 'Lattice="5.4 0 0 0 5.4 0 0 0 5.4" pbc="T T T"'
FILES = {
    "a.xyz": f"2\n{CUBE}\nSi 0 0 0\nSi 1.35 1.35 1.35\n",
    "data.xyz": "".join(frame(k) for k in range(5)),
    "nan.xyz": f"2\n{CUBE}\nSi 0 0 0\nSi nan 1.35 1.35\n",
    "far.xyz": f"2\n{CUBE}\nSi 0 0 0\nSi 1e300 1.35 1.35\n",
    "same.xyz": f"2\n{CUBE}\nSi 0 0 0\nSi 0 0 0\n",
    "flat.xyz": '1\nLattice="5.4 0 0 5.4 0 0 0 0 5.4" pbc="T T T"\nSi 0 0 0\n',
    "thin.xyz": '1\nLattice="1e-2 0 0 0 1e-2 0 0 0 1e-2" pbc="T T T"\nSi 0 0 0\n',
    "none.xyz": "0\n\n",
    "empty.xyz": "",
    "file": "x",
}
ROWS = [
    ("relax nan.xyz sw", "nan.xyz: the positions are not finite"),
    ("relax far.xyz sw", "far.xyz: the positions have a value of 1e+300, above 1e+09"),
    ("relax same.xyz sw", "same.xyz: atoms 0 and 1 are 0.000 Å apart, below 0.5 Å"),
    ("relax flat.xyz sw", "flat.xyz: periodic in 3 directions, but the cell is missing or flat"),
    ("md thin.xyz sw", "thin.xyz: the cell is 0.01 Å thin, below 0.1 Å"),
    ("md none.xyz sw", "none.xyz: holds no atoms"),
    ("relax empty.xyz sw", "empty.xyz: not readable as atoms"),
    ("relax file sw", "file: not readable as atoms"),
    ("relax folder sw", "folder: is a folder, not a file"),
    ("relax a.xyz sw -o folder", "'folder' is a folder, not a file to write"),
    ("md a.xyz sw -o folder", "'folder' is a folder, not a file to write"),
    ("relax a.xyz sw -o no/x", "no folder 'no' to write into"),
    ("relax a.xyz file", "file: damaged, or no safetensors file"),
    ("relax a.xyz lennard-jones", "the potential knows Ar, not Si"),
    ("relax a.xyz sw --fmax -1", "--fmax must be positive"),
    ("md a.xyz sw --restart -o file", "file: holds no whole frame"),
    ("md a.xyz sw --restart -o data.xyz", "data.xyz: its frames have no step number"),
    ("evaluate sw file", "file: frame 0, line 1: must be the number of atoms, got 'x'"),
    ("evaluate sw folder", "folder: is a folder, not a file"),
    ("select sw data.xyz", "stillinger-weber: cannot measure extrapolation, a trained model can"),
    ("select si none.xyz", "none.xyz, frame 0: holds no atoms"),
    ("select si data.xyz -n 0", "--count must be at least 1"),
    ("stats si data.xyz -o no/x", "no folder 'no' to write into"),
    ("stats nope data.xyz", "no model file 'nope'"),
    ("calibrate si data.xyz -o folder", "'folder' is a folder, not a file to write"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(("line", "says"), ROWS)
def test_bad_atoms_and_arguments(folder, capsys, line, says):
    words = ["stillinger-weber" if word == "sw" else word for word in line.split()]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"nnp: {says}") and err.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "folder"])


@pytest.mark.parametrize(
    "line", ["relax a.xyz si --fmax nan", "md a.xyz si --pressure inf", "select si a.xyz --least x"]
)
def test_numbers_are_finite(capsys, line):
    with pytest.raises(SystemExit) as stop:
        main(line.split())
    assert stop.value.code == 2 and "Traceback" not in capsys.readouterr().err


PIECES = st.sampled_from(
    ["", " ", "\n", "nan", "inf", "-1", "0", "1e300", "1e-300", "x", '"', "=", "T", "F", "2", "9" * 30, "_JSON", "[1,", "Si", "\x00", "ü", "\ufeff"]
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 12), PIECES), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore")
def test_a_dataset_spoiled_anywhere_is_read_or_refused(folder, changes):
    text = FILES["data.xyz"]
    for place, length, piece in changes:
        text = text[:place] + piece + text[place + length :]
    (folder / "data.xyz").write_text(text)
    try:
        frames = read_frames(folder / "data.xyz")
    except DataError as error:
        assert "data.xyz" in str(error)
    else:
        assert all(len(f.state) for f in frames)
