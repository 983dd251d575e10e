"""Runs from Python, what they give back, and their pictures made again."""

import json

import ase
import numpy as np
import pytest
import pyvista

import multiscale
from multiscale.cli import main
from multiscale.config import load_case, to_yaml
from tests.mpi import run_ranks

AXES = {"x": (1, 1, -2), "y": np.array([1, 1, 1]), "z": [1, -1, 0]}
CASE = {
    "title": "Small crack, twice",
    "crystal": {"structure": "diamond", "symbol": "Si", "orientation": AXES},
    "potential": {"type": "stillinger-weber"},
    "geometry": {"shape": "disc", "radius": "5 nm", "crack": {"tip": np.array([1.0, 0.0]), "plane": "y"}},
    "regions": {"core": {"shape": "disc", "center": "tip", "radius": "0.8 nm"}, "blend": "0.8 nm"},
    "load": {"type": "k-field", "K": {"from": 0.9, "to": 1.0, "steps": 2, "unit": "K_G"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return multiscale.run(CASE, tmp_path_factory.mktemp("api") / "out", quiet=True)


def test_a_mapping_a_file_and_a_case_are_the_same_run(result, tmp_path, capsys):
    (tmp_path / "c.yaml").write_text(to_yaml(result.case))
    changes = {"load.K.steps": 1, "load.K.to": 0.9}
    runs = [
        multiscale.run(source, tmp_path / name, changes, quiet=True)
        for name, source in (("a", CASE), ("b", tmp_path / "c.yaml"), ("c", load_case(tmp_path / "c.yaml")))
    ]
    assert {r.record["case"] for r in runs} == {runs[0].record["case"]} != {result.record["case"]}
    assert {r.array("energy.total")[0] for r in runs} == {result.array("energy.total")[0]}
    assert capsys.readouterr().out == ""


def test_a_result_gives_numbers_atoms_and_meshes(result):
    assert result.status == "done" and result.written == (1, 2)
    assert result["K_G"] == pytest.approx(0.615, rel=5e-3)  # Stillinger–Weber's, by an independent code
    with pytest.raises(KeyError, match="there are lattice_constant"):
        result["K"]
    atoms, mesh = result.atoms(2), result.mesh(2)
    assert isinstance(atoms, ase.Atoms) and len(atoms) == result.record["counts"]["atoms"]
    assert atoms.positions == pytest.approx(result.atoms().positions)
    assert not np.allclose(atoms.positions, result.atoms(1).positions)
    assert isinstance(mesh, pyvista.UnstructuredGrid)
    assert result.mesh(2, "meshio").points == pytest.approx(mesh.points)
    with pytest.raises(multiscale.InputError, match="no fields of step 7; there are those of 1, 2"):
        result.mesh(7)
    assert "done, 2 steps" in str(result) and "done, 2 steps" in repr(result)
    assert "data:image/png;base64" in result._repr_html_()


def test_every_number_has_a_unit_or_is_a_plain_one(result):
    counted = {
        "step",
        "turned",
        "converged",
        "iterations",
        "force_evaluations",
        "hessian_products",
        "site_evaluations",
    }
    plain = counted | {"K_over_K_G", "elastic_mismatch", "extrapolation", "extrapolated_points"}
    names = {name.split(".")[0] for name in result.columns} | set(result.results)
    assert names - set(result.units) <= plain
    assert result.units["load"] == result.units["K_G"] == "MPa*sqrt(m)" and "0.61" in str(result)
    assert f"K_G: {result['K_G']:.5g} MPa*sqrt(m)" in str(result)
    assert f"K {result.steps[0]['load']:.4g} MPa*sqrt(m)" in (result.folder / "log.txt").read_text()


def test_history_is_a_frame_where_pandas_is_there(result, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    assert result.history["load"] == pytest.approx([s["load"] for s in result.steps])
    assert result.history["energy.total"][1] == result.steps[1]["energy"]["total"]
    monkeypatch.undo()
    pandas = pytest.importorskip("pandas")
    assert isinstance(result.history, pandas.DataFrame) and list(result.history.index) == [1, 2]


def test_errors_are_exceptions(result):
    with pytest.raises(multiscale.InputError, match=r"regions\.core\.radius: unknown unit"):
        multiscale.run(CASE, result.folder, {"regions.core.radius": "1 kg"})
    with pytest.raises(multiscale.InputError, match="finished run of another case"):
        multiscale.run(CASE, result.folder, {"load.K.steps": 3})
    with pytest.raises(multiscale.InputError, match="holds no run"):
        multiscale.Result.load("nowhere")


def test_pictures_are_made_again_as_they_were(result, capsys):
    first = {path: path.read_bytes() for path in result.folder.glob("*.png")}
    assert {path.stem for path in first} == {"regions", "site_energy", "history"}
    for path in first:
        path.unlink()
    assert main(["plot", str(result.folder)]) == 0
    assert {path: path.read_bytes() for path in result.folder.glob("*.png")} == first
    assert capsys.readouterr().out.split() == [str(path) for path in sorted(first)]
    assert result.plot("site_energy", 1).axes and result.plot("history").axes


def test_a_film_has_a_picture_for_each_step(result, monkeypatch, capsys):
    from PIL import Image, ImageSequence

    assert main(["plot", str(result.folder), "--animation", "gif", "--rate", "2"]) == 0
    with Image.open(result.folder / "run.gif") as film:
        assert film.n_frames == 2
        pictures = [np.asarray(frame.convert("RGB"), int) for frame in ImageSequence.Iterator(film)]
    assert np.abs(pictures[1] - pictures[0]).max() > 50
    monkeypatch.setattr("matplotlib.animation.FFMpegWriter.isAvailable", lambda: False)
    assert main(["plot", str(result.folder), "--animation", "mp4"]) == 2
    assert "mp4 needs ffmpeg" in capsys.readouterr().err


def test_two_ranks_have_the_same_result(result, tmp_path):
    (tmp_path / "c.yaml").write_text(to_yaml(result.case))
    text = f"""
import json
import multiscale
from mpi4py import MPI
r = multiscale.run({str(tmp_path / "c.yaml")!r}, {str(tmp_path / "out")!r}, quiet=True)
found = [r.status, r.record["counts"]["ranks"], round(r.array("energy.total")[1], 7)]
try:
    multiscale.run({str(tmp_path / "c.yaml")!r}, {str(tmp_path / "out")!r}, {{"title": 3}})
except multiscale.InputError as error:
    found.append(error.path)
found = MPI.COMM_WORLD.gather(found)  # words of several ranks at once may run into each other
if MPI.COMM_WORLD.rank == 0:
    print(json.dumps(found))
"""
    (tmp_path / "two.py").write_text(text)
    found = json.loads(run_ranks(2, str(tmp_path / "two.py")))
    assert found == [["done", 2, round(result.array("energy.total")[1], 7), "title"]] * 2
