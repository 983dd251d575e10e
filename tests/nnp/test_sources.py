"""Data of several files and sources: their energies come to one scale, and only their energies."""

import json

import pytest

from nnp.analytic.stillinger_weber import StillingerWeber
from nnp.cli import main
from nnp.data import DataError, read_frames
from nnp.families import load
from nnp.train.config import ConfigError
from nnp.train.errors import errors_of_frames
from nnp.train.job import run_job
from nnp.train.sources import fit_shifts
from tests.nnp.training_data import SETTINGS, crystals, settings, write

OFFSET = -152.25  # eV per atom, as between two kinds of pseudopotentials


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The second file is strained so much that its mean energy lies 0.1 eV/atom higher for that alone."""
    folder = tmp_path_factory.mktemp("sources")
    write(folder / "first.xyz", crystals())
    write(folder / "second.xyz", crystals(8, strain=0.06, offset=OFFSET, seed=1, source="QE"))
    return folder / "first.xyz", folder / "second.xyz"


def test_an_exact_potential_finds_the_offset_exactly(files):
    frames = [f for path in files for f in read_frames(path)]
    shifts = fit_shifts(StillingerWeber(), frames)
    assert shifts["first"]["Si"] == pytest.approx(0.0, abs=1e-6)
    assert shifts["QE"]["Si"] == pytest.approx(OFFSET, abs=1e-6)
    table = errors_of_frames(StillingerWeber(), frames, shifts=shifts)
    assert table["all"]["energy"]["rmse"] < 1e-3 < table["source QE"]["frames"] == 8


def test_the_offset_is_trained_beyond_the_least_squares_start(files, tmp_path):
    config = settings(tmp_path, overrides=["optimiser.epochs=60"])
    outcome = run_job(config, files, tmp_path / "out")
    trained = outcome.shifts["QE"]["Si"]
    mean = [sum(f.energy for f in read_frames(path)) / 8 / n for path, n in zip(files, (12, 8))]
    assert abs(mean[1] - mean[0] - OFFSET) > 0.08  # what the mean energies alone would say
    assert trained == pytest.approx(OFFSET, abs=0.02)
    # the model is on the scale of the first source, and does not hold the offset
    model, first = load(outcome.model), read_frames(files[0])
    assert errors_of_frames(model, first)["all"]["energy"]["rmse"] < 40.0
    assert not any("offsets" in name for name in model.state_dict())
    assert model.header["training"]["source_shifts"] == outcome.shifts
    assert outcome.errors["validation"]["source QE"]["energy"]["rmse"] < 100.0


def test_files_may_be_named_in_the_settings_with_source_and_keys(files, tmp_path, monkeypatch, capsys):
    other = crystals(4, offset=1.0, seed=2)
    for atoms in other:
        atoms.info["E"] = atoms.info.pop("REF_energy")
    write(tmp_path / "other.xyz", other)
    listed = f"{{files: [{files[0]}, {{file: other.xyz, source: X, keys: {{energy: E}}}}], validation: 0.25}}"
    text = SETTINGS.replace("{validation: 0.25}", listed)
    (tmp_path / "train.yaml").write_text(text)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)  # paths are relative to the training file
    assert main(["train", "../train.yaml", "-o", "out"]) == 0
    assert "energies of X less those of the model: Si 0.99" in capsys.readouterr().out
    errors = json.loads((elsewhere / "out" / "errors.json").read_text())
    assert errors["training"]["source X"]["frames"] == 4
    # the copy beside the results names the same files
    assert main(["train", "out/train.yaml", "-o", "again"]) == 0
    models = [(elsewhere / name / "model.safetensors").read_bytes() for name in ("out", "again")]
    assert models[0] == models[1]


def test_evaluate_fits_the_constant_of_each_source(files, capsys):
    arguments = ["evaluate", "stillinger-weber", *map(str, files), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["source QE"]["energy"]["rmse"] > 1e5
    assert main([*arguments, "--fit-offsets"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["source_shifts"]["QE"]["Si"] == pytest.approx(OFFSET)
    assert found["all"]["energy"]["rmse"] < 1e-3


def test_wrong_files_are_refused(files, tmp_path):
    config = settings(tmp_path)
    with pytest.raises(ConfigError, match=r"data\.files: no data"):
        run_job(config, [], tmp_path / "out")
    with pytest.raises(DataError, match=r"second\.xyz, frame 0: the same configuration as frame 0"):
        run_job(config, [files[1], files[1]], tmp_path / "out")
    with pytest.raises(ConfigError, match=r"data\.files\[0\]: the key 'file' is missing"):
        settings(tmp_path, "data: {files: [{source: X}]}")
    lost = crystals(2, source="lost", split="validation")
    write(tmp_path / "two.xyz", [*crystals(2, seed=3, split="train"), *lost])
    with pytest.raises(DataError, match="no frames of the source 'lost' are left to train on"):
        run_job(config, tmp_path / "two.xyz", tmp_path / "out")
