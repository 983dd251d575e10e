"""Every bad case file ends with exit code 2, its one message and no traceback, and leaves nothing behind."""

import pytest

from multiscale.cli import main
from tests.bad_input.corpus import NAME, bad_cases, base, bases


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", bases())
def test_what_the_corpus_changes_is_good(folder, capsys, name):
    (folder / NAME).write_text(base(name), encoding="utf-8")
    assert main(["check", NAME]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("case", bad_cases(), ids=str)
def test_a_bad_case(folder, capsys, case):
    (folder / NAME).write_bytes(case.text.encode("utf-8"))
    overrides = [word for change in case.set for word in ("--set", change)]
    code = main(["run", NAME, "-o", "out", *overrides])
    err = capsys.readouterr().err
    assert err.startswith(case.says) and err.count("\n") == 1
    assert code == 2
    assert [path.name for path in folder.iterdir()] == [NAME]


WHOLE = {
    "none.yaml": (None, "none.yaml: no such file"),
    "folder": (None, "folder: is a folder, not a file"),
    "utf16.yaml": (base("crack").encode("utf-16"), "utf16.yaml: is not a text file in UTF-8"),
    "latin1.yaml": ("title: Gérard\n".encode("latin-1"), "latin1.yaml: is not a text file in UTF-8"),
    "pickle.yaml": (b"\x80\x04\x95\x0f\x00\x00", "pickle.yaml: is not a text file in UTF-8"),
    "packed.yaml": (b"\x1f\x8b\x08\x00abc", "packed.yaml: is not a text file in UTF-8"),
    "long.yaml": (b"# \n" * 400_000, "long.yaml: is longer than 1000000 bytes"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_is_no_case_file(folder, capsys, name):
    content, says = WHOLE[name]
    if content is not None:
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    assert main(["run", name, "-o", "out"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(says) and err.count("\n") == 1
    assert not (folder / "out").exists()


@pytest.mark.parametrize("spell", [lambda t: "\ufeff" + t, lambda t: t.replace("\n", "\r\n"), str.rstrip])
def test_marks_line_ends_and_a_missing_last_one_do_no_harm(folder, spell):
    (folder / NAME).write_bytes(spell(base("crack")).encode("utf-8"))
    assert main(["check", NAME]) == 0
