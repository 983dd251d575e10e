"""Reading labelled frames: what comes in, and what is refused."""

import ase.io
import numpy as np
import pytest
from ase.build import bulk

from nnp.data import DataError, DataWarning, Keys, read_frames, split


def labelled(seed=0, **info):
    atoms = bulk("Si", "diamond", 5.4, cubic=True)
    atoms.rattle(0.05, seed=seed)
    atoms.info.update(REF_energy=-40.0, REF_stress=[1.0, 2, 3, 4, 5, 6], config_type="bulk", **info)
    atoms.arrays["REF_forces"] = np.random.default_rng(seed).normal(size=(8, 3))
    return atoms


@pytest.fixture
def write(tmp_path):
    def write(frames):
        path = tmp_path / "data.xyz"
        ase.io.write(path, frames, format="extxyz")
        return path

    return write


def test_labels_keep_their_values_and_places(write):
    given = labelled()
    (frame,) = read_frames(write([given]))
    assert frame.energy == -40.0 and frame.group == "bulk" and frame.index == 0
    np.testing.assert_allclose(frame.forces, given.arrays["REF_forces"], atol=1e-8)
    np.testing.assert_allclose(frame.stress, [[1, 6, 5], [6, 2, 4], [5, 4, 3]])  # xx yy zz yz xz xy
    assert frame.volume == pytest.approx(5.4**3)


def test_stress_may_be_missing_and_keys_may_differ(write):
    given = labelled()
    given.info["E"] = given.info.pop("REF_energy")
    del given.info["REF_stress"]
    (frame,) = read_frames(write([given]), Keys(energy="E"))
    assert frame.energy == -40.0 and frame.stress is None


def test_labels_under_the_names_of_ase_are_found(write):
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = bulk("Si", "diamond", 5.4, cubic=True)
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0, forces=np.ones((8, 3)))
    (frame,) = read_frames(write([atoms]), Keys(energy="energy", forces="forces"))
    assert frame.energy == -1.0 and frame.forces[3, 2] == 1.0 and frame.group == "all"


def _no_forces(a):
    del a.arrays["REF_forces"]


def _mistyped(a):
    a.info["Ref_energy"] = a.info.pop("REF_energy")


def _not_finite(a):
    a.arrays["REF_forces"][3, 1] = np.nan


def _overlapping(a):
    a.positions[1] = a.positions[0] + [0.3, 0, 0]


def _short_stress(a):
    a.info["REF_stress"] = [1.0, 2.0]


def _no_cell(a):
    a.cell[:] = 0.0
    a.pbc = True


def _no_volume(a):
    a.cell[:] = 0.0
    a.pbc = False


def _flat_forces(a):
    a.set_array("REF_forces", a.arrays.pop("REF_forces")[:, :2])


def _energy_of_atoms(a):
    a.info["REF_energy"] = [-5.0] * 8


def _odd_part(a):
    a.info["split"] = "test"


@pytest.mark.parametrize(
    "spoil, says",
    [
        (_no_forces, "no forces under the key 'REF_forces'"),
        (_mistyped, "did you mean 'Ref_energy'"),
        (_not_finite, "forces are not finite"),
        (_overlapping, "atoms 0 and 1 are 0.300 Å apart"),
        (_short_stress, "stress has 2 components"),
        (_flat_forces, r"the forces have the shape \(8, 2\), not \(8, 3\)"),
        (_energy_of_atoms, r"the energy must be one number, got 8"),
        (_no_cell, "periodic in 3 directions, but the cell is missing or flat"),
        (_no_volume, "a stress, but no cell and so no volume"),
        (_odd_part, "split is 'test'"),
    ],
)
def test_a_bad_frame_is_named(write, spoil, says):
    bad = labelled(1)
    spoil(bad)
    with pytest.raises(DataError, match=says) as caught:
        read_frames(write([labelled(0), bad]))
    assert "frame 1" in str(caught.value)


def test_keys_that_no_frame_has_are_refused(write):
    """Silence would drop every stress, or every type."""
    for keys, says in (
        (Keys(stress="stress"), "no stress under the key 'stress' .*did you mean 'REF_stress'"),
        (Keys(config_type="type"), "no config_type under the key 'type' .*did you mean 'config_type'"),
    ):
        with pytest.raises(DataError, match=says):
            read_frames(write([labelled(0)]), keys)
    other = labelled(0)
    other.info["virial_stress"] = other.info.pop("REF_stress")
    with pytest.warns(DataWarning, match="did you mean 'virial_stress'"):
        read_frames(write([other]))


def test_forces_may_be_missing_where_that_is_allowed(write):
    bare = labelled(1)
    del bare.arrays["REF_forces"]
    frames = read_frames(write([labelled(0), bare]), forces_required=False)
    assert frames[0].forces is not None and frames[1].forces is None


def test_the_same_configuration_twice_is_refused(write):
    read_frames(write([labelled(0), labelled(0, source="another code")]))
    with pytest.raises(DataError, match="frame 2: the same configuration as frame 0"):
        read_frames(write([labelled(0), labelled(1), labelled(0)]))


def test_a_missing_or_unreadable_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="no data file"):
        read_frames(tmp_path / "none.xyz")
    (tmp_path / "odd.xyz").write_text("three\nwords only\n")
    with pytest.raises(DataError, match="line 1: must be the number of atoms, got 'three'"):
        read_frames(tmp_path / "odd.xyz")


def test_split_takes_the_fraction_of_every_type_and_repeats_itself(write):
    given = [labelled(k) for k in range(30)]
    for k in range(20, 30):
        given[k].info["config_type"] = "rare"
    frames = read_frames(write(given))
    train, held = split(frames, 0.2, seed=3)
    assert sum(f.group == "bulk" for f in held) == 4 and sum(f.group == "rare" for f in held) == 2
    assert sorted(f.index for f in train + held) == list(range(30))
    assert [f.index for f in split(frames, 0.2, seed=3)[1]] == [f.index for f in held]
    assert [f.index for f in split(frames, 0.2, seed=4)[1]] != [f.index for f in held]
    assert all(f.group == "bulk" for f in split(frames, 0.2, 3, always_train=["rare"])[1])


def test_the_users_own_split_counts(write):
    frames = read_frames(write([labelled(0, split="train"), labelled(1, split="validation")]))
    train, held = split(frames, 0.5, seed=0)
    assert [f.index for f in train] == [0] and [f.index for f in held] == [1]
    with pytest.raises(DataError, match="frame 1 does not say"):
        split(read_frames(write([labelled(0, split="train"), labelled(1)])), 0.5, seed=0)
