"""Mesh files that a case cannot use, each with its message, before anything is solved."""

# ruff: noqa: E501 (a row of a table is one line)

import pickle

import pytest

from multiscale.cli import main
from tests.bad_input.corpus import NAME, base

NODES = "1 -100 0 0\n2 0 -100 0\n3 100 0 0\n4 0 100 0\n5 0 0 0\n"
RIM = "1 1 2 1 1 1 2\n2 1 2 1 1 2 3\n3 1 2 1 1 3 4\n4 1 2 1 1 4 1\n"
CELLS = "5 2 2 9 1 1 2 5\n6 2 2 9 1 2 3 5\n7 2 2 9 1 3 4 5\n8 2 2 9 1 4 1 5\n"
GOOD = (
    '$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n1\n1 1 "outer"\n$EndPhysicalNames\n'
    f"$Nodes\n5\n{NODES}$EndNodes\n$Elements\n8\n{RIM}{CELLS}$EndElements\n"
)
BULK = ["coupling.scheme=continuum", "regions=null"]

# The file's name, its content, and what the message says after "continuum.mesh.file: ".
BAD = {
    "empty": ("m.msh", "", "cannot be read"),
    "text": ("m.msh", "hello\n", "cannot be read"),
    "no format": ("m.msh", GOOD.replace("2.2 0 8", "9.9 0 8"), "cannot be read"),
    "truncated": ("m.msh", GOOD[:-120], "cannot be read"),
    "cut in nodes": ("m.msh", GOOD[:150], "holds no cells"),
    "words for numbers": ("m.msh", GOOD.replace("100 0 0", "far 0 0"), "cannot be read"),
    "no such suffix": ("m.mesch", GOOD, "cannot be read"),
    "another format": ("m.vtu", GOOD, "cannot be read"),
    "broken XML": ("m.vtu", "<VTKFile><Unstr", "cannot be read"),
    "XML bomb": (
        "m.vtu",
        '<!DOCTYPE v [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]><VTKFile>&c;</VTKFile>',
        "cannot be read",
    ),
    "pickle": ("m.msh", pickle.dumps({"points": [0.0]}), "cannot be read"),
    "broken HDF5": ("m.med", b"\x89HDF\r\n\x1a\nnothing", "cannot be read"),
    "XDMF without its data": ("m.xdmf", "<Xdmf></Xdmf>", "cannot be read"),
    "no cells": ("m.msh", GOOD.replace(CELLS, "").replace("\n8\n1 1 2", "\n4\n1 1 2"), "holds cells of type line"),
    "quadrilaterals": (
        "m.msh",
        GOOD.replace(CELLS, "5 3 2 9 1 1 2 3 4\n").replace("\n8\n1 1 2", "\n5\n1 1 2"),
        "holds cells of type quad; a mesh must consist of linear triangles",
    ),
    "no tags": ("m.msh", GOOD.replace(RIM, "").replace("\n8\n5 2", "\n4\n5 2"), "lacks the boundary outer as a named group"),
    "another tag": ("m.msh", GOOD.replace('"outer"', '"rim"'), "lacks the boundary outer as a named group of facets; it has"),
    "not finite": ("m.msh", GOOD.replace("4 0 100 0", "4 0 nan 0"), "points whose coordinates are not finite"),
    "infinite": ("m.msh", GOOD.replace("4 0 100 0", "4 0 inf 0"), "points whose coordinates are not finite"),
    "flat cell": ("m.msh", GOOD.replace("5 0 0 0", "5 50 50 0"), "flat cells: 1 of 4"),
    "inverted cells": ("m.msh", GOOD.replace("5 0 0 0", "5 200 200 0"), "cells lie over each other"),
    "curved": ("m.msh", GOOD.replace("4 0 100 0", "4 0 100 30"), "its triangles do not lie in one plane"),
    "no such point": ("m.msh", GOOD.replace("3 4 5\n8", "3 4 77\n8"), "c"),
    "three at a facet": (
        "m.msh",
        GOOD.replace(CELLS, CELLS + "9 2 2 9 1 3 5 6\n").replace("\n8\n1 1 2", "\n9\n1 1 2").replace(f"5\n{NODES}", f"6\n{NODES}6 60 20 0\n"),
        "more than two cells of the mesh share one facet",
    ),
    "solid": (
        "m.msh",
        GOOD.replace(CELLS, "5 4 2 9 1 1 2 3 5\n").replace("5 0 0 0", "5 0 0 90").replace("\n8\n1 1 2", "\n5\n1 1 2"),
        "holds a mesh in 3 dimensions, a disc needs 2",
    ),
    "another size": ("m.msh", GOOD.replace("100", "40"), "its outer boundary reaches 4 nm from the centre, geometry.radius is 10 nm"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).write_text(base("disc"), encoding="utf-8")
    return tmp_path


def run(command: str, file: str, *more: str) -> int:
    changes = [f"continuum.mesh.file={file}", *BULK, *more]
    return main([*command.split(), *[word for change in changes for word in ("--set", change)]])


def test_the_mesh_that_the_others_spoil_is_good(folder, capsys):
    (folder / "m.msh").write_text(GOOD)
    assert run(f"check {NAME}", "m.msh") == 0, capsys.readouterr().err


@pytest.mark.parametrize("what", BAD)
def test_a_bad_mesh(folder, capsys, what):
    name, content, says = BAD[what]
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run(f"run {NAME} -o out", name) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"{NAME}: continuum.mesh.file: ") and says in err and err.count("\n") == 1
    assert not (folder / "out").exists()


@pytest.mark.parametrize("name", [".", "none.msh", "a\\0b"])
def test_no_mesh_file(folder, capsys, name):
    assert run(f"run {NAME} -o out", f'"{name}"') == 2
    err = capsys.readouterr().err
    assert err.startswith(f"{NAME}: continuum.mesh.file: no such file: ") and err.count("\n") == 1
