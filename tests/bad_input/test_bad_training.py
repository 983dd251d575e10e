"""Every bad training file and dataset ends with exit code 2 and its one message, before a folder is made."""

from pathlib import Path

import pytest
import yaml

from nnp.cli import main

GOOD = """\
model: {cutoff: 4.0, radial: 3, channels: 2, degree: 1, three_body: 1, many_body: 1, many_degree: 0, hidden: [4]}
data: {files: [data.xyz], suspicious: warn}
optimiser: {epochs: 1, batch: 2}
"""
CORPUS = yaml.safe_load((Path(__file__).parent / "training.yaml").read_text(encoding="utf-8"))


def frame(k: int) -> str:
    return (
        '2\nLattice="5.4 0 0 0 5.4 0 0 0 5.4" Properties=species:S:1:pos:R:3:REF_forces:R:3 '
        f'REF_energy={-9.0 - 0.01 * k:.2f} config_type=bulk pbc="T T T"\n'
        f"Si 0.0 0.0 {0.02 * k:.2f} 0.1 0.0 {0.1 * k:.2f}\nSi 1.35 1.35 1.35 -0.1 0.0 {-0.1 * k:.2f}\n"
    )


def dataset(row: dict) -> str:
    """Five frames with what the row changes."""
    if "text" in row:
        return row["text"]
    old, new = row.get("every") or row["replace"]
    frames = [frame(k) for k in range(5)]
    assert old in frames[2]
    return "".join(f.replace(old, new, 1) if "every" in row or k == 2 else f for k, f in enumerate(frames))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.yaml").write_text(GOOD)
    (tmp_path / "data.xyz").write_text("".join(frame(k) for k in range(5)))
    return tmp_path


def refused(capsys, folder, *arguments: str) -> str:
    """The message of a training that must not begin."""
    before = sorted(path.name for path in folder.iterdir())
    code, err = main(["train", "train.yaml", "-o", "out", *arguments]), capsys.readouterr().err
    said = [line for line in err.splitlines() if not line.startswith("nnp: warning: ")]
    assert code == 2 and len(said) == 1 and said[0].startswith("nnp: ")
    assert sorted(path.name for path in folder.iterdir()) == before
    return said[0].removeprefix("nnp: ")


def test_what_the_corpus_changes_is_good(capsys):
    assert main(["train", "train.yaml", "-o", "out"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("row", CORPUS["settings"], ids=lambda row: row.get("set") or row.get("text"))
def test_a_bad_training_file(folder, capsys, row):
    if "text" in row:
        (folder / "train.yaml").write_text(row["text"])
    assert refused(capsys, folder, *(["--set", row["set"]] if "set" in row else [])).startswith(row["says"])


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("row", CORPUS["data"], ids=lambda row: row["says"][9:49])
def test_a_bad_dataset(folder, capsys, row, members):
    (folder / "data.xyz").write_text(dataset(row))
    assert refused(capsys, folder, "--set", f"members={members}").startswith(row["says"])


@pytest.mark.parametrize(
    "content", [b"\xff\xfe2\x00", b"\x1f\x8b\x08\x00abc", b"\x80\x04\x95.", bytes(range(256))]
)
def test_bytes_that_are_no_text(folder, capsys, content):
    (folder / "data.xyz").write_bytes(content)
    assert refused(capsys, folder) == "data.xyz: is not a text file in UTF-8"
    (folder / "train.yaml").write_bytes(content)
    assert refused(capsys, folder) == "train.yaml: is not a text file in UTF-8"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-o", "data.xyz"), "cannot make the folder 'data.xyz': File exists"),
        (("-o", "data.xyz/out"), "cannot make the folder 'data.xyz/out': Not a directory"),
        (("--resume",), "nothing to resume: no checkpoint.safetensors in 'out'"),
        (("--jobs", "0"), "--jobs must be at least 1"),
        (("--data", "none.xyz"), "no data file 'none.xyz'"),
    ],
)
def test_bad_arguments(folder, capsys, arguments, says):
    assert refused(capsys, folder, *arguments).startswith(says)
