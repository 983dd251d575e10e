"""Labels in wrong units are found, in all frames or in one, and right ones are left alone."""

import dataclasses

import pytest
from ase.units import GPa, Hartree, kcal, mol

from nnp.data import DataError, DataWarning, read_frames
from nnp.train.checks import findings
from nnp.train.job import run_job
from tests.nnp.training_data import crystals, settings, write

BOHR = 0.529177


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return read_frames(write(tmp_path_factory.mktemp("data") / "sw.xyz", crystals(20)))


def forces(factor):
    return lambda f: dataclasses.replace(f, forces=f.forces * factor)


def energy(factor):
    return lambda f: dataclasses.replace(f, energy=f.energy * factor)


def stress(factor):
    return lambda f: dataclasses.replace(f, stress=f.stress * factor)


def test_right_labels_raise_no_suspicion(frames):
    assert list(findings(frames)) == []
    relaxed = [forces(1e-6)(f) if k % 3 == 0 else f for k, f in enumerate(frames)]
    assert list(findings(relaxed)) == []
    bare = [dataclasses.replace(f, forces=None, stress=None) for f in frames]
    assert list(findings(bare)) == []


@pytest.mark.parametrize(
    "spoil, says",
    [
        (forces(BOHR / Hartree), "forces and energies do not belong together"),
        (forces(mol / kcal), "forces and energies do not belong together"),
        (energy(1 / Hartree), "forces and energies do not belong together"),
        (stress(1 / GPa), "read as eV/Å³; in GPa or kbar"),
        (stress(10 / GPa), "read as eV/Å³; in GPa or kbar"),
        (stress(-1.0), "pressure positive instead of tension"),
    ],
)
def test_wrong_units_of_all_frames_are_found(frames, spoil, says):
    (found,) = findings([spoil(f) for f in frames])
    assert "sw.xyz, frame 0" in found or "read as" in found
    assert says in found


@pytest.mark.parametrize(
    "spoil, says",
    [
        (forces(BOHR / Hartree), "in Ha/bohr?"),
        (forces(mol / kcal), "in kcal/(mol Å)?"),
        (energy(mol / kcal), "eV/atom below those of most frames: in Ha"),
        (energy(1 / Hartree), "eV/atom above those of most frames: in Ha"),
        (stress(10 / GPa), "in GPa or kbar?"),
    ],
)
def test_wrong_units_of_one_frame_are_found(frames, spoil, says):
    given = [spoil(f) if f.index == 7 else f for f in frames]
    found = [text for text in findings(given) if "sw.xyz, frame 7: " in text]
    assert len(found) == 1 and says in found[0]


def test_the_user_decides_what_a_suspicion_means(tmp_path):
    atoms = crystals(12)
    for a in atoms:
        a.arrays["REF_forces"] = a.arrays["REF_forces"] * BOHR / Hartree
    data = write(tmp_path / "odd.xyz", atoms)
    with pytest.raises(DataError, match=r"odd\.xyz, frame 0 .*data\.suspicious: warn"):
        run_job(settings(tmp_path), data, tmp_path / "out")
    warned = settings(tmp_path, overrides=["data.suspicious=warn", "optimiser.epochs=1"])
    with pytest.warns(DataWarning, match="do not belong together"):
        run_job(warned, data, tmp_path / "out")


def test_frames_without_forces_train_the_energy_alone(tmp_path):
    atoms = crystals(8)
    for a in atoms[::2]:
        del a.arrays["REF_forces"]
    data = write(tmp_path / "bare.xyz", atoms)
    with pytest.raises(DataError, match=r"frame 0: no forces under the key 'REF_forces'"):
        run_job(settings(tmp_path), data, tmp_path / "out")
    allowed = settings(tmp_path, overrides=["data.forces=optional", "optimiser.epochs=1"])
    errors = run_job(allowed, data, tmp_path / "out").errors["training"]
    assert errors["cold"]["forces"] is None and errors["cold"]["atoms"] == 8 * errors["cold"]["frames"]
    assert errors["warm"]["forces"]["rmse"] > 0.0
